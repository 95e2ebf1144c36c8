/**
 * Writing regions of the flash. An acknowledged block is one that arrived, not one that was programmed: what
 * was written is known by `verifyRegion` only.
 */
import { deflate, unpackedSizes } from './deflate.ts';
import type { Chip } from './chips.ts';
import { SECTOR } from './erase.ts';
import { EspError } from './errors.ts';
import { beginBody, DEFAULT_TIMEOUT_MS, requestFrame } from './loader.ts';
import type { Loader } from './loader.ts';
import { checksum, concat, dataBlock, isTransmissionFault, words } from './protocol.ts';
import type { Operation } from './protocol.ts';
import { ERASE_MS_PER_MB, timeoutFor, writeTimeout } from './timeouts.ts';

export interface WriteProgress {
  /** Bytes of the region written so far, uncompressed. */
  done: number;
  total: number;
}

/** A block that arrived damaged is sent again so many times. */
const RESENDS = 3;
/** The stub programs words, and FF leaves a flash cell as it is. */
const ALIGNMENT = 4;

const BLOCK_64K = 0x10000;
const PAGE = 256;
const STATUS_MASK = 0xffff;

/** Makes the flash ready for the ROM's commands, at the pins named; the stub has done so for itself. */
export async function attachFlash(loader: Loader, pins = 0): Promise<void> {
  await loader.command('SPI_ATTACH', words(pins, 0));
}

/**
 * The pins of a flash in the package, as SPI_ATTACH wants them: five bits each in the fuses, six here, HD highest,
 * then CS, D, Q and CLK. 0 for the usual ones, which is also what a chip without a flash in its package has.
 */
export async function readFlashPins(loader: Loader, { flashPins }: Chip): Promise<number> {
  if (!flashPins) return 0;
  const low = await loader.readRegister(flashPins.clkQDCs);
  const hd = ((await loader.readRegister(flashPins.hd)) >>> 4) & 0x1f;
  const [clk, q, d, cs] = [0, 5, 10, 15].map((shift) => (low >>> shift) & 0x1f) as [
    number,
    number,
    number,
    number,
  ];
  return (hd << 24) | (cs << 18) | (d << 12) | (q << 6) | clk;
}

/** Without it only 2 MB are usable. */
export async function setFlashSize(loader: Loader, flashSize: number): Promise<void> {
  await loader.command('SPI_SET_PARAMS', words(0, flashSize, BLOCK_64K, SECTOR, PAGE, STATUS_MASK));
}

/** Bytes with their compressed form, which can be made while the chip is still being connected to. */
export interface Prepared {
  /** The bytes as given. */
  source: Uint8Array;
  bytes: Uint8Array;
  compressed: Promise<Uint8Array>;
}

export function prepare({ bytes: source }: { bytes: Uint8Array }, signal: AbortSignal): Prepared {
  const bytes = padded(source, ALIGNMENT);
  const compressed = deflate(bytes, signal);
  // Whoever writes it awaits it; until then a failure must not count as unhandled.
  compressed.catch(() => undefined);
  return { source, bytes, compressed };
}

/** Bytes that are encrypted together: two blocks of AES on the oldest chip, one on later ones. */
const ENCRYPTED_ALIGNMENT = 32;

/** Writes one region, compressed where that is shorter; `encrypted`: the chip encrypts what it writes. */
export async function writeRegion(
  loader: Loader,
  region: Prepared & { offset: number },
  onProgress: (progress: WriteProgress) => void,
  encrypted = false,
): Promise<void> {
  const { offset } = region;
  const bytes = encrypted ? padded(region.bytes, ENCRYPTED_ALIGNMENT) : region.bytes;
  const compressed = await region.compressed;
  const transfer =
    !encrypted && loader.mode.inflates && compressed.length < bytes.length
      ? deflated(loader, offset, bytes, compressed)
      : plain(loader, offset, bytes, encrypted);
  await send(loader, transfer, bytes.length, onProgress);
}

