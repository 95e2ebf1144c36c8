/**
 * The raw REPL: MicroPython's way for programs to run code on a board.
 * Source: MicroPython's `shared/runtime/pyexec.c` and docs "The MicroPython interactive interpreter mode".
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortError } from '../transport/errors.ts';
import { Inbox } from '../transport/inbox.ts';
import type { Transport } from '../transport/transport.ts';
import { hear, saysRestart } from './boot.ts';
import { MicroPythonError } from './errors.ts';
import { ignoreTimeout } from './ignore-timeout.ts';
import { sendSource } from './send-source.ts';
import type { PasteSupport } from './send-source.ts';

const CTRL_A = '\x01';
const CTRL_B = '\x02';
const CTRL_C = '\x03';
const END = 0x04;

/** The prompt can be anything (`sys.ps1`); this line cannot. */
const BANNER = Buffer.from('raw REPL; CTRL-B to exit\r\n');
const SOFT_REBOOT = 'MPY: soft reboot\r\n';
const SOFT_REBOOT_MS = 5000;
const MAX_TAIL = 2000;

/** The last words of the friendly banner, which differs from board to board. */
const FRIENDLY_BANNER_END = 'for more information.\r\n';
const LEAVE_MS = 500;
const PROMPT = '>>> ';
const PROMPT_MS = 50;

/** One try to get hold of the interpreter: what is typed before the raw REPL is asked for, and how long to wait. */
interface EntryStep {
  name: string;
  typed: string;
  waitMs: number;
  /** Only worth it where the board says anything at all. */
  ifHeard?: boolean;
}

/** A board that boots may take its time over all that was typed before. */
const FENCES = 4;
const FENCE_MS = 800;

/** More than a whole block of `board/receive.py`: wherever a transfer was cut off, zeros end it. */
const ZEROS = 2400;

/**
 * A running program may catch one interrupt, sleep, or be in the middle of printing; so they are repeated
 * with growing pauses. `\r` first: it ends what a person had begun to type.
 */
const ENTRY: readonly EntryStep[] = [
  { name: 'ask', typed: '\r', waitMs: 150 },
  { name: 'interrupt', typed: `\r${CTRL_C}${CTRL_C}`, waitMs: 300 },
  { name: 'end a transfer', typed: `${'\0'.repeat(ZEROS)}\r${CTRL_C}${CTRL_C}`, waitMs: 700 },
  { name: 'interrupt repeatedly', typed: `\r${CTRL_C}${CTRL_C}${CTRL_C}${CTRL_C}`, waitMs: 1500 },
  { name: 'interrupt once more', typed: `\r${CTRL_C}${CTRL_C}`, waitMs: 3000 },
  // A board that boots hears all this only when it is up.
  { name: 'wait for the boot', typed: '\r', waitMs: 6000, ifHeard: true },
];

export interface RunOptions {
  /** Milliseconds until the code is interrupted. */
  timeoutMs: number;
  /** What the code prints, as it comes. Bytes, as a character may be cut anywhere. */
  onOutput?: (bytes: Uint8Array) => void;
}

export interface EnterOptions {
  /** What a running program printed until it was interrupted. */
  onOutput?: (bytes: Uint8Array) => void;
}

const ignore = (): void => undefined;

export class RawRepl {
  readonly #transport: Transport;
  readonly #inbox: Inbox;
  #signal: AbortSignal;
  /** Learned at the first code sent: whether this firmware takes raw paste. */
  #paste: PasteSupport = 'unknown';
  /** The last text that came: evidence when something else than expected does. */
  #tail = '';

  /** Takes over the transport's bytes until the caller listens to it again. */
  constructor(transport: Transport, signal: AbortSignal) {
    this.#transport = transport;
    this.#signal = signal;
    this.#inbox = new Inbox(transport);
  }

