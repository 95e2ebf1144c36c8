/** What is known of the interpreter behind a port since it was opened; on a port opened anew there may be another. */
import type { PasteSupport } from './send-source.ts';

const FRIENDLY = '>>> ';
const MAX_TAIL = 200;
/** From a reset to the first word of Python, at most. */
const START_MS = 3000;

/** See `upload.ts`; the best first. */
export type UploadWay = 'packed' | 'plain' | 'pieces';

export class Link {
  /** Learned at the first code sent: whether this firmware takes raw paste. */
  paste: PasteSupport = 'unknown';
  /** Its friendly prompt, which `sys.ps1` may have changed; learned whenever the raw REPL is left. */
  prompt = FRIENDLY;
  /** How files come to this firmware: the first of the ways that it has the modules for. */
  uploadWay: UploadWay = 'packed';
  /** The shortest time from a byte to the first of its answer, in milliseconds; Infinity until there was one. */
  roundTripMs = Infinity;
  #tail = '';
  readonly #since = performance.now();

  /** What programs and the friendly prompt say, in any portions. */
  hear(bytes: Uint8Array): void {
    this.#tail = (this.#tail + Buffer.from(bytes).toString('latin1')).slice(-MAX_TAIL);
  }

  /** Whether the last that was heard is a prompt, or nothing was heard yet. */
  get mayBeAtPrompt(): boolean {
    return this.#tail === '' || [this.prompt, FRIENDLY].some((prompt) => this.#tail.endsWith(prompt));
  }

  /** Whether the board may be on its way up: out of its mask ROM, or behind a port just opened, and silent. */
  get isStarting(): boolean {
    if (this.#tail === '') return performance.now() < this.#since + START_MS;
    return /entry 0x[0-9a-f]+\r\n$/.test(this.#tail);
  }
}
