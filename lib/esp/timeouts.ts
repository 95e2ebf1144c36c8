/** How long chips may take, in milliseconds. Source: esptool's limits, which years of slow flashes shaped. */
import { DEFAULT_TIMEOUT_MS } from './loader.ts';

/** Per megabyte (1e6 bytes) erased, or erased and written. */
export const ERASE_MS_PER_MB = 40_000;
/** All of the flash. */
export const CHIP_ERASE_MS = 120_000;

/** The time for so many bytes, never below the time any command is given. */
export function timeoutFor(msPerMb: number, bytes: number): number {
  return Math.max(DEFAULT_TIMEOUT_MS, Math.ceil((bytes / 1e6) * msPerMb));
}