  /**
   * Brings the board to the raw REPL, interrupting a running program.
   * Throws `MicroPythonError` 'no-prompt' telling what was heard, `PortError`, or the abort's reason.
   */
  async enter({ onOutput = ignore }: EnterOptions = {}): Promise<void> {
    const steps: string[] = [];
    for (const { name, typed, waitMs, ifHeard } of ENTRY) {
      if (ifHeard && this.#tail === '') break;
      steps.push(name);
      await this.write(typed + CTRL_A);
      const { banner, before } = await this.#sawBanner(waitMs);
      // At a prompt nothing but its echo comes before the banner; else it is what the program had to say.
      if (steps.length > 1 || !banner) onOutput(before);
      if (!banner) continue;
      if (steps.length === 1 || (await this.#answeredAll())) return;
    }
    const heard = hear(this.#tail);
    throw new MicroPythonError('no-prompt', `no raw REPL; heard ${heard}`, {
      heard,
      tail: this.#tail,
      steps,
    });
  }

  /** Goes on after the transport had another listener; the board must still be in the raw REPL. */
  resume(signal: AbortSignal): void {
    this.#signal = signal;
    this.#inbox.attach();
  }

  /**
   * Back to the friendly prompt, for people and programs that listen. Returns what came behind the banner:
   * the prompt, which may be any text. A firmware that prints no banner is taken to be there all the same.
   */
  async leave(): Promise<Uint8Array> {
    await this.write(`\r${CTRL_B}`);
    await this.#transport.drain();
    const wait = { timeoutMs: LEAVE_MS, signal: this.#signal };
    await this.#inbox.until(FRIENDLY_BANNER_END, wait).catch(ignoreTimeout);
    const prompt = await this.#inbox.until(PROMPT, { ...wait, timeoutMs: PROMPT_MS }).catch(ignoreTimeout);
    return prompt ?? this.rest();
  }

  /** What came and was read by nobody. */
  rest(): Uint8Array {
    return this.#inbox.take();
  }

  /**
   * A fresh heap and boot.py, but not main.py: that is what a soft reset does in the raw REPL. A boot.py that does
   * not end in time is interrupted. Throws as `enter`.
   */
  async softReset({ timeoutMs, onOutput }: RunOptions): Promise<void> {
    const signal = this.#signal;
    await this.write(Uint8Array.of(END));
    await this.#inbox.until(SOFT_REBOOT, { timeoutMs: SOFT_REBOOT_MS, signal });
    const printed = await this.#inbox.until(BANNER, { timeoutMs, signal }).catch(ignoreTimeout);
    if (!printed) return this.enter();
    onOutput?.(printed.subarray(0, -BANNER.length));
    await this.expect('>');
  }

  /**
   * Runs code to its end.
   * Throws `MicroPythonError` 'python-error' with the traceback as `facts.text`, 'run-timeout' after
   * interrupting it, 'board-restarted', 'repl-confused'.
   */
  async run(source: string, options: RunOptions): Promise<void> {
    const raised = await this.begin(source).then(() => this.finish(options));
    if (raised) throw new MicroPythonError('python-error', raised, { text: raised });
  }

  /** Sends code and returns when it has begun to run (or was refused: `finish` then tells why). */
  async begin(source: string): Promise<void> {
    this.#tail = '';
    this.#paste = await sendSource(this, source, this.#paste);
  }

  /** Waits for the end of the code that was begun; returns its traceback, empty when it raised nothing. */
  async finish(options: RunOptions): Promise<string> {
    const deadline = performance.now() + options.timeoutMs;
    try {
      await this.#copyUntilEnd(deadline, options.onOutput ?? ignore);
    } catch (error) {
      if (!(error instanceof PortError) || error.code !== 'read-timeout') throw error;
      const interrupted = await this.#interruptRun();
      const facts = { timeoutMs: options.timeoutMs, interrupted };
      throw new MicroPythonError('run-timeout', `the code did not end within ${options.timeoutMs} ms`, facts);
    }
    const raised: Uint8Array[] = [];
    await this.#copyUntilEnd(Math.max(deadline, performance.now() + 2000), (bytes) => raised.push(bytes));
    await this.expect('>');
    return Buffer.concat(raised).toString('utf8');
  }

  // What sending source is made of.

  async write(data: string | Uint8Array): Promise<void> {
    await this.#transport.write(typeof data === 'string' ? Buffer.from(data, 'utf8') : data);
  }

  /** Exactly `length` bytes within two seconds. */
  async read(length: number): Promise<Uint8Array> {
    return this.#inbox.read(length, { timeoutMs: 2000, signal: this.#signal });
  }

  /** What has come, at most up to the next end mark (which is taken, not returned); waits for one byte. */
  async untilEnd(timeoutMs: number): Promise<{ bytes: Uint8Array; ended: boolean }> {
    const upToEnd = (unread: Uint8Array): number => {
      const end = unread.indexOf(END);
      return end < 0 ? unread.length || -1 : end + 1;
    };
    const bytes = await this.#inbox.until(upToEnd, { timeoutMs, signal: this.#signal });
    const ended = bytes.at(-1) === END;
    this.#keepTail(bytes);
    return { bytes: ended ? bytes.subarray(0, -1) : bytes, ended };
  }

  /** Takes and counts the bytes of this value that come first; 0 when something else does. */
  async countLeading(value: number, timeoutMs: number): Promise<number> {
    const run = (unread: Uint8Array): number => {
      const other = unread.findIndex((byte) => byte !== value);
      return other < 0 ? unread.length || -1 : other;
    };
    return (await this.#inbox.until(run, { timeoutMs, signal: this.#signal })).length;
  }

  /** Reads what must come now. */
  async expect(text: string): Promise<void> {
    const found = Buffer.from(await this.read(text.length)).toString('latin1');
    if (found !== text) {
      this.#tail += found;
      throw this.confused(text);
    }
  }

  confused(expected: string): MicroPythonError {
    const facts = { expected, tail: this.#tail };
    return new MicroPythonError('repl-confused', `the board did not answer with ${expected}`, facts);
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal });
  }

  async #sawBanner(waitMs: number): Promise<{ banner: boolean; before: Uint8Array }> {
    const wait = { timeoutMs: waitMs, signal: this.#signal };
    const found = await this.#inbox.until(BANNER, wait).catch(ignoreTimeout);
    const came = found ?? this.#inbox.take();
    this.#keepTail(came);
    if (!found) return { banner: false, before: came };
    await this.expect('>');
    return { banner: true, before: came.subarray(0, -BANNER.length) };
  }

  /**
   * A slow board answers every step in the end, and none of that may be taken for output: it prints a word
   * of ours, and what came before the word is old.
   */
  async #answeredAll(): Promise<boolean> {
    for (let attempt = 0; attempt < FENCES; attempt++) {
      const word = randomUUID();
      // What is typed while the board's input ring is still full is lost, perhaps in the middle.
      await this.write(`\r${CTRL_C}print('${word}')\x04`);
      try {
        const end = Buffer.from(`${word}\r\n\x04\x04>`);
        this.#keepTail(await this.#inbox.until(end, { timeoutMs: FENCE_MS, signal: this.#signal }));
        return true;
      } catch (error) {
        if (!(error instanceof PortError) || error.code !== 'read-timeout') throw error;
      }
    }
    return false;
  }

  async #copyUntilEnd(deadline: number, sink: (bytes: Uint8Array) => void): Promise<void> {
    for (;;) {
      const { bytes, ended } = await this.untilEnd(Math.max(1, deadline - performance.now()));
      if (bytes.length > 0) sink(bytes);
      if (ended) return;
      this.#refuseRestart();
    }
  }

  /** A board that restarted will never send the end of this run. */
  #refuseRestart(): void {
    if (!saysRestart(this.#tail)) return;
    const tail = this.#tail;
    throw new MicroPythonError('board-restarted', `the board restarted (${hear(tail)})`, {
      tail,
      heard: hear(tail),
    });
  }

  /** Ctrl-C, and the two ends of the interrupted run. */
  async #interruptRun(): Promise<boolean> {
    for (let attempt = 0; attempt < 3; attempt++) {
      await this.write(CTRL_C);
      try {
        const limit = performance.now() + 1000;
        await this.#copyUntilEnd(limit, ignore);
        await this.#copyUntilEnd(limit, ignore);
        await this.expect('>');
        return true;
      } catch (error) {
        if (!(error instanceof PortError) || error.code !== 'read-timeout') throw error;
      }
    }
    return false;
  }

  #keepTail(bytes: Uint8Array): void {
    this.#tail = (this.#tail + Buffer.from(bytes).toString('latin1')).slice(-MAX_TAIL);
  }
}
