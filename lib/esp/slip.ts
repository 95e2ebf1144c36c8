/**
 * SLIP as the Espressif loaders speak it (RFC 1055; every frame both begins and ends with C0).
 * One pass over the bytes each way: a decoder that joins buffers byte by byte takes 200 times as long.
 */

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** A longer frame is no answer of any loader; the bytes are given up as noise. */
const MAX_FRAME = 0x20000;

/** Wraps a payload into one frame. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  let escapes = 0;
  for (const byte of payload) if (byte === END || byte === ESC) escapes++;
  const frame = new Uint8Array(payload.length + escapes + 2);
  let at = 0;
  frame[at++] = END;
  for (const byte of payload) {
    if (byte === END) {
      frame[at++] = ESC;
      frame[at++] = ESC_END;
    } else if (byte === ESC) {
      frame[at++] = ESC;
      frame[at++] = ESC_ESC;
    } else {
      frame[at++] = byte;
    }
  }
  frame[at] = END;
  return frame;
}

/**
 * Takes bytes in any portions and yields whole frames. Text between frames (boot log, panic output) is
 * handed to `noise`, as it tells why no answer came. A broken escape drops its frame.
 */
export class FrameDecoder {
  #buffer = new Uint8Array(1024);
  #length = 0;
  #inFrame = false;
  #escaped = false;
  readonly #noise: (bytes: Uint8Array) => void;

  constructor(noise: (bytes: Uint8Array) => void = () => undefined) {
    this.#noise = noise;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let noiseStart = this.#inFrame ? -1 : 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (!this.#inFrame) {
        if (byte !== END) continue;
        if (i > noiseStart) this.#noise(chunk.subarray(noiseStart, i));
        this.#begin();
      } else if (byte === END) {
        // C0 C0 in a row is the end of noise that looked like a frame and the begin of a real one.
        if (this.#length === 0) continue;
        frames.push(this.#buffer.slice(0, this.#length));
        this.#inFrame = false;
        noiseStart = i + 1;
      } else if (!this.#accept(byte)) {
        this.#inFrame = false;
        noiseStart = i + 1;
      }
    }
    if (!this.#inFrame && noiseStart < chunk.length) this.#noise(chunk.subarray(noiseStart));
    return frames;
  }

  /** Forgets a frame that has begun. */
  reset(): void {
    this.#inFrame = false;
  }

  #begin(): void {
    this.#inFrame = true;
    this.#escaped = false;
    this.#length = 0;
  }

  #accept(byte: number): boolean {
    if (this.#escaped) {
      this.#escaped = false;
      if (byte === ESC_END) return this.#append(END);
      if (byte === ESC_ESC) return this.#append(ESC);
      return false;
    }
    if (byte === ESC) {
      this.#escaped = true;
      return true;
    }
    return this.#append(byte);
  }

  #append(byte: number): boolean {
    if (this.#length === MAX_FRAME) return false;
    if (this.#length === this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer[this.#length++] = byte;
    return true;
  }
}
