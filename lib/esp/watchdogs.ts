/**
 * Watchdogs that survive a reset by USB-Serial/JTAG and would restart the chip in the middle of flashing.
 * Source: technical reference manuals, "Watchdog Timers"; the registers lie in `chips.ts`.
 */
import type { Chip, RestartRegisters } from './chips.ts';
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

/** Ticks of the slow clock until it bites. */
const BITE_AFTER = 2000;
/** On; stage 0 resets the whole chip with its RTC; signal lengths as ESP-IDF's loader has them. */
const BITE = 0x80000000 + (5 << 28) + (1 << 8) + 2;

/**
 * Lets the RTC watchdog restart the chip: the straps are read anew, which a reset through USB-Serial/JTAG does not
 * do. The chip is gone before it could answer the last words.
 */
export async function restartByWatchdog(loader: Loader, registers: RestartRegisters): Promise<void> {
  await loader.writeRegister(registers.protect, UNLOCK);
  await loader.writeRegister(registers.timeout, BITE_AFTER);
  await loader.writeRegister(registers.config, BITE);
  await loader.writeRegister(registers.protect, LOCK);
}

/** Ends the order to stay in the loader, which survives every reset but the one by power. */
export async function allowProgram(loader: Loader, { forceDownload }: RestartRegisters): Promise<void> {
  if (forceDownload) await loader.writeRegister(forceDownload.register, 0, forceDownload.mask);
}

/** Whether IO0 was low at the last reset by pin or power: any reset that does not read it anew ends in the loader. */
export async function isHeldInLoader(loader: Loader, { straps }: RestartRegisters): Promise<boolean> {
  if (!straps) return false;
  return ((await loader.readRegister(straps.register)) & straps.ioHighMask) === 0;
}
