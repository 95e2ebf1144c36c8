/** Reading an open port of this machine. */
import { read } from 'node:fs';
import { promisify } from 'node:util';
import type { PollerLike, SerialHandle } from './serial-binding.ts';

const readDescriptor = promisify(read);

/** What a read says that found nothing. */
const NOTHING_YET = new Set(['EAGAIN', 'EWOULDBLOCK', 'EINTR']);

/**
 * Waits for bytes and puts them into the buffer; returns how many. Throws when the port is closed or gone.
 *
 * On Unix the library's own read (bindings-cpp 13) is not used: a device that is unplugged while it reads gives no
 * bytes and no error, as a hung-up terminal does, and the library then reads again, for ever and at full speed.
 */
export async function readPort(handle: SerialHandle, buffer: Buffer): Promise<number> {
  const { poller } = handle;
  if (!poller) return (await handle.read(buffer, 0, buffer.length)).bytesRead;
  for (;;) {
    try {
      const { bytesRead } = await readDescriptor(descriptor(handle), buffer, 0, buffer.length, null);
      if (bytesRead === 0) throw new Error('it has hung up');
      return bytesRead;
    } catch (error) {
      if (!NOTHING_YET.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
    // It may have been closed meanwhile, and a poller that is destroyed must not be asked.
    descriptor(handle);
    await readable(poller);
  }
}

function descriptor({ fd }: SerialHandle): number {
  if (typeof fd !== 'number') throw new Error('the port is closed');
  return fd;
}

function readable(poller: PollerLike): Promise<void> {
  return new Promise((resolve, reject) => {
    poller.once('readable', (error) => (error ? reject(error) : resolve()));
  });
}
