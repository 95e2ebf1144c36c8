/**
 * Feeds the interpreter's own REPL byte by byte, and adds what it lacks: raw paste mode, which it
 * would read from a stdin that it does not have.
 */
import { earlyError } from './early-error.ts';
import type { Stdio } from './stdio.ts';

const CTRL_A = 1;
const CTRL_C = 3;
const CTRL_D = 4;
const CTRL_E = 5;
const RAW_PASTE = 'A'.charCodeAt(0);
/** Half of the 256 bytes that the port says its stdin takes. */
const WINDOW = 128;

const RAW_BANNER = 'raw REPL; CTRL-B to exit\r\n';
const WASM_MACHINE = '; JS with Emscripten';

export interface ReplParts {
  stdio: Stdio;
  machine: string;
  rawPaste: boolean;
  /** Banner and prompt. */
  start: () => void;
  /** One byte to the interpreter; true when it wants a soft reset. */
  process: (byte: number) => boolean;
  /** Between two commands. */
  idle: () => void;
  /** The error of parsing this source, if it has one. */
  parse: (source: string) => string | undefined;
}

export class Repl {
  readonly #parts: ReplParts;
  /** What the interpreter has in its raw line: only its beginning matters. */
  #line: number[] = [];
  #isRaw = false;
  #swallow: string | undefined;

  constructor(parts: ReplParts) {
    this.#parts = parts;
    parts.stdio.filterConsole((chunk) => this.#filter(chunk));
  }

  get isRaw(): boolean {
    return this.#isRaw;
  }

  /** Returns when the user wants a soft reset. */
  run(): void {
    const { stdio, start, process, idle } = this.#parts;
    this.#line = [];
    // Ctrl-B sets off the banner with a new line before it; a start does not.
    if (!this.#isRaw) this.#swallow = '\r\n';
    start();
    idle();
    for (;;) {
      const byte = stdio.receive();
      if (this.#isRaw && byte === CTRL_A && this.#asksForRawPaste()) {
        // The interpreter would start to read: it forgets the request.
        process(CTRL_C);
        this.#line = [];
        if (this.#parts.rawPaste) {
          if (this.#paste()) return;
          continue;
        }
      }
      if (byte <= CTRL_D) this.#line = [];
      else if (this.#line.length < 3) this.#line.push(byte);
      if (process(byte)) return;
      if (byte <= CTRL_D || byte === 13) idle();
    }
  }

  #asksForRawPaste(): boolean {
    return this.#line.length === 2 && this.#line[0] === CTRL_E && this.#line[1] === RAW_PASTE;
  }

  /** The mode is what the interpreter says it is. */
  #filter(chunk: string): string | undefined {
    if (chunk === this.#swallow) {
      this.#swallow = undefined;
      return '';
    }
    if (chunk === RAW_BANNER) this.#isRaw = true;
    else if (chunk === WASM_MACHINE) {
      this.#isRaw = false;
      return `; ${this.#parts.machine}`;
    }
    return undefined;
  }

  #paste(): boolean {
    const { stdio, process, idle } = this.#parts;
    stdio.send(Uint8Array.of(0x52, 0x01, WINDOW & 0xff, WINDOW >> 8, 0x01));
    const code: number[] = [];
    let end: number;
    for (;;) {
      end = stdio.receive();
      if (end === CTRL_C || end === CTRL_D) break;
      code.push(end);
      if (code.length % WINDOW === 0) {
        // Real firmware parses as it reads and says at once when it cannot go on.
        // Here it parses at every doubling, which finds the same errors a little later.
        if (Number.isInteger(Math.log2(code.length / WINDOW)) && earlyError(code, this.#parts.parse)) break;
        stdio.send(Uint8Array.of(0x01));
      }
    }
    stdio.send(Uint8Array.of(CTRL_D));
    if (end === CTRL_C) {
      stdio.send('\x04KeyboardInterrupt: \r\n\x04>');
      return false;
    }
    while (end !== CTRL_D && end !== CTRL_C) end = stdio.receive();
    this.#swallow = 'OK';
    for (const byte of sourceForRawLine(code)) process(byte);
    const reset = process(CTRL_D);
    idle();
    return reset;
  }
}

/** The raw REPL takes bytes 1 to 4 as commands and an empty line as a soft reset; raw paste does not. */
function sourceForRawLine(code: number[]): Uint8Array {
  if (code.length === 0) return Buffer.from('\n');
  if (!code.some((byte) => byte >= CTRL_A && byte <= CTRL_D)) return Uint8Array.from(code);
  const escaped = code.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return Buffer.from(`exec(b'${escaped}')`);
}
