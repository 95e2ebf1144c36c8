/**
 * Watchdogs that survive a reset by USB-Serial/JTAG and would restart the chip in the middle of flashing.
 * Source: technical reference manuals, "Watchdog Timers"; the registers lie in `chips.ts`.
 */
import type { Chip } from './chips.ts';
import type { Loader } from './loader.ts';

/** Unlocks the RTC watchdog's registers; any other value locks them. */
const UNLOCK = 0x50d83aa1;
const LOCK = 0;

/** Turns the RTC watchdog off and lets the super watchdog feed itself. Chips without them: nothing. */
export async function silenceWatchdogs(loader: Loader, { watchdogs }: Chip): Promise<void> {
  if (!watchdogs) return;
  const { base, config, protect, superConfig, superProtect, superKey, superAutoFeedBit } = watchdogs;
  await loader.writeRegister(base + protect, UNLOCK);
  await loader.writeRegister(base + config, 0);
  await loader.writeRegister(base + protect, LOCK);
  const feeding = await loader.readRegister(base + superConfig);
  await loader.writeRegister(base + superProtect, superKey);
  await loader.writeRegister(base + superConfig, feeding | (1 << superAutoFeedBit));
  await loader.writeRegister(base + superProtect, LOCK);
}
