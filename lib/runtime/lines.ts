/** Whole lines out of bytes, however the wire cut them; a character is never broken. */

/** Characters after which a line is handed on without its end: nobody sends such lines on purpose. */
const MAX_LINE = 64 * 1024;
/** Prompts wait for input, nothing ends their line; so what a timer or thread prints stands behind them. */
const PROMPTS = /^(?:>>> |\.\.\. |=== )+/;

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
    for (const line of lines) this.#hand(line.replace(/\r$/, ''));
    while (this.#rest.length > MAX_LINE) {
      const end = lengthOf(this.#rest, MAX_LINE);
      this.#hand(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end);
    }
  }

  /** What comes next has nothing to do with what came: an unfinished line is handed on, a prompt is dropped. */
  cut(): void {
    const rest = this.#rest + this.#decoder.decode();
    this.#decoder = new TextDecoder();
    this.#rest = '';
    if (rest !== '') this.#hand(rest);
  }

  /** Without the prompts before it; a prompt alone is nobody's line. */
  #hand(line: string): void {
    const said = line.replace(PROMPTS, '');
    if (said !== '' || line === '') this.#onLine(said);
  }
}

/** `most`, or one less where that would cut a character of two units. */
function lengthOf(text: string, most: number): number {
  return /[\uD800-\uDBFF]/.test(text[most - 1] ?? '') ? most - 1 : most;
}
