/** A chip's life in its loader: the ROM first, then whatever code the host starts. */

import { Autobaud } from './autobaud.ts';
import { ascii } from './bytes.ts';
import { sleep } from './clock.ts';
import type { Hardware } from './hardware.ts';
import type { Ends, Life } from './life.ts';
import type { Inbox, LoaderLink } from './loader-link.ts';
import { RomInbox, StubInbox } from './loader-link.ts';
import { UNPROTECTED } from './protection.ts';
import { Ram, Registers } from './registers.ts';
import type { LoaderChip, LoaderExit } from './rom-loader.ts';
import { RomLoader } from './rom-loader.ts';
import { slipEncode } from './slip.ts';
import { StubLoader } from './stub-loader.ts';

/** Buffers of the mask ROM's USB are small, and the stub keeps them. */
const OTG_FRAME = 8 + 16 + 0x800;
/** What the watchdog gives code that hangs. */
const CRASH_MS = 1000;
const CRASH_TEXT = 'Fatal exception (0): \r\nepc1=0x00000000, epc2=0x00000000, epc3=0x00000000\r\n';

export class LoaderLife implements Life {
  readonly #board: Hardware;
  readonly #ends: Ends;
  readonly #signal: AbortSignal;
  readonly #chip: LoaderChip;
  readonly #autobaud: Autobaud;
  readonly #maxFrame: number | undefined;
  #inbox: Inbox | undefined;
  /** By how much the stub has made the UART's clock faster, on chips where it does. */
  #clockFactor = 1;

  /** `isHasty`: the ROM starts the stub while it still answers. */
  constructor(board: Hardware, ends: Ends, signal: AbortSignal, isHasty: boolean) {
    this.#board = board;
    this.#ends = ends;
    this.#signal = signal;
    this.#chip = this.#loaderChip(isHasty);
    this.#autobaud = new Autobaud(board);
    this.#maxFrame = board.options.usb === 'otg' ? OTG_FRAME : undefined;
  }

  async run(): Promise<void> {
    const { chip } = this.#board;
    let exit = await new RomLoader(
      this.#chip,
      this.#link(new RomInbox(this.#maxFrame ?? chip.rom.maxFrame)),
    ).run();
    while (exit.kind === 'entry') {
      if (!this.#startsStub(exit.address)) return this.#crash();
      this.#takeClock();
      exit = await new StubLoader(this.#chip, this.#link(new StubInbox(this.#maxFrame))).run();
    }
    this.#leave(exit);
  }

  hear(bytes: Uint8Array, hostBaud: number): void {
    if (!this.#inbox || this.#autobaud.losesBytesAt(hostBaud)) return;
    this.#inbox.receive(this.#board.uart.hear(bytes, hostBaud));
  }

  #loaderChip(isHasty: boolean): LoaderChip {
    const { chip, flash, mac, uart, rtc, options } = this.#board;
    const { protection = UNPROTECTED, registers } = options;
    return {
      facts: chip,
      flash,
      registers: new Registers(chip, flash, mac, () => uart.baudRate / this.#clockFactor, {
        ...(rtc && { rtc }),
        protection,
        ...(registers && { registers }),
      }),
      ram: new Ram(),
      protection,
      isHasty,
    };
  }

  /** Whether what the ROM jumps to is a stub that runs. */
  #startsStub(address: number): boolean {
    const { chip, faults, options, stubs } = this.#board;
    const isBarred = options.protection?.secureBoot && chip.noCodeWithSecureBoot;
    const runs = !faults.find('bad-ram') && !isBarred;
    const stub = runs && stubs.isLoaded(this.#chip.ram, address);
    this.#board.event('run-code', { address, stub });
    return stub;
  }

  /** The stub sets up the chip's clock, and with it the UART's rate, while the ROM's answer goes out. */
  #takeClock(): void {
    this.#autobaud.end();
    if (!this.#board.chip.stubChangesClock) return;
    this.#clockFactor = 2;
    this.#board.uart.changeClock(this.#clockFactor);
  }

  /** Code that is no stub: the chip jumps into what is there, and the watchdog gets it out. */
  async #crash(): Promise<void> {
    this.#inbox = undefined;
    this.#board.uart.print(ascii(CRASH_TEXT));
    await sleep(this.#board.clock, CRASH_MS, this.#signal);
    this.#ends.reset('watchdog');
  }

  #leave(exit: LoaderExit): void {
    // Straps are latched at power-on and EN: without those a reboot ends in the loader again.
    if (exit.kind === 'reboot') this.#ends.reset('software');
    else this.#ends.reset('software', false);
  }

  #link(inbox: Inbox): LoaderLink {
    this.#inbox = inbox;
    const signal = this.#signal;
    const { uart, clock, options } = this.#board;
    return {
      receive: () => inbox.next(signal),
      send: (frame) => {
        if (!signal.aborted) uart.print(slipEncode(frame));
      },
      drained: async () => {
        await uart.drained();
        signal.throwIfAborted();
      },
      sleep: (ms) => (ms > 0 ? sleep(clock, ms, signal) : Promise.resolve()),
      setBaudRate: (baudRate) => {
        if (options.usb) return;
        this.#board.event('baud', { baudRate: Math.round(baudRate) });
        this.#autobaud.end();
        uart.baudRate = baudRate;
      },
      event: (name, facts) => {
        // A sync that came through ends the measuring of the host's rate.
        if (facts['op'] === 'SYNC') this.#autobaud.end();
        this.#board.event(name, facts);
      },
    };
  }
}
