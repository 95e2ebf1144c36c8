/** Reading the flash through the stub: raw frames, each acknowledged with the count so far, then an MD5. */
import { EspError } from './errors.ts';
import type { Loader } from './loader.ts';
import { words } from './protocol.ts';
import { md5 } from './verify.ts';
import type { WriteProgress } from './write.ts';

const PACKET = 0x1000;
/** Packets the stub may send ahead of the acknowledgement; it keeps to fewer where it has no room. */
const IN_FLIGHT = 64;

/**
 * Reads a range. Throws `EspError` 'verify-failed' when what came is not what the chip sent.
 */
export async function readFlash(
  loader: Loader,
  offset: number,
  size: number,
  onProgress: (progress: WriteProgress) => void = () => undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  if (size === 0) return bytes;
  await loader.command('READ_FLASH', words(offset, size, PACKET, IN_FLIGHT));
  for (let done = 0; done < size;) {
    const packet = await loader.nextFrame('READ_FLASH');
    if (done + packet.length > size) {
      throw new EspError('bad-answer', 'more came than was asked for', { operation: 'READ_FLASH', hex: '' });
    }
    bytes.set(packet, done);
    done += packet.length;
    await loader.sendFrame(words(done));
    onProgress({ done, total: size });
  }
  const expected = Buffer.from(await loader.nextFrame('READ_FLASH')).toString('hex');
  const found = md5(bytes);
  if (found !== expected) {
    const facts = { offset, size, expected, found, blank: false };
    throw new EspError('verify-failed', 'what was read is not what the chip sent', facts);
  }
  return bytes;
}
