/**
 * What a board prints, as messages people can read: whole lines as they come, however the wire cut them, and
 * the begin of a line (a prompt, a progress dot) when nothing more came for a moment.
 */

const PATIENCE_MS = 250;

export class ConsoleText {
  readonly #send: (text: string) => void;
  /** Keeps a character apart that the wire cut in two. */
  readonly #decoder = new TextDecoder();
  #pending = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  push(bytes: Uint8Array): void {
    this.#pending += this.#decoder.decode(bytes, { stream: true });
    const end = this.#pending.lastIndexOf('\n') + 1;
    this.#emit(end);
    clearTimeout(this.#timer);
    if (this.#pending) this.#timer = setTimeout(() => this.#emit(this.#pending.length), PATIENCE_MS);
  }

  /** Sends what is left. */
  end(): void {
    clearTimeout(this.#timer);
    this.#pending += this.#decoder.decode();
    this.#emit(this.#pending.length);
  }

  #emit(length: number): void {
    if (length === 0) return;
    const text = this.#pending.slice(0, length);
    this.#pending = this.#pending.slice(length);
    this.#send(text.replaceAll('\r\n', '\n'));
  }
}