/** How one region travels: which commands, which blocks. */
interface Transfer {
  begin: Operation;
  data: Operation;
  end: Operation;
  beginBody: Uint8Array;
  beginTimeoutMs: number;
  blocks: Uint8Array[];
  /** Bytes of flash that a block becomes. */
  unpacked: (block: Uint8Array) => number;
}

function deflated(loader: Loader, offset: number, bytes: Uint8Array, compressed: Uint8Array): Transfer {
  const { flashBlock, wantsTrueSize } = loader.mode;
  const blocks = split(compressed, flashBlock);
  const size = wantsTrueSize ? bytes.length : Math.ceil(bytes.length / flashBlock) * flashBlock;
  return {
    begin: 'FLASH_DEFL_BEGIN',
    data: 'FLASH_DEFL_DATA',
    end: 'FLASH_DEFL_END',
    beginBody: beginBody(loader.mode, { size, blocks: blocks.length, offset }),
    beginTimeoutMs: wantsTrueSize ? DEFAULT_TIMEOUT_MS : timeoutFor(ERASE_MS_PER_MB, size),
    blocks,
    unpacked: unpackedSizes(),
  };
}

function plain(loader: Loader, offset: number, bytes: Uint8Array, encrypted: boolean): Transfer {
  const { flashBlock, wantsTrueSize } = loader.mode;
  const blocks = split(padded(bytes, flashBlock), flashBlock);
  return {
    begin: 'FLASH_BEGIN',
    data: 'FLASH_DATA',
    end: 'FLASH_END',
    beginBody: beginBody(loader.mode, { size: bytes.length, blocks: blocks.length, offset, encrypted }),
    beginTimeoutMs: wantsTrueSize ? DEFAULT_TIMEOUT_MS : timeoutFor(ERASE_MS_PER_MB, bytes.length),
    blocks,
    unpacked: (block) => block.length,
  };
}

async function send(
  loader: Loader,
  transfer: Transfer,
  total: number,
  onProgress: (progress: WriteProgress) => void,
): Promise<void> {
  await loader.command(transfer.begin, transfer.beginBody, { timeoutMs: transfer.beginTimeoutMs });
  let frame = blockFrame(transfer, 0);
  let before = 0;
  let timeoutMs = 0;
  for (const [sequence, block] of transfer.blocks.entries()) {
    loader.signal.throwIfAborted();
    // The stub takes a block and then works on the one before.
    const size = transfer.unpacked(block);
    timeoutMs = writeTimeout(before + size);
    before = size;
    const sent = sendBlock(loader, transfer.data, frame, timeoutMs);
    // While this one is on its way: the wire then waits for nothing but the answer.
    frame = blockFrame(transfer, sequence + 1);
    await sent;
    onProgress({ done: Math.round((total * (sequence + 1)) / transfer.blocks.length), total });
  }
  // The stub acknowledges this after its last write; a ROM would leave the loader by it.
  if (loader.mode.name === 'stub') {
    await loader.command(transfer.end, words(1), { timeoutMs });
  }
}

/** Empty behind the last block. */
function blockFrame({ data, blocks }: Transfer, sequence: number): Uint8Array {
  const block = blocks[sequence];
  return block ? requestFrame(data, dataBlock(block, sequence), checksum(block)) : new Uint8Array();
}

async function sendBlock(
  loader: Loader,
  operation: Operation,
  frame: Uint8Array,
  timeoutMs: number,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await loader.exchange(operation, frame, { timeoutMs });
      return;
    } catch (error) {
      const damaged = error instanceof EspError && isTransmissionFault(error.facts['reason']);
      if (!damaged || attempt === RESENDS) throw error;
    }
  }
}

function split(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

function padded(bytes: Uint8Array, to: number): Uint8Array {
  const missing = (to - (bytes.length % to)) % to;
  return missing === 0 ? bytes : concat(bytes, new Uint8Array(missing).fill(0xff));
}
