/**
 * Getting hold of the interpreter, whatever it is doing: an escalation of steps, each with its own time, that ends
 * with the raw REPL's banner and never by a prompt, which can be any text (`sys.ps1`).
 */
import { randomUUID } from 'node:crypto';
import type { Inbox } from '../transport/inbox.ts';
import type { Transport } from '../transport/transport.ts';
import { hear, isLooping } from './boot.ts';
import type { Heard } from './boot.ts';
import { MicroPythonError } from './errors.ts';
import { ignoreTimeout } from './ignore-timeout.ts';

const CTRL_A = '\x01';
const CTRL_B = '\x02';
const CTRL_C = '\x03';

export const RAW_BANNER = Buffer.from('raw REPL; CTRL-B to exit\r\n');
/** With the prompt behind it. */
const BANNER = Buffer.concat([RAW_BANNER, Buffer.from('>')]);
const MAX_TAIL = 2000;
/** What a board says that was at its prompt, and answers late. */
const PROMPTS = /^(?:[\s>]|raw REPL; CTRL-B to exit)*$/;

/** One try: what is typed before the raw REPL is asked for, and how long to wait. */
interface EntryStep {
  name: string;
  typed: string;
  waitMs: number;
  /** Only worth it where the board says anything at all. */
  ifHeard?: boolean;
}

/** What comes before the banner of a board that was at its empty prompt, or in the raw REPL. */
const ECHO = /^(?:(?:\r\n>>> )?\r\n)?$/;

/** A board that boots may take its time over all that was typed before. */
const FENCES = 4;
const FENCE_MS = 800;

/** What the scripts of an upload wait for in one piece: where a transfer was cut off, it ends by them. */
const TRANSFER_STEP = 64;

/**
 * A running program may catch one interrupt, sleep, or be in the middle of printing; so they are repeated
 * with growing pauses, and in such a number that one falls into the handler of another. `\r` first: it ends
 * what a person had begun to type.
 */
const ASK: EntryStep = { name: 'ask', typed: '\r', waitMs: 150 };
const INTERRUPTS: readonly EntryStep[] = [
  { name: 'interrupt', typed: `\r${CTRL_C}${CTRL_C}`, waitMs: 300 },
  { name: 'end-transfer', typed: `\r${CTRL_C.repeat(TRANSFER_STEP)}`, waitMs: 500 },
  { name: 'interrupt-repeatedly', typed: `${CTRL_C.repeat(200)}\r${CTRL_C}`, waitMs: 1500 },
  { name: 'interrupt-again', typed: `\r${CTRL_C}${CTRL_C}`, waitMs: 3000 },
  // The raw REPL is there, but timers or threads of the program talk on: they end, and main.py does not run.
  { name: 'soft-reset', typed: `\r${CTRL_C}${CTRL_A}${CTRL_C}\x04`, waitMs: 1500, ifHeard: true },
  // A board that boots hears all this only when it is up.
  { name: 'wait-for-boot', typed: '\r', waitMs: 6000, ifHeard: true },
];

/** Asks without a word that a program would take for a line: Ctrl-A alone is seen by an empty prompt only. */
const ASK_SOFTLY: EntryStep = { name: 'ask', typed: '', waitMs: 300 };

/** How long resets are tried: at least four of them. */
const WINDOW_MS = 20_000;
/** From a reset to the first line of Python: 0.7 to 2 s are silent. The first is given more, for slow boards. */
const FIRST_BOOT_MS = 8000;
const BOOT_MS = 4000;
/**
 * One Ctrl-C at a time, and the line rests between: the firmware's UART looks at what came when the line has rested for
 * a byte, or only at 120 bytes, which are one interrupt then (`uart_irq_handler` of ports/esp32).
 */
const TRAIN_STEP_MS = 1;
const ASK_EVERY_MS = 100;
/** Whatever main.py does: no reset brings a board to its prompt that says this. */
const HOPELESS: readonly Heard[] = ['brown-out', 'boot-loop', 'loader'];

export interface EnterOptions {
  /** `false`: a running program is left alone, and the error is 'program-running'. Default `true`. */
  interrupt?: boolean | undefined;
  /** `false`: something else than a prompt was heard last, so where nothing may be interrupted nothing is typed. */
  mayBeAtPrompt?: boolean;
  /** What a running program printed until it was interrupted. */
  onOutput?: (bytes: Uint8Array) => void;
  /** Hears of each step as it begins, past the first: 'interrupt', …, 'hard-reset'. */
  onStep?: ((name: string) => void) | undefined;
  /** The last step: restarts the chip; `false` where it cannot. Absent: the board is not restarted. */
  hardReset?: () => Promise<boolean>;
  /** Milliseconds in which the restarted board must come to its prompt; default 20 s. */
  windowMs?: number | undefined;
}

/** The wire as entering needs it. */
export interface EntryWire {
  transport: Transport;
  inbox: Inbox;
  signal: AbortSignal;
}

export class Entry {
  readonly #wire: EntryWire;
  readonly #options: EnterOptions;
  readonly #steps: string[] = [];
  /** The last text that came: evidence. */
  #tail = '';

  constructor(wire: EntryWire, options: EnterOptions) {
    this.#wire = wire;
    this.#options = options;
  }

