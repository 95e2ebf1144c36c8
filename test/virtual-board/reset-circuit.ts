/**
 * The auto-reset circuit of a DevKit: two transistors between DTR/RTS and IO0/EN, a capacitor on EN
 * and two buttons.
 *
 * | DTR | RTS | EN   | IO0  |
 * |-----|-----|------|------|
 * | 0   | 0   | high | high |
 * | 1   | 0   | high | low  |
 * | 0   | 1   | low  | high |
 * | 1   | 1   | high | high |
 *
 * EN falls at once but rises through a resistor into the capacitor. The chip samples IO0 when EN
 * crosses its threshold, not when RTS is released: this is what lets a host that moves one line at a
 * time (through 1,1) still reach the loader, if it is quick enough.
 */

import type { Clock } from './clock.ts';

export interface ResetCircuitEvents {
  /** EN went low: the chip stops at once. */
  reset(): void;
  /** EN is high again; `io0Low` is the strap as sampled at this moment. */
  release(io0Low: boolean): void;
}

export class ResetCircuit {
  readonly #clock: Clock;
  readonly #events: ResetCircuitEvents;
  readonly #enRiseMs: number;
  #dtr = false;
  #rts = false;
  #bootHeld = false;
  #enPressed = false;
  #chipInReset = false;
  #cancelRise: (() => void) | undefined;

  constructor(clock: Clock, events: ResetCircuitEvents, enRiseMs: number) {
    this.#clock = clock;
    this.#events = events;
    this.#enRiseMs = enRiseMs;
  }

  get io0Low(): boolean {
    return this.#bootHeld || (this.#dtr && !this.#rts);
  }

  /** Both lines in one step; asserted is `true`. */
  setLines(dtr: boolean, rts: boolean): void {
    this.#dtr = dtr;
    this.#rts = rts;
    this.#settle();
  }

  setDtr(dtr: boolean): void {
    this.setLines(dtr, this.#rts);
  }

  setRts(rts: boolean): void {
    this.setLines(this.#dtr, rts);
  }

  get lines(): { dtr: boolean; rts: boolean } {
    return { dtr: this.#dtr, rts: this.#rts };
  }

  holdBoot(held: boolean): void {
    this.#bootHeld = held;
  }

  holdEn(pressed: boolean): void {
    this.#enPressed = pressed;
    this.#settle();
  }

  #settle(): void {
    const enPulledLow = this.#enPressed || (this.#rts && !this.#dtr);
    if (enPulledLow) {
      this.#cancelRise?.();
      this.#cancelRise = undefined;
      if (!this.#chipInReset) {
        this.#chipInReset = true;
        this.#events.reset();
      }
    } else if (this.#chipInReset && !this.#cancelRise) {
      this.#cancelRise = this.#clock.after(this.#enRiseMs, () => {
        this.#cancelRise = undefined;
        this.#chipInReset = false;
        this.#events.release(this.io0Low);
      });
    }
  }
}
