/** Whole lines out of bytes, however the wire cut them; a character is never broken. */

/** Characters after which a line is handed on without its end: nobody sends such lines on purpose. */
const MAX_LINE = 64 * 1024;
/** A prompt waits for input; nothing ends its line. */
const PROMPT = /^(>>> |\.\.\. |=== )+$/;

export class Lines {
  readonly #onLine: (line: string) => void;
  #decoder = new TextDecoder();
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line.replace(/\r$/, ''));
    while (this.#rest.length > MAX_LINE) {
      this.#onLine(this.#rest.slice(0, MAX_LINE));
      this.#rest = this.#rest.slice(MAX_LINE);
    }
  }

  /** What comes next has nothing to do with what came: an unfinished line is handed on, a prompt is dropped. */
  cut(): void {
    const rest = this.#rest + this.#decoder.decode();
    this.#decoder = new TextDecoder();
    this.#rest = '';
    if (rest !== '' && !PROMPT.test(rest)) this.#onLine(rest);
  }
}
