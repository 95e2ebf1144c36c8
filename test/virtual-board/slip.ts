/**
 * SLIP as the loaders speak it (RFC 1055): C0 ends a frame, C0 and DB inside are DB DC and DB DD.
 * The board has its own, so that a mistake in the client's is not made twice.
 */

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

export function slipEncode(frame: Uint8Array): Uint8Array {
  const out = new Uint8Array(frame.length * 2 + 2);
  let length = 0;
  out[length++] = END;
  for (const byte of frame) {
    if (byte === END || byte === ESC) {
      out[length++] = ESC;
      out[length++] = byte === END ? ESC_END : ESC_ESC;
    } else {
      out[length++] = byte;
    }
  }
  out[length++] = END;
  return out.slice(0, length);
}

/**
 * Takes frames out of a byte stream. Bytes outside C0…C0 are skipped. A frame that grows beyond
 * `capacity` or holds a wrong escape is dropped as a whole: the receiver of the chip does not know
 * what was in it and says nothing.
 *
 * Two C0 in a row: the ROM takes the second as the start of a frame, the stub as an end and waits for
 * a third (so a stray C0 puts it out of step until another comes).
 */
export class SlipReader {
  readonly #buffer: Uint8Array;
  #length = 0;
  #state: 'outside' | 'inside' | 'escape' = 'outside';

  readonly #emptyFrameEnds: boolean;

  constructor(capacity: number, emptyFrameEnds = false) {
    this.#buffer = new Uint8Array(capacity);
    this.#emptyFrameEnds = emptyFrameEnds;
  }

  /** Feeds one byte; returns a frame when this byte ended one. */
  take(byte: number): Uint8Array | undefined {
    switch (this.#state) {
      case 'outside':
        if (byte === END) this.#enter('inside');
        return undefined;
      case 'escape':
        if (byte === ESC_END) this.#put(END);
        else if (byte === ESC_ESC) this.#put(ESC);
        else this.#enter('outside');
        return undefined;
      case 'inside':
        if (byte === ESC) {
          this.#state = 'escape';
        } else if (byte !== END) {
          this.#put(byte);
        } else if (this.#length > 0) {
          const frame = this.#buffer.slice(0, this.#length);
          this.#enter('outside');
          return frame;
        } else if (this.#emptyFrameEnds) {
          this.#enter('outside');
        }
        return undefined;
    }
  }

  #put(byte: number): void {
    if (this.#length >= this.#buffer.length) {
      this.#enter('outside');
      return;
    }
    this.#buffer[this.#length++] = byte;
    this.#state = 'inside';
  }

  #enter(state: 'outside' | 'inside'): void {
    this.#state = state;
    this.#length = 0;
  }
}
