/** Compression for the wire, in slices, so that the event loop of Node-RED is never held for long. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Deflate } from 'pako';
import { concat } from './protocol.ts';

/** One slice takes a few milliseconds at level 9. */
const SLICE = 16 * 1024;

/** zlib format at level 9, as ROM and stub inflate it. */
export async function deflate(data: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const stream = new Deflate({ level: 9 });
  const parts: Uint8Array[] = [];
  stream.onData = (chunk: Uint8Array) => void parts.push(chunk);
  for (let at = 0, last = false; !last; at += SLICE) {
    signal.throwIfAborted();
    last = at + SLICE >= data.length;
    stream.push(data.subarray(at, at + SLICE), last);
    await nextTurn();
  }
  return concat(...parts);
}
