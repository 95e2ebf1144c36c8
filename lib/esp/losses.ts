/** What of a board's data is gone when firmware is written. */
import { IMAGE_MAGIC } from './image.ts';
import { isData, isOtaData, samePartition } from './partitions.ts';
import type { Partition } from './partitions.ts';
import type { Placed } from './place.ts';
import type { EraseChoice } from './plan.ts';
import type { Region } from './verify.ts';

export interface Loss {
  /** Label of the partition whose content goes. */
  label: string;
  why: 'erased' | 'moved' | 'overwritten';
}

/** `before`: the partition table on the board. `changes`: what is written. */
export function losses(
  before: readonly Partition[],
  firmware: Placed,
  changes: readonly Region[],
  erase: EraseChoice,
): Loss[] {
  return before.flatMap((partition) => {
    const why = whyGone(partition, firmware, changes, erase);
    return why ? [{ label: partition.label, why }] : [];
  });
}

function whyGone(
  partition: Partition,
  { partitions: after, regions }: Placed,
  changes: readonly Region[],
  erase: EraseChoice,
): Loss['why'] | undefined {
  if (isOtaData(partition)) return undefined;
  const isHit = changes.some((change) => overlaps(change, partition));
  // A program is there to be replaced by another, but not by data.
  if (!isData(partition)) return isHit && !hasProgram(regions, partition.offset) ? 'overwritten' : undefined;
  if (erase === 'all') return 'erased';
  if (after && !after.some((other) => samePartition(partition, other))) return 'moved';
  return isHit ? 'overwritten' : undefined;
}

function overlaps(region: Region, { offset, size }: Partition): boolean {
  return region.offset < offset + size && region.offset + region.bytes.length > offset;
}

/** Whether a program begins there. */
export function hasProgram(regions: readonly Region[], at: number): boolean {
  return regions.some(({ offset, bytes }) => bytes[at - offset] === IMAGE_MAGIC);
}
