/**
 * Reading the flash, in pieces that are checked. Through the stub: raw frames, each acknowledged with the count so
 * far, then an MD5. By a mask ROM: 64 bytes a question, and its MD5 of the piece.
 */
import { hex } from '../errors/facts.ts';
import { EspError } from './errors.ts';
import { isLineFault } from './ladder.ts';
import type { Loader } from './loader.ts';
import { words } from './protocol.ts';
import { md5, regionMd5 } from './verify.ts';
import type { WriteProgress } from './write.ts';

const PACKET = 0x1000;
/** Packets the stub may send ahead of the acknowledgement; it keeps to fewer where it has no room. */
const IN_FLIGHT = 64;
/** Bytes that are checked, and read again when they arrived damaged. */
const PIECE = 0x40000;
/** A piece that arrived damaged is read again so many times. */
const ATTEMPTS = 4;
/** Bytes that a ROM gives at a time; its answer has room for so many also when fewer are asked for. */
const ROM_BLOCK = 64;

/**
 * Reads a range. Throws `EspError` 'verify-failed' when what comes is again and again not what the chip sent;
 * 'command-unsupported' where the ROM cannot read (ESP8266, Secure Download Mode).
 */
export async function readFlash(
  loader: Loader,
  offset: number,
  size: number,
  onProgress: (progress: WriteProgress) => void = () => undefined,
): Promise<Uint8Array> {
  return readOn(loader, offset, { bytes: new Uint8Array(size), done: 0 }, onProgress);
}

/** What is read of a range so far: another session goes on with it. */
export interface Copying {
  readonly bytes: Uint8Array;
  /** Bytes of them that have come, and were checked. */
  done: number;
}

/** Reads what is missing of the range at `offset`, and returns all of it. Throws as `readFlash`. */
export async function readOn(
  loader: Loader,
  offset: number,
  copying: Copying,
  onProgress: (progress: WriteProgress) => void,
): Promise<Uint8Array> {
  const { bytes } = copying;
  while (copying.done < bytes.length) {
    const at = copying.done;
    const piece = bytes.subarray(at, at + PIECE);
    const tell = (done: number): void => onProgress({ done: at + done, total: bytes.length });
    await readPiece(loader, offset + at, piece, tell);
    copying.done += piece.length;
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

/** A frame that is no acknowledgement makes the stub end the reading; one that has ended it already refuses it. */
async function endReading(loader: Loader): Promise<void> {
  await loader.drain();
  if (loader.mode.name === 'ROM') return;
  await loader.sendFrame(Uint8Array.of(0));
  await loader.drain();
}

async function readOnce(
  loader: Loader,
  offset: number,
  bytes: Uint8Array,
  onProgress: (done: number) => void,
): Promise<void> {
  const read = loader.mode.name === 'stub' ? readByStub : readByRom;
  const expected = await read(loader, offset, bytes, onProgress);
  const found = md5(bytes);
  if (found !== expected) {
    const facts = { offset: hex(offset), size: bytes.length, blank: false };
    throw new EspError('verify-failed', 'what was read is not what the chip sent', facts);
  }
}

/** Fills `bytes`; returns their MD5 as the chip has it. */
type Read = typeof readByStub;

async function readByStub(
  loader: Loader,
  offset: number,
  bytes: Uint8Array,
  onProgress: (done: number) => void,
): Promise<string> {
  const size = bytes.length;
  await loader.command('READ_FLASH', words(offset, size, PACKET, IN_FLIGHT));
  for (let done = 0; done < size;) {
    const packet = await loader.nextFrame('READ_FLASH');
    // A stub that has given up says so in short frames, and would answer each acknowledgement of one by another.
    if (packet.length !== Math.min(PACKET, size - done)) {
      const facts = { operation: 'READ_FLASH', hex: Buffer.from(packet.subarray(0, 32)).toString('hex') };
      throw new EspError('bad-answer', `a packet of ${packet.length} bytes came`, facts);
    }
    bytes.set(packet, done);
    done += packet.length;
    await loader.sendFrame(words(done));
    onProgress(done);
  }
  return Buffer.from(await loader.nextFrame('READ_FLASH')).toString('hex');
}

const readByRom: Read = async (loader, offset, bytes, onProgress) => {
  for (let done = 0; done < bytes.length; done += ROM_BLOCK) {
    loader.signal.throwIfAborted();
    const length = Math.min(ROM_BLOCK, bytes.length - done);
    const request = words(offset + done, length);
    const { result } = await loader.command('READ_FLASH_SLOW', request, { resultLength: ROM_BLOCK });
    bytes.set(result.subarray(0, length), done);
    onProgress(done + length);
  }
  return regionMd5(loader, offset, bytes.length);
};
