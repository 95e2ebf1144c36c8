/**
 * The raw REPL: MicroPython's way for programs to run code on a board.
 * Source: MicroPython's `shared/runtime/pyexec.c` and docs "The MicroPython interactive interpreter mode".
 */
import { randomUUID } from 'node:crypto';
import { PortError } from '../transport/errors.ts';
import { Entry, RAW_BANNER } from './entry.ts';
import type { EnterOptions } from './entry.ts';
import { MicroPythonError, throwRaised } from './errors.ts';
import { ignoreTimeout } from './ignore-timeout.ts';
import { RestartWatch } from './restart.ts';
import { RawWire } from './raw-wire.ts';
import { lastLine, RunEnd, SETTLE_MS, SOFT_REBOOT } from './run-end.ts';
import type { RunEndOptions } from './run-end.ts';
import { sendShort, sendSource } from './send-source.ts';

const CTRL_B = '\x02';
const CTRL_C = '\x03';
const END = 0x04;

const SOFT_REBOOT_MS = 5000;
const TIDY_MS = 5000;

/** The last words of the friendly banner, which differs from board to board. */
const FRIENDLY_BANNER_END = 'for more information.\r\n';
const LEAVE_MS = 500;
const PROMPT_MS = 50;

export interface RunOptions {
  /** Milliseconds until the code is interrupted; absent: never. */
  timeoutMs?: number | undefined;
  /** Milliseconds of silence after which it is given up. */
  stallMs?: number | undefined;
  /** What the code prints, as it comes. Bytes, as a character may be cut anywhere. */
  onOutput?: ((bytes: Uint8Array) => void) | undefined;
}

const ignore = (): void => undefined;

/** For what may fail as long as the port is there. */
function ignoreTrouble(error: unknown): void {
  if (!(error instanceof MicroPythonError)) ignoreTimeout(error);
}

export class RawRepl extends RawWire {
  /** Names this side has defined on the board; gone with a soft reset, and taken back when the raw REPL is left. */
  readonly helpers = new Set<string>();
  /** Whether a program was stopped for this REPL that shall go on after it: who has the REPL says so. */
  hasToGoOn = false;
  #entry: Entry | undefined;

  /**
   * Brings the board to the raw REPL, interrupting a running program; returns whether it did.
   * Throws `MicroPythonError` 'no-prompt' telling what was heard, `PortError`, or the abort's reason.
   */
  async enter(options: EnterOptions = {}): Promise<boolean> {
    const asked = performance.now();
    const entry = this.#begun(options);
    await entry.enter();
    const tookMs = performance.now() - asked - this.wireMs(RAW_BANNER.length);
    this.link.roundTripMs = Math.min(this.link.roundTripMs, tookMs);
    return entry.hasInterrupted;
  }

  /** The same, but by `options.hardReset` at once. */
  async enterByReset(options: EnterOptions): Promise<void> {
    await this.#begun(options).enterByReset();
  }

