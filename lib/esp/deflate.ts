/** Compression for the wire, off the event loop: 16 boards at once would hold Node-RED for seconds. */
import { promisify } from 'node:util';
import { constants, deflate as deflateInPool } from 'node:zlib';

const inPool = promisify<Uint8Array, { level: number }, Buffer>(deflateInPool);

/** zlib format at level 9, as ROM and stub inflate it. */
export async function deflate(data: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const compressed = await inPool(data, { level: constants.Z_BEST_COMPRESSION });
  signal.throwIfAborted();
  return compressed;
}
