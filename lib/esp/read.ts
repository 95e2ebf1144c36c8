/** Reading the flash through the stub: raw frames, each acknowledged with the count so far, then an MD5. */
import { EspError } from './errors.ts';
import { isLineFault } from './ladder.ts';
import type { Loader } from './loader.ts';
import { words } from './protocol.ts';
import { md5 } from './verify.ts';
import type { WriteProgress } from './write.ts';

const PACKET = 0x1000;
/** Packets the stub may send ahead of the acknowledgement; it keeps to fewer where it has no room. */
const IN_FLIGHT = 64;
/** Bytes that are checked, and read again when they arrived damaged. */
const PIECE = 0x40000;
/** A piece that arrived damaged is read again so many times. */
const ATTEMPTS = 4;

/** Reads a range. Throws `EspError` 'verify-failed' when what comes is again and again not what the chip sent. */
export async function readFlash(
  loader: Loader,
  offset: number,
  size: number,
  onProgress: (progress: WriteProgress) => void = () => undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    await readPiece(loader, offset + at, piece, (done) => onProgress({ done: at + done, total: size }));
  }
  return bytes;
}

async function readPiece(
  loader: Loader,
  offset: number,
  piece: Uint8Array,
  onProgress: (done: number) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await readOnce(loader, offset, piece, onProgress);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !isLineFault(error)) throw error;
      await endReading(loader);
    }
  }
}

/** What is no acknowledgement ends the reading; a stub that had ended it refuses the odd command. */
async function endReading(loader: Loader): Promise<void> {
  await loader.drain();
  await loader.sendFrame(Uint8Array.of(0));
  await loader.drain();
}

async function readOnce(
  loader: Loader,
  offset: number,
  bytes: Uint8Array,
  onProgress: (done: number) => void,
): Promise<void> {
  const size = bytes.length;
  await loader.command('READ_FLASH', words(offset, size, PACKET, IN_FLIGHT));
  for (let done = 0; done < size;) {
    const packet = await loader.nextFrame('READ_FLASH');
    if (done + packet.length > size) {
      throw new EspError('bad-answer', 'more came than was asked for', { operation: 'READ_FLASH', hex: '' });
    }
    bytes.set(packet, done);
    done += packet.length;
    await loader.sendFrame(words(done));
    onProgress(done);
  }
  const expected = Buffer.from(await loader.nextFrame('READ_FLASH')).toString('hex');
  const found = md5(bytes);
  if (found !== expected) {
    const facts = { offset, size, expected, found, blank: false };
    throw new EspError('verify-failed', 'what was read is not what the chip sent', facts);
  }
}
