/**
 * Where a run ends in what the raw REPL sends: output, 04, traceback or nothing, 04, `>`. A program may print
 * 04 itself; so an end counts only if what follows it can be a traceback and a prompt.
 * Source: `parse_compile_execute` in MicroPython's `shared/runtime/pyexec.c`.
 */
const END = 0x04;
const PROMPT = '>';
/** In place of the prompt, where the code ended the interpreter: SystemExit, `machine.soft_reset()`. */
export const SOFT_REBOOT = 'MPY: soft reboot\r\n';
/** Exceptions of no line of code, such as a Ctrl-C in the middle of a transfer, come without `Traceback`. */
const ERROR = /^(Traceback \(most recent call last\):|[A-Za-z_][\w.]*:[^\r\n]*\r\n$|$)/;
const BEGIN_OF_ERROR = /^(T[raceback]*( (\([^]*)?)?|[A-Za-z_][\w.]*(:[^\r\n]*\r?\n?)?)?$/;
const MAX_ERROR = 16 * 1024;

/** Behind an end without a mark nothing comes for so long; else it was output. */
export const SETTLE_MS = 100;

export interface RunEndOptions {
  /** What the program's last line prints, see `lastLine`. */
  mark?: string | undefined;
}

/**
 * A line behind a program that prints a mark: one that has come to its end is told from one that left by SystemExit,
 * and from one that prints what an end looks like. One write, as timers and threads may print before and after it; the
 * program may have a `print` of its own.
 */
export function lastLine(mark: string): string {
  return `\n__import__("builtins").print("${mark}",end="")`;
}

export class RunEnd {
  readonly #onOutput: (bytes: Uint8Array) => void;
  readonly #mark: Buffer;
  /** Bytes from an 04 on that may be the end. */
  #held: Buffer = Buffer.alloc(0);
  /** The last of the output, if it may be the begin of the mark. */
  #begun: Buffer = Buffer.alloc(0);
  #hasMark = false;
  /** How it ended; `undefined` as long as the code runs. `early`: without its last line, and without an exception. */
  ended: 'prompt' | 'soft-reset' | 'early' | undefined;
  /** Whether it looks like an end, unless more comes: then call `settle()` after `SETTLE_MS`. */
  isUnsure = false;
  /** The traceback, empty when nothing was raised. */
  raised = '';

  constructor(onOutput: (bytes: Uint8Array) => void, { mark = '' }: RunEndOptions = {}) {
    this.#onOutput = onOutput;
    this.#mark = Buffer.from(mark);
    this.#hasMark = mark === '';
  }

  push(bytes: Uint8Array): void {
    this.isUnsure = false;
    this.#held =
      this.#held.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.#held, bytes]);
    while (this.#held.length > 0 && !this.ended) {
      const isOutput = this.#held[0] === END ? this.#lengthUnlessEnd() : this.#upTo(this.#held.indexOf(END));
      if (isOutput === 0) return;
      this.#output(this.#held.subarray(0, isOutput));
      this.#held = this.#held.subarray(isOutput);
    }
  }

  /** Nothing came behind what looks like an end. */
  settle(): void {
    if (this.isUnsure) this.#end('early', '');
  }

  /** The held bytes begin with 04: how many of them are output after all; 0 when they end the run or may do so. */
  #lengthUnlessEnd(): number {
    const second = this.#held.indexOf(END, 1);
    if (this.#hasMark && this.#mark.length > 0) return this.#endBehindMark(second);
    const raised = this.#held.toString('utf8', 1, second < 0 ? undefined : second);
    if (second < 0) return raised.length <= MAX_ERROR && BEGIN_OF_ERROR.test(raised) ? 0 : this.#held.length;
    if (!ERROR.test(raised)) return second;
    const rest = this.#held.toString('latin1', second + 1, second + 1 + SOFT_REBOOT.length);
    if (rest === SOFT_REBOOT) this.#end('soft-reset', raised);
    else if (!rest.startsWith(PROMPT)) return SOFT_REBOOT.startsWith(rest) ? 0 : second;
    else if (this.#hasMark || raised !== '') this.#end('prompt', raised);
    else if (rest === PROMPT) this.isUnsure = true;
    else return second;
    return 0;
  }

  /** The program has come to its end for sure: whatever else comes is a timer's or thread's. */
  #endBehindMark(second: number): 0 {
    const prompt = second < 0 ? -1 : this.#held.indexOf(PROMPT, second);
    if (prompt < 0) return 0;
    this.#say(this.#held.subarray(1, second));
    this.#say(this.#held.subarray(second + 1, prompt));
    this.#end('prompt', '');
    return 0;
  }

  #end(how: Exclude<RunEnd['ended'], undefined>, raised: string): void {
    this.#say(this.#begun);
    this.ended = how;
    this.raised = raised;
  }

  #say(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#onOutput(bytes);
  }

  /** Hands on what is surely nothing of the mark. */
  #output(bytes: Buffer): void {
    if (this.#hasMark) {
      this.#say(bytes);
      return;
    }
    const all = this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes]);
    const at = all.indexOf(this.#mark);
    this.#hasMark = at >= 0;
    const end = this.#hasMark ? at : all.length - this.#begunAtEndOf(all);
    this.#say(all.subarray(0, end));
    this.#begun = this.#hasMark ? Buffer.alloc(0) : Buffer.from(all.subarray(end));
    if (this.#hasMark) this.#say(all.subarray(at + this.#mark.length));
  }

  /** How many of the last bytes are the first of the mark. */
  #begunAtEndOf(bytes: Buffer): number {
    let length = Math.min(this.#mark.length - 1, bytes.length);
    while (!bytes.subarray(bytes.length - length).equals(this.#mark.subarray(0, length))) length--;
    return length;
  }

  #upTo(end: number): number {
    return end < 0 ? this.#held.length : end;
  }
}
