/** What the flash holds, by the chip's own MD5: the only proof that something was written. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { hex } from '../errors/facts.ts';
import { EspError } from './errors.ts';
import type { Loader } from './loader.ts';
import { words } from './protocol.ts';
import { timeoutFor } from './timeouts.ts';

/** Bytes and where they go. */
export interface Region {
  offset: number;
  bytes: Uint8Array;
}

/** Milliseconds a chip may take per megabyte (1e6 bytes). */
const MD5_MS_PER_MB = 8_000;

/**
 * Compares the chip's MD5 of a region with ours, and finds the first place that differs. `isWritten`: it is what was
 * written before. Throws `EspError` 'verify-failed'.
 */
export async function verifyRegion(loader: Loader, region: Region, isWritten = true): Promise<void> {
  const { offset, bytes } = region;
  const isRight = (at: number, size: number): Promise<boolean> =>
    isHeld(loader, { offset: at, bytes: bytes.subarray(at - offset, at - offset + size) });
  const wrong = await firstWrong({ offset, size: bytes.length }, isRight, [bytes.length, ...LOOKS]);
  if (!wrong) return;
  const blank = await isBlank(loader, wrong.offset, wrong.size);
  const facts = {
    offset: hex(wrong.offset),
    size: wrong.size,
    blank,
    ...(isWritten ? {} : { case: 'compared' }),
  };
  throw new EspError('verify-failed', `the flash holds something else at ${facts.offset}`, facts);
}

/** Whether the flash holds these bytes. */
export async function isHeld(loader: Loader, { offset, bytes }: Region): Promise<boolean> {
  // While the chip computes its own.
  const [found, expected] = await Promise.all([regionMd5(loader, offset, bytes.length), md5InSlices(bytes)]);
  return found === expected;
}

/** Sizes of what is looked at as one; where that is not right, the next smaller ones in it. */
const LOOKS: readonly number[] = [0x100000, 0x10000, 0x1000];

/**
 * The first sector of a range that is not as it should be, if there is one. An answer that came damaged is found out
 * by those about the smaller pieces.
 */
export async function firstWrong(
  { offset, size }: { offset: number; size: number },
  isRight: (offset: number, size: number) => Promise<boolean>,
  [look = size, ...smaller]: readonly number[] = LOOKS,
): Promise<{ offset: number; size: number } | undefined> {
  const end = offset + size;
  for (let at = offset; at < end; at += look) {
    const piece = { offset: at, size: Math.min(look, end - at) };
    if (await isRight(piece.offset, piece.size)) continue;
    const found = smaller.length === 0 ? piece : await firstWrong(piece, isRight, smaller);
    if (found) return found;
  }
  return undefined;
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

/** Whether all of a region is erased, by the chip's own MD5. */
export async function isBlank(loader: Loader, offset: number, size: number): Promise<boolean> {
  return (await regionMd5(loader, offset, size)) === blankMd5(size);
}

/** MD5 of so many erased bytes. */
function blankMd5(size: number): string {
  return md5(new Uint8Array(size).fill(0xff));
}

/** Some milliseconds of work. */
const SLICE = 0x100000;

/** As `md5`, without holding the event loop for long. */
export async function md5InSlices(bytes: Uint8Array): Promise<string> {
  const hash = createHash('md5');
  for (let at = 0; at < bytes.length; at += SLICE) {
    if (at > 0) await nextTurn();
    hash.update(bytes.subarray(at, at + SLICE));
  }
  return hash.digest('hex');
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
