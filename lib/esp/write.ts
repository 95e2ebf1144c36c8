/**
 * Writing, erasing and checking regions of the flash. A region counts as written only when the chip's
 * own MD5 of it equals ours: an acknowledged block is one that arrived, not one that was programmed.
 */
import { createHash } from 'node:crypto';
import { deflate } from './deflate.ts';
import { EspError } from './errors.ts';
import { DEFAULT_TIMEOUT_MS } from './loader.ts';
import type { Loader } from './loader.ts';
import { checksum, concat, dataBlock, isTransmissionFault, words } from './protocol.ts';
import type { Operation } from './protocol.ts';

/** Bytes and where they go. */
export interface Region {
  offset: number;
  bytes: Uint8Array;
}

export interface WriteProgress {
  /** Bytes of the region written so far, uncompressed. */
  done: number;
  total: number;
}

/** Milliseconds a chip may take per megabyte (1e6 bytes), and for all of its flash. */
const ERASE_MS_PER_MB = 40_000;
const MD5_MS_PER_MB = 8_000;
const CHIP_ERASE_MS = 120_000;
/** A block that arrived damaged is sent again so many times. */
const RESENDS = 3;
/** The stub programs words, and FF leaves a flash cell as it is. */
const ALIGNMENT = 4;

const SECTOR = 4096;
const BLOCK_64K = 0x10000;
const PAGE = 256;
const STATUS_MASK = 0xffff;

function timeoutFor(msPerMb: number, bytes: number): number {
  return Math.max(DEFAULT_TIMEOUT_MS, Math.ceil((bytes / 1e6) * msPerMb));
}

/** Makes the flash ready for commands: attached to the ROM, and its size known (else only 2 MB are usable). */
export async function attachFlash(loader: Loader): Promise<void> {
  await loader.command('SPI_ATTACH', loader.mode.name === 'ROM' ? words(0, 0) : words(0));
}

export async function setFlashSize(loader: Loader, flashSize: number): Promise<void> {
  await loader.command('SPI_SET_PARAMS', words(0, flashSize, BLOCK_64K, SECTOR, PAGE, STATUS_MASK));
}

/** Erases everything. Only the stub can. */
export async function eraseChip(loader: Loader): Promise<void> {
  await loader.command('ERASE_FLASH', undefined, { timeoutMs: CHIP_ERASE_MS });
}

/**
 * Writes one region, compressed where that is shorter. What was written is known by `verifyRegion` only.
 */
export async function writeRegion(
  loader: Loader,
  region: Region,
  onProgress: (progress: WriteProgress) => void,
): Promise<void> {
  const bytes = padded(region.bytes, ALIGNMENT);
  const compressed = await deflate(bytes, loader.signal);
  const transfer =
    compressed.length < bytes.length
      ? deflated(loader, region.offset, bytes, compressed)
      : plain(loader, region.offset, bytes);
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
  /** What one block may take, as it may unpack to very much. */
  blockTimeoutMs: number;
}

function deflated(loader: Loader, offset: number, bytes: Uint8Array, compressed: Uint8Array): Transfer {
  const { flashBlock, wantsTrueSize } = loader.mode;
  const blocks = split(compressed, flashBlock);
  const size = wantsTrueSize ? bytes.length : Math.ceil(bytes.length / flashBlock) * flashBlock;
  return {
    begin: 'FLASH_DEFL_BEGIN',
    data: 'FLASH_DEFL_DATA',
    end: 'FLASH_DEFL_END',
    beginBody: beginBody(loader, size, blocks.length, offset),
    beginTimeoutMs: wantsTrueSize ? DEFAULT_TIMEOUT_MS : timeoutFor(ERASE_MS_PER_MB, size),
    blocks,
    blockTimeoutMs: timeoutFor(ERASE_MS_PER_MB, bytes.length),
  };
}

function plain(loader: Loader, offset: number, bytes: Uint8Array): Transfer {
  const { flashBlock, wantsTrueSize } = loader.mode;
  const blocks = split(padded(bytes, flashBlock), flashBlock);
  return {
    begin: 'FLASH_BEGIN',
    data: 'FLASH_DATA',
    end: 'FLASH_END',
    beginBody: beginBody(loader, bytes.length, blocks.length, offset),
    beginTimeoutMs: wantsTrueSize ? DEFAULT_TIMEOUT_MS : timeoutFor(ERASE_MS_PER_MB, bytes.length),
    blocks,
    blockTimeoutMs: timeoutFor(ERASE_MS_PER_MB, 2 * flashBlock),
  };
}

function beginBody(loader: Loader, size: number, blocks: number, offset: number): Uint8Array {
  const { flashBlock, takesEncrypted } = loader.mode;
  return words(size, blocks, flashBlock, offset, ...(takesEncrypted ? [0] : []));
}

async function send(
  loader: Loader,
  transfer: Transfer,
  total: number,
  onProgress: (progress: WriteProgress) => void,
): Promise<void> {
  await loader.command(transfer.begin, transfer.beginBody, { timeoutMs: transfer.beginTimeoutMs });
  for (const [sequence, block] of transfer.blocks.entries()) {
    loader.signal.throwIfAborted();
    await sendBlock(loader, transfer, block, sequence);
    onProgress({ done: Math.round((total * (sequence + 1)) / transfer.blocks.length), total });
  }
  // The stub acknowledges this after its last write; a ROM would leave the loader by it.
  if (loader.mode.name === 'stub') {
    await loader.command(transfer.end, words(1), { timeoutMs: transfer.blockTimeoutMs });
  }
}

async function sendBlock(
  loader: Loader,
  transfer: Transfer,
  block: Uint8Array,
  sequence: number,
): Promise<void> {
  const body = dataBlock(block, sequence);
  const options = { check: checksum(block), timeoutMs: transfer.blockTimeoutMs };
  for (let attempt = 0; ; attempt++) {
    try {
      await loader.command(transfer.data, body, options);
      return;
    } catch (error) {
      const damaged = error instanceof EspError && isTransmissionFault(error.facts['reason']);
      if (!damaged || attempt === RESENDS) throw error;
    }
  }
}

/** Compares the chip's MD5 of a region with ours. Throws `EspError` 'verify-failed'. */
export async function verifyRegion(loader: Loader, region: Region): Promise<void> {
  const { offset, bytes } = region;
  const expected = md5(bytes);
  const found = await regionMd5(loader, offset, bytes.length);
  if (found === expected) return;
  const blank = found === md5(new Uint8Array(bytes.length).fill(0xff));
  const facts = { offset, size: bytes.length, expected, found, blank };
  throw new EspError(
    'verify-failed',
    `the flash holds ${blank ? 'nothing' : 'something else'} at ${offset}`,
    facts,
  );
}

/** MD5 of a region as the chip computes it, in hex. */
export async function regionMd5(loader: Loader, offset: number, size: number): Promise<string> {
  const { md5Length } = loader.mode;
  const { result } = await loader.command('SPI_FLASH_MD5', words(offset, size, 0, 0), {
    timeoutMs: timeoutFor(MD5_MS_PER_MB, size),
    resultLength: md5Length,
  });
  return Buffer.from(result).toString(md5Length === 16 ? 'hex' : 'latin1');
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
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
