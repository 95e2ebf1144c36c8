/** Runs Espressif's flasher stub from RAM: faster and more able than the mask ROM. */
import { changeRomBaud } from './baud.ts';
import type { Chip } from './chips.ts';
import type { ChipDescription } from './describe.ts';
import { EspError } from './errors.ts';
import type { SecurityInfo } from './identify.ts';
import { STUB_MODE } from './loader.ts';
import type { Loader, LoaderMode } from './loader.ts';
import { checksum, dataBlock, words } from './protocol.ts';
import { usbKind } from './reset.ts';
import { stubImage } from './stub-images.ts';
import type { StubImage } from './stub-images.ts';

/** The largest block a ROM takes into RAM. */
const RAM_BLOCK = 0x1800;
/** The largest block over USB-OTG, for RAM and flash. */
const USB_OTG_BLOCK = 0x800;
const GREETING = 'OHAI';

/** The stub that runs on a chip of this revision; `undefined`: none does, it is left to its ROM. */
export function stubFor(
  { stub, olderStub, noStubWithSecureBoot }: Chip,
  { revision = Infinity }: ChipDescription,
  security: SecurityInfo | undefined,
): string | undefined {
  if (security?.secureDownload) return undefined;
  if (security?.secureBoot && noStubWithSecureBoot) return undefined;
  return olderStub && revision < olderStub.below ? olderStub.stub : stub;
}

/**
 * Uploads a stub at `uploadBaud`, goes back to the rate of SYNC to start it, and speaks to it from then on. (A stub
 * that changes the clock then sets the rate that its ROM remembers. With some ROMs that is the first rate, with others
 * the last: so both are the same.)
 * Throws `EspError` 'stub-silent' with what went wrong as its cause; `PortError`; an abort.
 */
export async function startStub(loader: Loader, chip: Chip, stub: string, uploadBaud: number): Promise<void> {
  try {
    const image = await stubImage(stub);
    const slowDown = await changeRomBaud(loader, chip, uploadBaud);
    const hasArrived = await upload(loader, image).then(() => true, lostOnTheWay);
    await slowDown();
    // What was too fast for this ROM or its line goes again at the first rate: a reset costs more, or needs a person.
    if (!hasArrived) await upload(loader, image);
    await loader.handOver('MEM_END', words(0, image.entry), GREETING);
  } catch (error) {
    if (!(error instanceof EspError)) throw error;
    const facts = { because: error.code, romIsMinimal: chip.romIsMinimal === true };
    throw new EspError('stub-silent', `the stub does not start (${error.message})`, facts, error);
  }
  loader.mode = stubMode(loader);
}

/** How the stub on this port is spoken to. */
export function stubMode({ transport }: Loader): LoaderMode {
  return usbKind(transport) === 'usb-rom' ? { ...STUB_MODE, flashBlock: USB_OTG_BLOCK } : STUB_MODE;
}

async function upload(loader: Loader, stub: StubImage): Promise<void> {
  const block = usbKind(loader.transport) === 'usb-rom' ? USB_OTG_BLOCK : RAM_BLOCK;
  await writeMemory(loader, stub.text.address, stub.text.bytes, block);
  await writeMemory(loader, stub.data.address, stub.data.bytes, block);
}

/** `false` for an upload that the ROM did not take: it stays in step even when bytes are lost, so it can go again. */
function lostOnTheWay(error: unknown): false {
  if (error instanceof EspError) return false;
  throw error;
}

async function writeMemory(
  loader: Loader,
  address: number,
  bytes: Uint8Array,
  blockSize: number,
): Promise<void> {
  const blocks = Math.ceil(bytes.length / blockSize);
  await loader.command('MEM_BEGIN', words(bytes.length, blocks, blockSize, address));
  for (let i = 0; i < blocks; i++) {
    const block = bytes.subarray(i * blockSize, (i + 1) * blockSize);
    await loader.command('MEM_DATA', dataBlock(block, i), { check: checksum(block) });
  }
}
