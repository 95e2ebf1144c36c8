/** Inflates a stream block by block into chunks of one dictionary (32 KB), as ROM and stub do. */

import { Inflate } from 'pako';

export class InflateStream {
  readonly #inflate = new Inflate({ chunkSize: 0x8000 });
  #chunks: Uint8Array[] = [];
  #ended = false;

  constructor() {
    this.#inflate.onData = (chunk) => {
      this.#chunks.push(chunk);
    };
  }

  /** What became ready with this block; `undefined` when the stream is damaged. */
  push(block: Uint8Array): Uint8Array[] | undefined {
    // Bytes behind the end of the stream are ignored.
    if (this.#ended) return [];
    this.#inflate.push(block, false);
    if (this.#inflate.err) return undefined;
    this.#ended = (this.#inflate as unknown as { ended: boolean }).ended;
    const ready = this.#chunks;
    this.#chunks = [];
    return ready;
  }
}
