/**
 * What of a region the flash does not hold yet, by the chip's own MD5: whole, 64 KB at a time, and where such a
 * block differs, sector by sector. An old file is never believed; an interrupted write is found the same way.
 */
import { SECTOR } from './erase.ts';
import type { Loader } from './loader.ts';
import { isHeld } from './verify.ts';
import type { Region } from './verify.ts';

const BLOCK = 0x10000;
/** With fewer blocks than this, looking at all of them, even sector by sector, costs less than being clever. */
const MANY_BLOCKS = 8;

/** The parts to be written, in order, neighbours joined; none when the flash holds it all. */
export async function changedParts(loader: Loader, region: Region): Promise<Region[]> {
  const blocks = cut(region, BLOCK);
  if (blocks.length >= MANY_BLOCKS) {
    const samples = spread(cut(region, SECTOR));
    const different = await differing(loader, samples);
    // Other firmware differs everywhere: four sectors spread over it tell, and the rest need not be asked.
    if (different.length === samples.length) return [region];
    // The same firmware is the same everywhere: one question tells.
    if (different.length === 0 && !(await differs(loader, region))) return [];
  }
  const changed = await differing(loader, blocks);
  // Compressed as one stream, much is written faster than little with gaps.
  if (changed.length > Math.max(blocks.length, MANY_BLOCKS) / 2) return joined(changed, region);
  const sectors: Region[] = [];
  for (const block of changed) sectors.push(...(await differing(loader, cut(block, SECTOR))));
  return joined(sectors, region);
}

async function differing(loader: Loader, parts: readonly Region[]): Promise<Region[]> {
  const changed: Region[] = [];
  for (const part of parts) {
    if (await differs(loader, part)) changed.push(part);
  }
  return changed;
}

async function differs(loader: Loader, part: Region): Promise<boolean> {
  loader.signal.throwIfAborted();
  return !(await isHeld(loader, part));
}

/** Cut at whole multiples of `size` in the flash. */
function cut({ offset, bytes }: Region, size: number): Region[] {
  const parts: Region[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + size - ((offset + at) % size));
    parts.push({ offset: offset + at, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return parts;
}

function spread(parts: readonly Region[]): Region[] {
  const last = parts.length - 1;
  return [0, 1, 2, 3].flatMap((i) => parts[Math.round((last * i) / 3)] ?? []);
}

/** Neighbours as one part, without copying: all parts are views of the same region. */
function joined(parts: readonly Region[], region: Region): Region[] {
  const runs: { offset: number; end: number }[] = [];
  for (const { offset, bytes } of parts) {
    const last = runs.at(-1);
    if (last?.end === offset) last.end += bytes.length;
    else runs.push({ offset, end: offset + bytes.length });
  }
  return runs.map(({ offset, end }) => ({
    offset,
    bytes: region.bytes.subarray(offset - region.offset, end - region.offset),
  }));
}