  /**
   * Returns when the raw REPL waits for code. Throws `MicroPythonError` 'no-prompt' telling what was heard,
   * 'program-running' where it must not be interrupted, `PortError`, or the abort's reason.
   */
  async enter(): Promise<void> {
    if (this.#options.interrupt === false) return this.#askSoftly();
    if (await this.#answers(ASK)) return;
    for (const step of INTERRUPTS) {
      if (step.ifHeard && this.#tail === '') break;
      if ((await this.#answers(step)) && (await this.#answeredAll())) return;
      if (this.#isHopeless()) break;
    }
    return this.enterByReset();
  }

  /** Whether more was typed than a question, which a board at its prompt answers. */
  get hasPressed(): boolean {
    return this.#steps.length > 1;
  }

  /** Whether a program ran until it was interrupted here; one that is says so, or MicroPython does as it ends. */
  get hasInterrupted(): boolean {
    return this.hasPressed && (this.#steps.includes('hard-reset') || !PROMPTS.test(this.#tail));
  }

  /** Restarts the chip at once, and keeps it from its main.py. Throws 'no-prompt'. */
  async enterByReset(): Promise<void> {
    if (await this.#answersAfterReset()) return;
    const heard = hear(this.#tail);
    const facts = { heard, tail: this.#tail, steps: this.#steps };
    throw new MicroPythonError('no-prompt', `no raw REPL; heard ${heard}`, facts);
  }

  async #askSoftly(): Promise<void> {
    const before = this.#options.mayBeAtPrompt === false ? undefined : await this.#ask(ASK_SOFTLY);
    if (before !== undefined && ECHO.test(before)) return;
    // A program that ends later must not find the raw REPL asked for.
    if (this.#options.mayBeAtPrompt !== false) await this.#type(CTRL_B);
    throw new MicroPythonError('program-running', 'a program runs', { tail: this.#tail });
  }

  /** At a prompt nothing but its echo comes before the banner; else it may be anybody's talk, and a fence is needed. */
  async #answers(step: EntryStep): Promise<boolean> {
    const before = await this.#ask(step);
    if (before === undefined) return false;
    return ECHO.test(before) || (await this.#answeredAll());
  }

  /** What came before the raw REPL's banner; `undefined` where it does not come. */
  async #ask({ name, typed, waitMs }: EntryStep): Promise<string | undefined> {
    const { inbox, signal } = this.#wire;
    this.#begin(name);
    await this.#type(typed + CTRL_A);
    const found = await inbox.until(BANNER, { timeoutMs: waitMs, signal }).catch(ignoreTimeout);
    const bytes = found?.subarray(0, -BANNER.length) ?? inbox.take();
    const before = Buffer.from(bytes).toString('latin1');
    if (!found || !ECHO.test(before)) this.#hear(bytes);
    return found && before;
  }

  #begin(name: string): void {
    this.#steps.push(name);
    if (this.#steps.length > 1) this.#options.onStep?.(name);
  }

  /**
   * A slow board answers every step in the end, and none of that may be taken for output: it prints a word
   * of ours, and what came before the word is old.
   */
  async #answeredAll(): Promise<boolean> {
    const { inbox, signal } = this.#wire;
    for (let attempt = 0; attempt < FENCES; attempt++) {
      const word = randomUUID();
      // What is typed while the board's input ring is still full is lost, perhaps in the middle.
      await this.#type(`\r${CTRL_C}print('${word}')\x04`);
      const end = Buffer.from(`${word}\r\n\x04\x04>`);
      if (await inbox.until(end, { timeoutMs: FENCE_MS, signal }).catch(ignoreTimeout)) return true;
    }
    return false;
  }

  /**
   * Ctrl-C all the time from the reset on: whenever boot.py or main.py begins, one is there. MicroPython looks at it in
   * loops, calls and sleeps; a main.py that sleeps or restarts in its very first lines leaves hardly a moment for that,
   * so it is tried more than once.
   */
  async #answersAfterReset(): Promise<boolean> {
    const { hardReset, windowMs = WINDOW_MS } = this.#options;
    if (!hardReset) return false;
    this.#begin('hard-reset');
    const until = performance.now() + windowMs;
    let bootMs = FIRST_BOOT_MS;
    do {
      this.#tail = '';
      if (!(await hardReset())) return false;
      if ((await this.#train(bootMs)) && (await this.#answeredAll())) return true;
      bootMs = BOOT_MS;
    } while (performance.now() < until && !HOPELESS.includes(hear(this.#tail)));
    return false;
  }

  /** Interrupts, and asks for the raw REPL now and then: whatever ends a program, it is entered at once. */
  async #train(forMs: number): Promise<boolean> {
    const { inbox, signal } = this.#wire;
    const until = performance.now() + forMs;
    let askAt = 0;
    for (let now = performance.now(); now < until && !this.#isHopeless(); now = performance.now()) {
      await this.#type(now < askAt ? CTRL_C : `\r${CTRL_A}`);
      if (now >= askAt) askAt = now + ASK_EVERY_MS;
      const bytes = await inbox.some({ timeoutMs: TRAIN_STEP_MS, signal }).catch(ignoreTimeout);
      if (bytes) this.#hear(bytes);
      if (this.#tail.includes(BANNER.toString())) return true;
    }
    return false;
  }

  /** Once may be of a start that is over. */
  #isHopeless(): boolean {
    return HOPELESS.includes(hear(this.#tail)) && isLooping(this.#tail);
  }

  #hear(bytes: Uint8Array): void {
    this.#tail = (this.#tail + Buffer.from(bytes).toString('latin1')).slice(-MAX_TAIL);
    if (bytes.length > 0) this.#options.onOutput?.(bytes);
  }

  async #type(text: string): Promise<void> {
    await this.#wire.transport.write(Buffer.from(text, 'latin1'), this.#wire.signal);
  }
}
