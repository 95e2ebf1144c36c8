/** Erasing without writing, and the proof. The ROM knows no command for it, but erases what it is told will be written. */
import { hex } from '../errors/facts.ts';
import { EspError } from './errors.ts';
import { beginBody } from './loader.ts';
import type { Loader } from './loader.ts';
import { words } from './protocol.ts';
import { CHIP_ERASE_MS, ERASE_MS_PER_MB, timeoutFor } from './timeouts.ts';
import { isBlank } from './verify.ts';

/** Bytes of the smallest unit that can be erased. */
export const SECTOR = 4096;

/** Erases all: `flashSize` bytes. */
export async function eraseChip(loader: Loader, flashSize: number): Promise<void> {
  if (loader.mode.name === 'ROM') return eraseByRom(loader, 0, flashSize);
  await loader.command('ERASE_FLASH', undefined, { timeoutMs: CHIP_ERASE_MS });
}

/** Throws `EspError` 'erase-unaligned' for what is not whole sectors of 4096 bytes. */
export async function eraseRegion(loader: Loader, offset: number, size: number): Promise<void> {
  if (offset % SECTOR !== 0 || size % SECTOR !== 0 || size === 0) {
    throw new EspError('erase-unaligned', 'only whole sectors can be erased', {
      offset,
      size,
      sector: SECTOR,
    });
  }
  if (loader.mode.name === 'ROM') return eraseByRom(loader, offset, size);
  await loader.command('ERASE_REGION', words(offset, size), { timeoutMs: timeoutFor(ERASE_MS_PER_MB, size) });
}

/** What is looked at as one; where that is not blank, the next smaller ones in it. */
const LOOKS = [0x100000, 0x10000, SECTOR];

/**
 * A chip answers that it has erased also where its flash is write-protected or worn out: this is the proof.
 * Throws `EspError` 'not-erased'.
 */
export async function checkErased(loader: Loader, offset: number, size: number): Promise<void> {
  const at = await firstWritten(loader, offset, size, LOOKS);
  if (at === undefined) return;
  throw new EspError('not-erased', `the flash is not blank at ${hex(at)}`, { offset: hex(at) });
}

/** The sector, if there is one. An answer that came damaged is found out by those about the smaller pieces. */
async function firstWritten(
  loader: Loader,
  offset: number,
  size: number,
  [look = SECTOR, ...smaller]: readonly number[],
): Promise<number | undefined> {
  const end = offset + size;
  for (let at = offset; at < end; at += look) {
    loader.signal.throwIfAborted();
    const length = Math.min(look, end - at);
    if (await isBlank(loader, at, length)) continue;
    const found = smaller.length === 0 ? at : await firstWritten(loader, at, length, smaller);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** In pieces, so that each is answered in a time that also holds for it. */
const ROM_PIECE = 0x100000;

async function eraseByRom(loader: Loader, offset: number, size: number): Promise<void> {
  for (let done = 0; done < size; done += ROM_PIECE) {
    loader.signal.throwIfAborted();
    const length = Math.min(ROM_PIECE, size - done);
    const blocks = Math.ceil(length / loader.mode.flashBlock);
    const begin = beginBody(loader.mode, { size: length, blocks, offset: offset + done });
    await loader.command('FLASH_BEGIN', begin, { timeoutMs: timeoutFor(ERASE_MS_PER_MB, length) });
  }
}
