/** Parts of a firmware: bytes and, where the source says it, their place in the flash. */
import { hex } from '../errors/facts.ts';
import { CHIPS } from '../esp/chips.ts';
import { SECTOR } from '../esp/erase.ts';
import { FirmwareError, tooLarge } from './errors.ts';

export interface FirmwarePart {
  bytes: Uint8Array;
  /** Flash offset in bytes, where the source says one. */
  offset?: number;
  /** File name or the like, for messages to people. */
  name: string;
}

/** What one file holds. */
export interface Contents {
  parts: FirmwarePart[];
  /** Name of the chip (`ESP32-C3`) where the file itself says it. */
  chip?: string;
}

/** A run of bytes at a flash address, as formats made of many small records give it. */
export interface Block {
  address: number;
  bytes: Uint8Array;
}

/** The largest flash an image header can name, 128 MB. */
export const MAX_FLASH = 128 * 1024 * 1024;

/**
 * Joins blocks to contiguous parts. A gap within one flash sector is filled with 0xff, the erased state; a
 * longer one begins a new part. `overlap` makes the error where two blocks claim a place.
 * Throws `FirmwareError` 'source-too-large' when the parts together have more than `maxBytes`.
 */
export function joinBlocks<B extends Block>(
  blocks: readonly B[],
  options: { name: string; maxBytes: number; overlap: (block: B) => Error },
): FirmwarePart[] {
  const sorted = blocks.filter(({ bytes }) => bytes.length > 0).sort((a, b) => a.address - b.address);
  const runs: { start: number; end: number; blocks: Block[] }[] = [];
  let total = 0;
  for (const block of sorted) {
    const run = runs.at(-1);
    const end = block.address + block.bytes.length;
    if (run && block.address < run.end) throw options.overlap(block);
    const joins = run && (block.address === run.end || sectorOf(block.address) === sectorOf(run.end - 1));
    total += joins ? end - run.end : block.bytes.length;
    if (total > options.maxBytes) throw tooLarge(options.name, options.maxBytes);
    if (joins) {
      run.end = end;
      run.blocks.push(block);
    } else runs.push({ start: block.address, end, blocks: [block] });
  }
  return runs.map((run) => {
    const bytes = new Uint8Array(run.end - run.start).fill(0xff);
    for (const block of run.blocks) bytes.set(block.bytes, block.address - run.start);
    return {
      bytes,
      offset: run.start,
      name: runs.length > 1 ? `${options.name} at ${hex(run.start)}` : options.name,
    };
  });
}

/** Throws `FirmwareError` 'parts-overlap' where two parts with an offset share a byte of the flash. */
export function checkOverlaps(parts: readonly FirmwarePart[]): void {
  const placed = parts.flatMap((part) =>
    part.offset === undefined ? [] : [{ ...part, offset: part.offset }],
  );
  placed.sort((a, b) => a.offset - b.offset);
  placed.forEach((part, i) => {
    const before = placed[i - 1];
    if (!before || before.offset + before.bytes.length <= part.offset) return;
    throw new FirmwareError('parts-overlap', `${before.name} and ${part.name} overlap`, {
      first: before.name,
      second: part.name,
      offset: hex(part.offset),
    });
  });
}

/** Name of the chip that esptool's word (`esp32c3`, `ESP32-C3`) means; `undefined` for one unknown here. */
export function chipNamed(word: string): string | undefined {
  const plain = word.toLowerCase().replaceAll(/[-_ ]/g, '');
  return CHIPS.find(({ stub }) => stub === plain)?.name;
}

/** Flash is erased by sectors: parts that share one could not be written apart from each other. */
function sectorOf(address: number): number {
  return Math.floor(address / SECTOR);
}
