/** How long chips may take, in milliseconds. Source: esptool's limits, which years of slow flashes shaped. */
import { DEFAULT_TIMEOUT_MS } from './loader.ts';

/** Per megabyte (1e6 bytes) erased, or erased and written. */
export const ERASE_MS_PER_MB = 40_000;
/** All of the flash. */
export const CHIP_ERASE_MS = 120_000;

/** No command is waited for any longer. */
const MAX_TIMEOUT_MS = 240_000;

/** The time for so many bytes, never below the time any command is given. */
export function timeoutFor(msPerMb: number, bytes: number): number {
  return Math.min(MAX_TIMEOUT_MS, Math.max(DEFAULT_TIMEOUT_MS, Math.ceil((bytes / 1e6) * msPerMb)));
}

/** A block of 64 KB, which the loader erases ahead of what it writes. */
const ERASED_AHEAD = 0x10000;

/** The time until a block is acknowledged whose turn comes after so many bytes are erased and written. */
export function writeTimeout(bytes: number): number {
  return timeoutFor(ERASE_MS_PER_MB, bytes + ERASED_AHEAD);
}
