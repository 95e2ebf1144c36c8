/** Parts the line with a script's result, the last one with the mark, from what was printed before it. */
import { MicroPythonError } from './errors.ts';

const MARK = 0x1e;

export class ResultLine {
  readonly #onOutput: (bytes: Uint8Array) => void;
  /** From the last mark on. */
  #held: Buffer[] = [];

  /** `onOutput` hears at once what is no result. */
  constructor(onOutput: (bytes: Uint8Array) => void = () => undefined) {
    this.#onOutput = onOutput;
  }

  push(bytes: Uint8Array): void {
    const at = bytes.lastIndexOf(MARK);
    if (at < 0) {
      if (this.#held.length > 0) this.#held.push(Buffer.from(bytes));
      else this.#onOutput(bytes);
      return;
    }
    // What was held was no result after all.
    for (const before of [...this.#held, bytes.subarray(0, at)])
      if (before.length > 0) this.#onOutput(before);
    this.#held = [Buffer.from(bytes.subarray(at))];
  }

  /**
   * The result; `undefined` when the script did not get so far. Throws 'repl-confused' where something else printed in
   * the middle of it: a thread, an interrupt.
   */
  end(): unknown {
    const text = Buffer.concat(this.#held).toString('utf8', 1);
    if (text === '') return undefined;
    try {
      return JSON.parse(text.split('\r\n')[0] ?? '') as unknown;
    } catch {
      throw new MicroPythonError('repl-confused', 'the result is broken', {
        expected: 'a value',
        tail: text,
      });
    }
  }
}
