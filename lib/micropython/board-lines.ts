/**
 * What `board/packets.py` tells: lines, each of the byte 1e, a letter, facts, four hex digits of a CRC-32 and a line
 * end; and dots between them.
 */
import { crc32 } from 'node:zlib';

export interface BoardLine {
  letter: string;
  text: string;
}

const MARK = 0x1e;
const NEWLINE = 0x0a;
const DOT = 0x2e;
const LONGEST = 200;
const LINE = /^([A-Z])(.*)([0-9a-f]{4})\r?$/;

export class BoardLines {
  readonly #onLine: (line: BoardLine) => void;
  readonly #onDot: () => void;
  #held: number[] | undefined;

  /** Whatever is no line of the board's, or damaged, is passed over: logs of the firmware, output of threads. */
  constructor(onLine: (line: BoardLine) => void, onDot: () => void) {
    this.#onLine = onLine;
    this.#onDot = onDot;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === MARK) this.#held = [];
      else if (byte === NEWLINE) this.#end();
      else if (!this.#held && byte === DOT) this.#onDot();
      else if (this.#held && this.#held.push(byte) > LONGEST) this.#held = undefined;
    }
  }

  #end(): void {
    const [, letter, text, check] = LINE.exec(Buffer.from(this.#held ?? []).toString('latin1')) ?? [];
    this.#held = undefined;
    if (letter === undefined || text === undefined || check === undefined) return;
    if ((crc32(letter + text) & 0xffff) === parseInt(check, 16)) this.#onLine({ letter, text });
  }
}
