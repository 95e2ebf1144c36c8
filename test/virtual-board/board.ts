/**
 * The board: one chip with its flash, behind a reset circuit and a serial line. Here are its power, its straps and
 * its resets; what the chip does between two of them is its life, in the loader or with a program.
 */

import type { BoardOptions } from './board-options.ts';
import { resetText } from './boot.ts';
import { ascii } from './bytes.ts';
import type { ChipFacts, ResetReason } from './chips.ts';
import type { Fault, Faults } from './faults.ts';
import type { FlashChip } from './flash-chip.ts';
import { Hardware } from './hardware.ts';
import type { Ends, Life } from './life.ts';
import { ChipReset } from './life.ts';
import { LoaderLife } from './loader-life.ts';
import { SECTOR_SIZE } from './nor-flash.ts';
import { ProgramLife } from './program-life.ts';
import { ResetCircuit } from './reset-circuit.ts';
import type { Uart } from './uart.ts';

export class Board {
  readonly chip: ChipFacts;
  readonly flash: FlashChip;
  readonly faults: Faults;
  readonly circuit: ResetCircuit;
  readonly uart: Uart;
  readonly mac: Uint8Array;
  readonly #hardware: Hardware;
  readonly #ends: Ends;
  /** Aborts with the next reset. */
  #power = new AbortController();
  #life: Life | undefined;
  #cancelWaking: (() => void) | undefined;
  #downloadStrap = false;
  #isHasty = false;

  constructor(options: BoardOptions) {
    this.#hardware = new Hardware(options, {
      hear: (bytes, hostBaud) => {
        if (!this.faults.find('silent')) this.#life?.hear(bytes, hostBaud);
      },
      bite: () => {
        this.#bitten();
      },
    });
    const { chip, flash, faults, uart, mac, clock } = this.#hardware;
    this.chip = chip;
    this.flash = flash;
    this.faults = faults;
    this.uart = uart;
    this.mac = mac;
    this.circuit = new ResetCircuit(
      clock,
      {
        reset: () => {
          this.#stop('en');
        },
        release: (io0Low) => {
          this.#startByPower(io0Low, 'power-on');
        },
      },
      options.enRiseMs ?? 5,
    );
    this.#ends = {
      reset: (reason, download) => {
        this.#start(reason, download);
      },
      enterLoader: () => {
        this.enterLoader();
      },
      deepSleep: (ms) => {
        this.#deepSleep(ms);
      },
    };
  }

  /** Plugs the board in: straps as they stand, reset by power. */
  powerOn(): void {
    this.#startByPower(this.circuit.io0Low, 'power-on');
  }

  powerOff(): void {
    this.#stop('power');
  }

  /** The host resets the chip over its USB: IO0 is not read anew. */
  resetOverUsb(download: boolean): void {
    const { rtc, options } = this.#hardware;
    const stays = download || this.#staysInLoader;
    // The straps read as the reset wants them.
    if (rtc) rtc.ioWasHigh = !stays;
    this.#start('software', stays);
    // A program looks after them.
    if (options.usb === 'jtag' && stays) rtc?.startWatchdogs();
    else rtc?.stopWatchdogs();
  }

  /** The program, or the host through it, orders the chip into its loader. */
  enterLoader(): void {
    const { rtc } = this.#hardware;
    if (rtc) rtc.forceDownload = true;
    this.#start('cpu', true);
  }

  fault(fault: Fault): void {
    this.#hardware.event('fault', { ...fault });
    if (fault.kind === 'worn-sector') this.flash.wornOut.add(Math.floor(fault.offset / SECTOR_SIZE));
    else if (fault.kind === 'stall') this.uart.stall(fault.ms, fault.direction ?? 'both');
    else if (fault.kind === 'sag') this.#startByPower(this.circuit.io0Low, 'brown-out');
    else this.faults.add(fault);
  }

  clearFaults(): void {
    this.faults.clear();
    this.flash.wornOut.clear();
  }

  /** A reset by power or EN: IO0 counts, and nothing is left of what outlives others. */
  #startByPower(io0Low: boolean, reason: 'power-on' | 'brown-out'): void {
    const { rtc } = this.#hardware;
    this.#readStraps(io0Low);
    if (rtc) rtc.forceDownload = false;
    rtc?.stopWatchdogs();
    this.#start(reason);
  }

  /** The RTC watchdog resets all of the chip, which then looks at IO0. */
  #bitten(): void {
    this.#readStraps(this.circuit.io0Low);
    this.#hardware.rtc?.stopWatchdogs();
    this.#start('rtc-watchdog');
  }

  #readStraps(io0Low: boolean): void {
    const { rtc } = this.#hardware;
    this.#downloadStrap = io0Low;
    if (rtc) rtc.ioWasHigh = !io0Low;
  }

  get #staysInLoader(): boolean {
    return this.#downloadStrap || this.#hardware.rtc?.forceDownload === true;
  }

  #deepSleep(ms: number): void {
    this.#stop('deep-sleep');
    this.#cancelWaking = this.#hardware.clock.after(ms, () => {
      this.#start('deep-sleep');
    });
  }

  #stop(cause: string): void {
    const { bootBaud } = this.#hardware;
    this.#cancelWaking?.();
    this.#power.abort(new ChipReset(cause));
    this.#life = undefined;
    this.uart.reset(bootBaud);
    this.#hardware.event('stop', { cause });
  }

  #start(reason: ResetReason, download = this.#staysInLoader): void {
    this.#stop('restart');
    this.#power = new AbortController();
    this.#hardware.event('reset', { reason, download });
    if (this.faults.find('silent')) return;
    this.#printReset(reason, download);
    this.#life = this.#newLife(reason, download, this.#power.signal);
    this.#life.run().catch((error: unknown) => {
      if (!(error instanceof ChipReset)) throw error;
    });
  }

  #printReset(reason: ResetReason, download: boolean): void {
    const noise = this.faults.find('boot-noise');
    if (noise) this.uart.print(this.faults.noise(noise.bytes));
    this.uart.print(ascii(resetText(this.chip, reason, download)));
  }

  #newLife(reason: ResetReason, download: boolean, signal: AbortSignal): Life {
    if (!download) return new ProgramLife(this.#hardware, this.#ends, signal, reason);
    // Whether the answer is out in time is a matter of microseconds: every other time it is not.
    this.#isHasty = !this.#isHasty && this.chip.stubChangesClock === true;
    return new LoaderLife(this.#hardware, this.#ends, signal, this.#isHasty);
  }
}
