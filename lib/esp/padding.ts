/** What of merged firmware is no firmware, but what fills the gaps between its parts. */
import { SECTOR } from './erase.ts';
import { isData, isOtaData, sameTable } from './partitions.ts';
import type { Partition } from './partitions.ts';
import type { Placed } from './place.ts';
import type { Region } from './verify.ts';

/**
 * Merged firmware fills the gaps between its parts with FF, also where the board keeps its settings (NVS), which it
 * writes when it first starts. With the same layout on the board (`before`) those sectors are the board's own: they
 * are neither written nor compared. Where the board `startsOther`, the OTA data that say so are not kept.
 */
export function withoutPadding(
  firmware: Placed,
  before: readonly Partition[] | undefined,
  startsOther = false,
): Region[] {
  const isKept = (partition: Partition): boolean =>
    isData(partition) && !(startsOther && isOtaData(partition));
  const kept = before && sameTable(before, firmware.partitions) ? before.filter(isKept) : [];
  return firmware.regions.flatMap((region) => cutOutAll(region, kept));
}

function cutOutAll(region: Region, kept: readonly Partition[]): Region[] {
  let parts = [region];
  for (const { offset, size } of kept) {
    parts = parts.flatMap((part) => cutOut(part, Math.max(offset, part.offset), offset + size));
  }
  return parts;
}

/** The part without [from, to), if all of that is FF and whole sectors. */
function cutOut(part: Region, from: number, to: number): Region[] {
  const end = part.offset + part.bytes.length;
  const until = Math.min(to, end);
  if (from >= until || from % SECTOR !== 0) return [part];
  if (!part.bytes.subarray(from - part.offset, until - part.offset).every((byte) => byte === 0xff))
    return [part];
  return [
    { offset: part.offset, bytes: part.bytes.subarray(0, from - part.offset) },
    { offset: until, bytes: part.bytes.subarray(until - part.offset) },
  ].filter(({ bytes }) => bytes.length > 0);
}
