/** A chip's life outside its loader: it boots what is in its flash, and does what the program asks of it. */

import { bootFlash } from './boot.ts';
import type { BootOutcome } from './boot.ts';
import { ascii } from './bytes.ts';
import type { ResetReason } from './chips.ts';
import { sleep } from './clock.ts';
import type { Hardware } from './hardware.ts';
import type { Ends, Life } from './life.ts';
import type { ChipRequest, Program } from './program.ts';

/** A chip sets up its clocks, RAM and drivers in this time; what comes in meanwhile is kept. */
const BOOT_MS = 300;
/** The console driver's receive ring: what is typed while the chip boots waits here. */
const RECEIVE_RING = 260;
/** A program runs this long until the supply sags under it. */
const SAG_MS = 60;

type ProgramOutcome = Extract<BootOutcome, { kind: 'program' }>;

export class ProgramLife implements Life {
  readonly #board: Hardware;
  readonly #ends: Ends;
  readonly #signal: AbortSignal;
  readonly #reason: ResetReason;
  #program: Program | undefined;
  #typedAhead: number[] = [];

  constructor(board: Hardware, ends: Ends, signal: AbortSignal, reason: ResetReason) {
    this.#board = board;
    this.#ends = ends;
    this.#signal = signal;
    this.#reason = reason;
  }

  async run(): Promise<void> {
    const { chip, flash, uart, faults, options } = this.#board;
    const { text, outcome } = bootFlash(chip, flash.cells.bytes, options.protection);
    uart.print(ascii(text));
    this.#board.event('boot', { outcome: outcome.kind });
    if (outcome.kind === 'loop') {
      await this.#silence(outcome.afterMs);
      this.#ends.reset(outcome.reason);
    } else if (faults.find('brown-out')) {
      await this.#brownOut();
    } else {
      await this.#silence(options.bootMs ?? BOOT_MS);
      this.#start(outcome);
    }
  }

  hear(bytes: Uint8Array, hostBaud: number): void {
    const heard = this.#board.uart.hear(bytes, hostBaud);
    if (this.#program) this.#program.receive(heard);
    else this.#typedAhead.push(...heard.subarray(0, RECEIVE_RING - this.#typedAhead.length));
  }

  /** Nothing happens for so long after what was printed last. */
  async #silence(ms: number): Promise<void> {
    await this.#board.uart.drained();
    await sleep(this.#board.clock, ms, this.#signal);
  }

  async #brownOut(): Promise<void> {
    const { uart } = this.#board;
    await this.#silence(SAG_MS);
    uart.print(ascii('\r\nBrownout detector was triggered\r\n\r\n'));
    await uart.drained();
    this.#signal.throwIfAborted();
    this.#ends.reset('cpu');
  }

  #start(outcome: ProgramOutcome): void {
    const { uart, options } = this.#board;
    const program = this.#createProgram(outcome);
    this.#program = program;
    this.#signal.addEventListener('abort', () => program.stop(), { once: true });
    uart.baudRate = options.replBaud ?? uart.baudRate;
    uart.attach(program);
    if (this.#typedAhead.length > 0) program.receive(Uint8Array.from(this.#typedAhead));
    this.#board.event('program', { project: outcome.descriptor?.project });
  }

  #createProgram(outcome: ProgramOutcome): Program {
    const { chip, mac, uart, options } = this.#board;
    const signal = this.#signal;
    return options.createProgram(
      {
        readable: () => {
          if (!signal.aborted) uart.kick();
        },
        request: (request) => {
          if (!signal.aborted) void this.#carryOut(request);
        },
      },
      { ...outcome, flash: options.flash, mac, chip, reason: this.#reason },
    );
  }

  async #carryOut(request: ChipRequest): Promise<void> {
    const { uart, options } = this.#board;
    this.#board.event('request', { ...request });
    if (request.kind === 'uart-baud') {
      if (!options.usb) uart.baudRate = request.baudRate;
      return;
    }
    if (request.kind === 'watchdog') {
      this.#ends.reset('watchdog');
      return;
    }
    await uart.flush();
    if (this.#signal.aborted) return;
    if (request.kind === 'deep-sleep') this.#ends.deepSleep(request.ms);
    else if (request.kind === 'bootloader') this.#ends.enterLoader();
    else this.#ends.reset('cpu');
  }
}
