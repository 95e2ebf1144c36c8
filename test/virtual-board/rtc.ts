/**
 * What stays awake while the chip is reset: the order to stay in the loader, the straps as they were last read, and
 * two watchdogs. A reset through USB-Serial/JTAG leaves the watchdogs running, and they bite unless the host
 * silences them.
 */

import type { UsbRegisters } from './chips.ts';
import type { Clock } from './clock.ts';
import type { RtcRegisters } from './registers.ts';

const KEY = 0x50d83aa1;
const ENABLED = 0x80000000;
/** What is left of their time when the loader begins. */
const BITES_AFTER_MS = 1500;
/** The slow clock, in ticks a millisecond. */
const SLOW_TICKS = 150;

export class Rtc implements RtcRegisters {
  /** Kept through every reset but those by power and EN. */
  forceDownload = false;
  /** IO0 as it was read last. */
  ioWasHigh = true;
  readonly #registers: UsbRegisters;
  readonly #clock: Clock;
  readonly #bite: () => void;
  readonly #values = new Map<number, number>();
  #cancelWatchdog: (() => void) | undefined;
  #cancelSuper: (() => void) | undefined;

  constructor(registers: UsbRegisters, clock: Clock, bite: () => void) {
    this.#registers = registers;
    this.#clock = clock;
    this.#bite = bite;
  }

  /** They run on through a reset over USB-Serial/JTAG. */
  startWatchdogs(): void {
    this.stopWatchdogs();
    this.#cancelWatchdog = this.#clock.after(BITES_AFTER_MS, this.#bite);
    if (this.#registers.superWatchdog) this.#cancelSuper = this.#clock.after(BITES_AFTER_MS, this.#bite);
  }

  stopWatchdogs(): void {
    this.#cancelWatchdog?.();
    this.#cancelSuper?.();
  }

  read(address: number): number | undefined {
    const { forceDownload, straps } = this.#registers;
    if (address === forceDownload?.register) return this.forceDownload ? forceDownload.mask : 0;
    if (address === straps?.register) return this.ioWasHigh ? straps.ioHighMask : 0;
    return this.#values.get(address);
  }

  write(address: number, value: number): boolean {
    const { forceDownload, straps, watchdog, superWatchdog } = this.#registers;
    if (address === straps?.register) return true;
    if (address === forceDownload?.register) {
      this.forceDownload = (value & forceDownload.mask) !== 0;
      return true;
    }
    const isLocked = (protect: number, key: number): boolean => (this.#values.get(protect) ?? 0) !== key;
    if (address === watchdog.config || address === watchdog.timeout) {
      if (isLocked(watchdog.protect, KEY)) return true;
      this.#values.set(address, value);
      if (address === watchdog.config) this.#setWatchdog((value & ENABLED) !== 0);
      return true;
    }
    if (superWatchdog && address === superWatchdog.config) {
      if (isLocked(superWatchdog.protect, superWatchdog.key)) return true;
      this.#values.set(address, value);
      if ((value >>> superWatchdog.autoFeedBit) & 1) this.#cancelSuper?.();
      return true;
    }
    if (address !== watchdog.protect && address !== superWatchdog?.protect) return false;
    this.#values.set(address, value >>> 0);
    return true;
  }

  #setWatchdog(enabled: boolean): void {
    this.#cancelWatchdog?.();
    const ticks = this.#values.get(this.#registers.watchdog.timeout) ?? 0;
    if (enabled) this.#cancelWatchdog = this.#clock.after(ticks / SLOW_TICKS, this.#bite);
  }
}
