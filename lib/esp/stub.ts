/** Runs Espressif's flasher stub from RAM: faster and more able than the mask ROM. */
import { EspError, isEspError } from './errors.ts';
import { STUB_MODE } from './loader.ts';
import type { Loader } from './loader.ts';
import { checksum, dataBlock, words } from './protocol.ts';
import type { StubImage } from './stub-images.ts';

/** The largest block a ROM takes into RAM; over USB-OTG it is 0x800. */
const RAM_BLOCK = 0x1800;
/** The ROM may jump before its answer is out; that one answer is not waited for. */
const MEM_END_TIMEOUT_MS = 200;
const GREETING = 'OHAI';

/** Uploads and starts a stub, and speaks to it from then on. Throws `EspError` 'stub-silent' and others. */
export async function startStub(loader: Loader, stub: StubImage): Promise<void> {
  await writeMemory(loader, stub.text.address, stub.text.bytes);
  await writeMemory(loader, stub.data.address, stub.data.bytes);
  try {
    await loader.command('MEM_END', words(0, stub.entry), { timeoutMs: MEM_END_TIMEOUT_MS });
  } catch (error) {
    if (!isEspError(error, 'command-timeout')) throw error;
  }
  const greeting = Buffer.from(await loader.nextFrame('stub start')).toString('latin1');
  if (greeting !== GREETING) {
    throw new EspError('stub-silent', 'the stub did not report after its start', {
      hex: Buffer.from(greeting, 'latin1').toString('hex'),
    });
  }
  loader.mode = STUB_MODE;
}

async function writeMemory(loader: Loader, address: number, bytes: Uint8Array): Promise<void> {
  const blocks = Math.ceil(bytes.length / RAM_BLOCK);
  await loader.command('MEM_BEGIN', words(bytes.length, blocks, RAM_BLOCK, address));
  for (let i = 0; i < blocks; i++) {
    const block = bytes.subarray(i * RAM_BLOCK, (i + 1) * RAM_BLOCK);
    await loader.command('MEM_DATA', dataBlock(block, i), { check: checksum(block) });
  }
}