  #begun(options: EnterOptions): Entry {
    this.helpers.clear();
    this.#entry = new Entry({ transport: this.transport, inbox: this.inbox, signal: this.signal }, options);
    return this.#entry;
  }

  /** Whether a program may have been interrupted, where `enter` was cut off before it knew. */
  get mayHaveInterrupted(): boolean {
    return this.#entry?.hasPressed ?? false;
  }

  /**
   * Back to the friendly prompt, for people and programs that listen. Returns what came behind the banner:
   * the prompt, which may be any text. A firmware that prints no banner is taken to be there all the same.
   */
  async leave(): Promise<Uint8Array> {
    if (this.helpers.size > 0) await this.#removeHelpers().catch(ignoreTrouble);
    await this.write(`\r${CTRL_B}`);
    await this.transport.drain();
    const wait = { timeoutMs: LEAVE_MS, signal: this.signal };
    await this.inbox.until(FRIENDLY_BANNER_END, wait).catch(ignoreTimeout);
    const { prompt } = this.link;
    const found = await this.inbox.until(prompt, { ...wait, timeoutMs: PROMPT_MS }).catch(ignoreTimeout);
    if (found) return found;
    const rest = this.rest();
    const other = Buffer.from(rest).toString('latin1');
    // Anything may be a prompt, but none is long or more than a line.
    if (/^[^\r\n]{1,20}$/.test(other)) this.link.prompt = other;
    return rest;
  }

  /**
   * Out of the raw REPL, and the interpreter starts anew: boot.py and main.py run. Returns what came, which they may
   * have begun to print. Throws as `leave`.
   */
  async restart(): Promise<Uint8Array> {
    const prompt = await this.leave();
    await this.write(Uint8Array.of(END));
    const rebooted = await this.inbox.until(SOFT_REBOOT, { timeoutMs: SOFT_REBOOT_MS, signal: this.signal });
    return Buffer.concat([prompt, rebooted, this.rest()]);
  }

  /** Takes back what this side has defined, before the raw REPL was entered anew, too; and the board collects. */
  async tidy(): Promise<void> {
    this.helpers.clear();
    const ours = `[name for name in globals() if name.startswith('_board_')]`;
    await this.run(`list(map(globals().pop, ${ours}))\n__import__('gc').collect()`, { timeoutMs: TIDY_MS });
  }

  /** They cost memory that the program on the board may want; the way back does not depend on it. */
  async #removeHelpers(): Promise<void> {
    const names = [...this.helpers].join(', ');
    this.helpers.clear();
    await this.begin(`del ${names}`);
    await this.finish({ timeoutMs: LEAVE_MS });
  }

  /**
   * A fresh heap and boot.py, but not main.py: that is what a soft reset does in the raw REPL. A boot.py that does
   * not end in time is interrupted. Throws as `enter`.
   */
  async softReset({ timeoutMs, onOutput = ignore }: RunOptions): Promise<void> {
    await this.write(Uint8Array.of(END));
    await this.inbox.until(SOFT_REBOOT, { timeoutMs: SOFT_REBOOT_MS, signal: this.signal });
    await this.#untilRawBanner({ timeoutMs, onOutput });
  }

  /** Behind a soft reset. A boot.py that does not end in time is interrupted. */
  async #untilRawBanner({ timeoutMs = Infinity, onOutput = ignore }: RunOptions): Promise<void> {
    this.helpers.clear();
    const wait = { timeoutMs, signal: this.signal };
    const printed = await this.inbox.until(RAW_BANNER, wait).catch(ignoreTimeout);
    if (!printed) {
      await this.enter({ onOutput });
      return;
    }
    onOutput(printed.subarray(0, -RAW_BANNER.length));
    await this.expect('>');
  }

  /**
   * Runs code to its end.
   * Throws `MicroPythonError` 'python-error' with the traceback as `facts.text`, 'repl-confused', and as `finish`.
   */
  async run(source: string, options: RunOptions & RunEndOptions): Promise<void> {
    throwRaised(await this.begin(source).then(() => this.finish(options)));
  }

  /**
   * The same for a program of somebody's own, which may print anything, and end by `sys.exit()`: of that most firmware
   * says nothing. Throws also 'system-exit'.
   */
  async runProgram(source: string, options: RunOptions): Promise<void> {
    const mark = randomUUID();
    return this.run(source + lastLine(mark), { ...options, mark });
  }

  /** Sends code and returns when it has begun to run (or was refused: `finish` then tells why). */
  async begin(source: string): Promise<void> {
    this.tail = '';
    this.stray = [];
    this.link.paste = await sendSource(this, source, this.link.paste);
  }

  /** The same for code of no more than 259 bytes, all of them printable: two round trips less; `OK` comes as output. */
  async beginShort(source: string): Promise<void> {
    this.tail = '';
    this.stray = [];
    await sendShort(this, source);
  }

  /** Runs a part of the code that is begun, which prints nothing; what timers print is kept apart. Throws as `run`. */
  async execute(statement: string): Promise<void> {
    await sendShort(this, statement);
    await this.oneOf(['OK'], 'OK');
    await this.oneOf(['\x04'], 'an end');
    throwRaised(await this.upTo('\x04>'));
  }

  /**
   * Waits for the end of the code that was begun; returns its traceback, empty when it raised nothing.
   * Throws 'run-timeout' after interrupting it; 'soft-reset' and 'system-exit' (the board is in the raw REPL again),
   * 'board-restarted', 'brown-out', 'panic'; `PortError` 'read-timeout' after `stallMs` of silence.
   */
  async finish(options: RunOptions & RunEndOptions): Promise<string> {
    const { timeoutMs = Infinity, stallMs = Infinity, onOutput = ignore } = options;
    const deadline = performance.now() + timeoutMs;
    const end = new RunEnd(onOutput, options);
    const restart = new RestartWatch();
    for (const bytes of this.stray.splice(0)) onOutput(bytes);
    while (!end.ended) {
      const now = performance.now();
      const limit = end.isUnsure ? now + SETTLE_MS : (restart.judgedAt ?? Math.min(deadline, now + stallMs));
      try {
        const bytes = await this.inbox.some({ deadline: limit, signal: this.signal });
        this.keepTail(bytes);
        restart.hear(bytes);
        end.push(bytes);
      } catch (error) {
        if (!(error instanceof PortError) || error.code !== 'read-timeout') throw error;
        if (end.isUnsure) end.settle();
        else if (limit === deadline) throw await this.#tooLong(timeoutMs);
        else if (limit !== restart.judgedAt) throw error;
      }
      restart.judge();
    }
    if (end.ended === 'soft-reset') await this.#afterSoftReset(onOutput);
    if (end.ended === 'early') throw new MicroPythonError('system-exit', 'the code left by SystemExit');
    return end.raised;
  }

  async #tooLong(timeoutMs: number): Promise<MicroPythonError> {
    const facts = { timeoutMs, interrupted: await this.#interruptRun() };
    return new MicroPythonError('run-timeout', `the code did not end within ${timeoutMs} ms`, facts);
  }

  /** The code ended the interpreter, which starts anew, boot.py first, and comes back to the raw REPL. */
  async #afterSoftReset(onOutput: (bytes: Uint8Array) => void): Promise<never> {
    await this.#untilRawBanner({ timeoutMs: SOFT_REBOOT_MS, onOutput });
    throw new MicroPythonError('soft-reset', 'the code ended the interpreter', { tail: this.tail });
  }

  /** Ctrl-C until the interrupted run has ended. */
  async #interruptRun(): Promise<boolean> {
    for (let attempt = 0; attempt < 3; attempt++) {
      await this.write(CTRL_C);
      const end = new RunEnd(ignore);
      const deadline = performance.now() + 1000;
      while (!end.ended) {
        const bytes = await this.inbox.some({ deadline, signal: this.signal }).catch(ignoreTimeout);
        if (!bytes) break;
        end.push(bytes);
      }
      if (end.ended === 'prompt') return true;
    }
    return false;
  }
}
