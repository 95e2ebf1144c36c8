/**
 * Turbo: the running REPL's UART goes faster for the time of a transfer, by the registers of its clock. See
 * `board/turbo.py`.
 *
 * Sources: the chips' technical reference manuals, UART_CLKDIV_REG and UART_CONF0_REG. Tried on the firmware v1.24 for
 * the ESP32, whose UART0 runs from REF_TICK, which is too slow: bit 27 of CONF0 gives it the 80 MHz of APB. The other
 * rows are from the register tables and not yet seen on silicon.
 */

import { PortError } from '../transport/errors.ts';
import { ignoreTimeout } from './ignore-timeout.ts';
import type { RawRepl } from './raw-repl.ts';

/** Divider; Hz; register and bits that choose the clock; register that puts it in force. 0: as it is, or none. */
type UartClock = readonly [divider: number, hz: number, source: number, bits: number, latch: number];

const APB_HZ = 80_000_000;
const TICK_REF_ALWAYS_ON = 1 << 27;

/** By the last word of `os.uname().machine`, without a hyphen. UART0 of each. */
const CLOCKS: Readonly<Record<string, UartClock>> = {
  ESP32: [0x3ff40014, APB_HZ, 0x3ff40020, TICK_REF_ALWAYS_ON, 0],
  // Not yet seen on silicon.
  ESP32S2: [0x3f400014, APB_HZ, 0x3f400020, TICK_REF_ALWAYS_ON, 0],
  // Not yet seen on silicon. They run from the crystal or APB, which are fast enough.
  ESP32S3: [0x60000014, 0, 0x60000014, 0, 0],
  ESP32C3: [0x60000014, 0, 0x60000014, 0, 0],
  // Not yet seen on silicon. UART_REG_UPDATE takes registers over into the clock domain of the UART.
  ESP32C6: [0x60000014, 0, 0x60000014, 0, 0x60000098],
};

/** Many adapters end there; what the flash takes does, too. */
const RATES: readonly number[] = [921_600];

const KNOCK = Uint8Array.from([0x55, ...Buffer.from('knock'), 0xaa]);
/** The board lets what it has said leave, and then changes the rate. */
const SWITCH_MS = 15;
/** Between two knocks: one that came while the board changed its rate is lost. It gives up after 400 ms. */
const KNOCK_MS = 80;
const KNOCKS = 3;

/** What `faster` of the board's script takes; `pace`: how it reads and tells at such a rate. */
export function turboArguments(now: number, pace: readonly [number, string, string]): unknown[] {
  return [CLOCKS, now, RATES.filter((rate) => rate > now), pace];
}

/** The host's side: goes where the board says that it goes. */
export class Turbo {
  readonly #repl: RawRepl;
  readonly #hear: (bytes: Uint8Array) => void;
  readonly #slow: number;
  /** What the board has said that is not done yet. */
  #said: { letter: string; rate: number } | undefined;

  /** `hear` takes what comes meanwhile, and calls `note` for the lines that are for here. */
  constructor(repl: RawRepl, hear: (bytes: Uint8Array) => void) {
    this.#repl = repl;
    this.#hear = hear;
    this.#slow = repl.baudRate;
  }

  note(letter: string, rate: number): void {
    this.#said = { letter, rate };
  }

  /** Does what the board has said. Throws as `RawRepl.some`. */
  async follow(): Promise<void> {
    for (let said = this.#take(); said; said = this.#take()) {
      if (said.letter === 'T') await this.#meet(said.rate);
      else if (said.letter === 'U') await this.#repl.write(KNOCK);
      else await this.#part();
    }
  }

  /** Back to the rate before, wherever the board is. */
  async end(): Promise<void> {
    if (this.#repl.baudRate !== this.#slow) await this.#repl.setBaudRate(this.#slow);
  }

  async #meet(rate: number): Promise<void> {
    try {
      await this.#repl.setBaudRate(rate);
    } catch (error) {
      // The adapter has no such rate: the board waits in vain, and goes back.
      if (!(error instanceof PortError) || error.code !== 'baud-refused') throw error;
      return;
    }
    await this.#repl.pause(SWITCH_MS);
    for (let knock = 0; knock < KNOCKS; knock++) {
      await this.#repl.write(KNOCK);
      if (await this.#isHeard()) return;
    }
    await this.end();
  }

  /** A knock too many would be taken for a packet, so what else comes is no reason for one. */
  async #isHeard(): Promise<boolean> {
    const until = performance.now() + KNOCK_MS;
    while (this.#said?.letter !== 'U' && performance.now() < until) {
      const bytes = await this.#repl.some(until - performance.now()).catch(ignoreTimeout);
      if (bytes) this.#hear(bytes);
    }
    return this.#said?.letter === 'U';
  }

  /** The board goes back by itself, and hears whether somebody is there. */
  async #part(): Promise<void> {
    await this.end();
    await this.#repl.pause(SWITCH_MS);
    await this.#repl.write(KNOCK);
  }

  #take(): { letter: string; rate: number } | undefined {
    const said = this.#said;
    this.#said = undefined;
    return said;
  }
}
