/**
 * What the wire and the flash chip need at the least for writing one region: the bar is measured against
 * physics, not against a program.
 */
import { Inflate } from 'pako';
import { dataBlock, encodeRequest, words } from '../../lib/esp/protocol.ts';
import type { Operation } from '../../lib/esp/protocol.ts';
import { encodeFrame } from '../../lib/esp/slip.ts';
import { DATASHEET } from '../../test/virtual-board/flash-chip.ts';

/** Start bit, eight data bits, stop bit. */
const BITS_PER_BYTE = 10;
const STUB_BLOCK = 0x4000;
const SECTOR = 0x1000;
const BLOCK_64K = 0x10000;
const PAGE = 256;
/** The stub writes what it has unpacked whenever its dictionary is full. */
const DICTIONARY = 0x8000;

const frameLength = (operation: Operation, body: Uint8Array): number =>
  encodeFrame(encodeRequest(operation, body)).length;

const msFor = (bytes: number, baudRate: number): number => (bytes * BITS_PER_BYTE * 1000) / baudRate;

export interface Physics {
  /** Milliseconds of the SLIP frames alone: begin, every block, end. */
  wireMs: number;
  /**
   * Milliseconds of erasing and programming that cannot happen while the wire is busy: the first erase, which
   * the answer to the begin waits for, the work on the last block, and in between what a block's work takes
   * longer than the next one's way.
   */
  flashBeyondMs: number;
}

/** For a region that held other data before, so that all of it has to be erased. */
export function physicsOf(offset: number, size: number, compressed: Uint8Array, baudRate: number): Physics {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < compressed.length; at += STUB_BLOCK)
    blocks.push(compressed.subarray(at, at + STUB_BLOCK));
  const begin = msFor(
    frameLength('FLASH_DEFL_BEGIN', words(size, blocks.length, STUB_BLOCK, offset, 0)),
    baudRate,
  );
  const end = msFor(frameLength('FLASH_DEFL_END', words(1)), baudRate);
  const ways = blocks.map((block, i) => msFor(frameLength('FLASH_DEFL_DATA', dataBlock(block, i)), baudRate));
  const wireMs = begin + end + ways.reduce((sum, ms) => sum + ms, 0);

  const eraser = new Eraser(offset, size);
  let now = begin + eraser.next();
  let flashFreeAt = now;
  let written = offset;
  const unpacked = unpackedSizes(blocks);
  for (const [i, way] of ways.entries()) {
    // The stub has taken over a block, and answers it, when it is done with the one before.
    now = Math.max(now + way, flashFreeAt);
    const length = unpacked[i] ?? 0;
    flashFreeAt = now + eraser.next() + eraser.upTo(written + length);
    flashFreeAt += Math.ceil(length / PAGE) * DATASHEET.pageProgramMs;
    written += length;
  }
  now = Math.max(now + end, flashFreeAt);
  return { wireMs, flashBeyondMs: now - wireMs };
}

/** The stub's order of erasing: 64 KB at a time where that fits, else a sector. */
class Eraser {
  #at: number;
  readonly #end: number;

  constructor(offset: number, size: number) {
    this.#at = offset;
    this.#end = Math.ceil((offset + size) / SECTOR) * SECTOR;
  }

  next(): number {
    if (this.#at >= this.#end) return 0;
    const whole = this.#at % BLOCK_64K === 0 && this.#end - this.#at >= BLOCK_64K;
    this.#at += whole ? BLOCK_64K : SECTOR;
    return whole ? DATASHEET.blockEraseMs : DATASHEET.sectorEraseMs;
  }

  upTo(end: number): number {
    let ms = 0;
    while (this.#at < Math.min(end, this.#end)) ms += this.next();
    return ms;
  }
}

/** How much the stub has to write when each block of a compressed stream has come. */
function unpackedSizes(blocks: readonly Uint8Array[]): number[] {
  const inflate = new Inflate({ chunkSize: DICTIONARY });
  let total = 0;
  inflate.onData = (chunk) => void (total += chunk.length);
  return blocks.map((block, i) => {
    const before = total;
    inflate.push(block, i === blocks.length - 1);
    return total - before;
  });
}
