/** What the flash holds, by the chip's own MD5: the only proof that something was written. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
 * Compares the chip's MD5 of a region with ours. `isWritten`: it is what was written before. Throws `EspError`
 * 'verify-failed'.
 */
export async function verifyRegion(loader: Loader, region: Region, isWritten = true): Promise<void> {
  const { offset, bytes } = region;
  const [found, expected] = await Promise.all([regionMd5(loader, offset, bytes.length), md5InSlices(bytes)]);
  if (found === expected) return;
  const blank = found === blankMd5(bytes.length);
  const what = blank ? 'nothing' : 'something else';
  const which = isWritten ? {} : { case: 'compared' };
  const facts = { offset, size: bytes.length, expected, found, blank, ...which };
  throw new EspError('verify-failed', `the flash holds ${what} at ${offset}`, facts);
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
