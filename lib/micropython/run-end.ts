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

export class RunEnd {
  readonly #onOutput: (bytes: Uint8Array) => void;
  /** Bytes from an 04 on that may be the end. */
  #held: Buffer = Buffer.alloc(0);
  /** How it ended; `undefined` as long as the code runs. */
  ended: 'prompt' | 'soft-reset' | undefined;
  /** The traceback, empty when nothing was raised. */
  raised = '';

  constructor(onOutput: (bytes: Uint8Array) => void) {
    this.#onOutput = onOutput;
  }

  push(bytes: Uint8Array): void {
    this.#held =
      this.#held.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.#held, bytes]);
    while (this.#held.length > 0 && !this.ended) {
      const isOutput = this.#held[0] === END ? this.#lengthUnlessEnd() : this.#upTo(this.#held.indexOf(END));
      if (isOutput === 0) return;
      this.#onOutput(this.#held.subarray(0, isOutput));
      this.#held = this.#held.subarray(isOutput);
    }
  }

  /** The held bytes begin with 04: how many of them are output after all; 0 when they end the run or may do so. */
  #lengthUnlessEnd(): number {
    const second = this.#held.indexOf(END, 1);
    const raised = this.#held.toString('utf8', 1, second < 0 ? undefined : second);
    if (second < 0) return raised.length <= MAX_ERROR && BEGIN_OF_ERROR.test(raised) ? 0 : this.#held.length;
    if (!ERROR.test(raised)) return second;
    const rest = this.#held.toString('latin1', second + 1, second + 1 + SOFT_REBOOT.length);
    if (rest.startsWith(PROMPT)) this.ended = 'prompt';
    else if (rest === SOFT_REBOOT) this.ended = 'soft-reset';
    else if (!SOFT_REBOOT.startsWith(rest)) return second;
    if (this.ended) this.raised = raised;
    return 0;
  }

  #upTo(end: number): number {
    return end < 0 ? this.#held.length : end;
  }
}
