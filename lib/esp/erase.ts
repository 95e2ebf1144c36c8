/** Erasing without writing, and the proof. The ROM knows no command for it, but erases what it is told will be written. */
import { hex } from '../errors/facts.ts';
import { EspError } from './errors.ts';
import { beginBody } from './loader.ts';
import type { Loader } from './loader.ts';
import { words } from './protocol.ts';
import { CHIP_ERASE_MS, ERASE_MS_PER_MB, timeoutFor } from './timeouts.ts';
import { firstWrong, isBlank } from './verify.ts';

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
      offset: hex(offset),
      size,
      sector: SECTOR,
    });
  }
  if (loader.mode.name === 'ROM') return eraseByRom(loader, offset, size);
  await loader.command('ERASE_REGION', words(offset, size), { timeoutMs: timeoutFor(ERASE_MS_PER_MB, size) });
}

/**
 * A chip answers that it has erased also where its flash is write-protected or worn out: this is the proof.
 * Throws `EspError` 'not-erased'.
 */
export async function checkErased(loader: Loader, offset: number, size: number): Promise<void> {
  const wrong = await firstWrong({ offset, size }, (at, length) => isBlank(loader, at, length));
  if (!wrong) return;
  const at = hex(wrong.offset);
  throw new EspError('not-erased', `the flash is not blank at ${at}`, { offset: at });
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
