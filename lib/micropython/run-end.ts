/**
 * Where a run ends in what the raw REPL sends: output, 04, traceback or nothing, 04, `>`. A program may print
 * 04 itself; so an end counts only if what follows it can be a traceback and a prompt.
 * Source: `parse_compile_execute` in MicroPython's `shared/runtime/pyexec.c`.
 */
const END = 0x04;
const PROMPT = '>';
/** In place of the prompt, where the code ended the interpreter: SystemExit, `machine.soft_reset()`. */
const SOFT_REBOOT = 'MPY: soft reboot\r\n';
/** Exceptions of no line of code, such as a Ctrl-C in the middle of a transfer, come without `Traceback`. */
const ERROR = /^(Traceback \(most recent call last\):|[A-Za-z_][\w.]*:[^\r\n]*\r\n$|$)/;
const BEGIN_OF_ERROR = /^(T[raceback]*( (\([^]*)?)?|[A-Za-z_][\w.]*(:[^\r\n]*\r?\n?)?)?$/;
const MAX_ERROR = 16 * 1024;

/** A line behind a program that prints a mark: one that has come to its end is told from one that left by SystemExit. */
export const LAST_LINE = '\nprint("\\x1e")';
const MARK = Buffer.from('\x1e\r\n');
/** Behind an end without a mark nothing comes for so long; else it was output. */
export const SETTLE_MS = 100;

export interface RunEndOptions {
  /** The program has the last line. */
  isMarked?: boolean | undefined;
}

export class RunEnd {
  readonly #onOutput: (bytes: Uint8Array) => void;
  readonly #isMarked: boolean;
  /** Bytes from an 04 on that may be the end. */
  #held: Buffer = Buffer.alloc(0);
  /** The last of the output, if it may be the mark. */
  #mark: Buffer = Buffer.alloc(0);
  /** How it ended; `undefined` as long as the code runs. `early`: without its last line, and without an exception. */
  ended: 'prompt' | 'soft-reset' | 'early' | undefined;
  /** Whether it looks like an end, unless more comes: then call `settle()` after `SETTLE_MS`. */
  isUnsure = false;
  /** The traceback, empty when nothing was raised. */
  raised = '';

  constructor(onOutput: (bytes: Uint8Array) => void, { isMarked = false }: RunEndOptions = {}) {
    this.#onOutput = onOutput;
    this.#isMarked = isMarked;
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
    const raised = this.#held.toString('utf8', 1, second < 0 ? undefined : second);
    if (second < 0) return raised.length <= MAX_ERROR && BEGIN_OF_ERROR.test(raised) ? 0 : this.#held.length;
    if (!ERROR.test(raised)) return second;
    const rest = this.#held.toString('latin1', second + 1, second + 1 + SOFT_REBOOT.length);
    if (rest === SOFT_REBOOT) this.#end('soft-reset', raised);
    else if (!rest.startsWith(PROMPT)) return SOFT_REBOOT.startsWith(rest) ? 0 : second;
    else if (!this.#isMarked || raised !== '' || this.#mark.equals(MARK)) this.#end('prompt', raised);
    else if (rest === PROMPT) this.isUnsure = true;
    else return second;
    return 0;
  }

  #end(how: Exclude<RunEnd['ended'], undefined>, raised: string): void {
    const isMark = this.#mark.equals(MARK);
    if (!isMark && this.#mark.length > 0) this.#onOutput(this.#mark);
    this.ended = how;
    this.raised = raised;
  }

  /** Hands on what is surely none of the mark. */
  #output(bytes: Buffer): void {
    if (!this.#isMarked) {
      this.#onOutput(bytes);
      return;
    }
    const all = this.#mark.length === 0 ? bytes : Buffer.concat([this.#mark, bytes]);
    let length = Math.min(MARK.length, all.length);
    while (!all.subarray(all.length - length).equals(MARK.subarray(0, length))) length--;
    this.#mark = Buffer.from(all.subarray(all.length - length));
    if (length < all.length) this.#onOutput(all.subarray(0, all.length - length));
  }

  #upTo(end: number): number {
    return end < 0 ? this.#held.length : end;
  }
}
