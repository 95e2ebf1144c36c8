/** What the flash holds, by the chip's own MD5: the only proof that something was written. */
import { createHash } from 'node:crypto';
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

/** Compares the chip's MD5 of a region with ours. Throws `EspError` 'verify-failed'. */
export async function verifyRegion(loader: Loader, region: Region): Promise<void> {
  const { offset, bytes } = region;
  const expected = md5(bytes);
  const found = await regionMd5(loader, offset, bytes.length);
  if (found === expected) return;
  const blank = found === md5(new Uint8Array(bytes.length).fill(0xff));
  const what = blank ? 'nothing' : 'something else';
  const facts = { offset, size: bytes.length, expected, found, blank };
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

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
