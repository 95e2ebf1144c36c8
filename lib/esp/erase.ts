/** Erasing without writing. Both commands are the stub's; the ROM erases only what it is about to write. */
import { EspError } from './errors.ts';
import type { Loader } from './loader.ts';
import { words } from './protocol.ts';
import { CHIP_ERASE_MS, ERASE_MS_PER_MB, timeoutFor } from './timeouts.ts';

/** Bytes of the smallest unit that can be erased. */
export const SECTOR = 4096;

export async function eraseChip(loader: Loader): Promise<void> {
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
  await loader.command('ERASE_REGION', words(offset, size), { timeoutMs: timeoutFor(ERASE_MS_PER_MB, size) });
}
