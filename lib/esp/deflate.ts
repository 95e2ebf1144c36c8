/** Compression for the wire, in slices, so that the event loop of Node-RED is never held for long. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Deflate, Inflate } from 'pako';
import { concat } from './protocol.ts';

/**
 * Half a millisecond of work at level 9. Sixteen boards flashed at once take their slices in the same turn of
 * the loop, in which the steps of a reset have to be on time.
 */
const SLICE = 2 * 1024;

/** zlib format at level 9, as ROM and stub inflate it. */
export async function deflate(data: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const stream = new Deflate({ level: 9 });
  const parts: Uint8Array[] = [];
  stream.onData = (chunk: Uint8Array) => void parts.push(chunk);
  for (let at = 0; at < data.length; at += SLICE) {
    signal.throwIfAborted();
    stream.push(data.subarray(at, at + SLICE), false);
    await nextTurn();
  }
  stream.push(new Uint8Array(0), true);
  return concat(...parts);
}

/** zlib's Z_SYNC_FLUSH: what a block unpacks to is handed out with that block. */
const SYNC_FLUSH = 2;

/** Counts what a loader makes of a compressed stream, block by block: a small one may unpack to very much. */
export function unpackedSizes(): (block: Uint8Array) => number {
  const stream = new Inflate();
  let size = 0;
  stream.onData = (chunk: Uint8Array) => void (size += chunk.length);
  return (block) => {
    size = 0;
    stream.push(block, SYNC_FLUSH);
    return size;
  };
}
