/**
 * NOR flash as a chip has it: erased bytes are FF, programming only clears bits, erasing works on
 * whole 4 KB sectors. The bytes lie in shared memory so that the interpreter's thread keeps its
 * files in the very flash that the loader erases.
 */

export const SECTOR_SIZE = 4096;

export class NorFlash {
  readonly memory: SharedArrayBuffer;
  readonly bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.bytes = new Uint8Array(memory);
  }

  static blank(size: number): NorFlash {
    const flash = new NorFlash(new SharedArrayBuffer(size));
    flash.bytes.fill(0xff);
    return flash;
  }

  get size(): number {
    return this.bytes.length;
  }

  /** A copy of what lies there; past the end the address wraps as on the bus. */
  read(offset: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const at = (offset + done) % this.size;
      const run = Math.min(length - done, this.size - at);
      out.set(this.bytes.subarray(at, at + run), done);
      done += run;
    }
    return out;
  }

  /** Clears bits; a bit that is 0 stays 0 until its sector is erased. */
  program(offset: number, data: Uint8Array): void {
    for (let i = 0; i < data.length; i++) {
      const at = (offset + i) % this.size;
      this.bytes[at] = (this.bytes[at] ?? 0xff) & (data[i] ?? 0xff);
    }
  }

  /** Erases the whole sectors that the range touches. */
  erase(offset: number, length: number): void {
    const start = offset - (offset % SECTOR_SIZE);
    const end = Math.ceil((offset + length) / SECTOR_SIZE) * SECTOR_SIZE;
    this.bytes.fill(0xff, start, Math.min(end, this.size));
  }
}
