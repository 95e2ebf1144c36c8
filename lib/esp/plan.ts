/**
 * What flashing will do to this very board, known before anything is done: what is written, what is there
 * already, what stays, and what would be lost.
 */
import { changedParts } from './diff.ts';
import { SECTOR } from './erase.ts';
import type { Loader } from './loader.ts';
import { losses } from './losses.ts';
import type { Loss } from './losses.ts';
import { withoutPadding } from './padding.ts';
import { isData, isFileSystem, isOtaData, samePartition } from './partitions.ts';
import type { Partition } from './partitions.ts';
import type { Placed } from './place.ts';
import { isBlank } from './verify.ts';
import type { Region } from './verify.ts';

/** `all`: everything first. `region`: all that the firmware covers. `needed`, `never`: what differs. */
export type EraseChoice = 'needed' | 'all' | 'region' | 'never';

export interface Plan {
  erase: EraseChoice;
  /** Bytes of the firmware, of them to be written, and of them left as they are in the flash. */
  total: number;
  write: number;
  unchanged: number;
  /** Where is written, as `{ offset, size }`. */
  parts: { offset: number; size: number }[];
  /**
   * Where the new layout has files or settings and other firmware has left something: the first sectors are erased, so
   * that it is not taken for data. So are OTA data that would start another application. As `{ offset, size }`.
   */
  cleared: { offset: number; size: number }[];
  /** Label of the application that starts all the same, rather than the one that is written. */
  startsOther?: string;
  /** Data that will be gone; empty on a board without a partition table. */
  losses: Loss[];
  /** The partition table that is on the board, and the one that the firmware brings. */
  tables: { before?: readonly Partition[]; after?: readonly Partition[] };
  /** Whether the board's flash could be read; if not, losses are not known. */
  boardRead: boolean;
}

/** A plan with the bytes to carry it out. */
export interface ReadyPlan extends Plan {
  /** What must be in the flash at the end. */
  regions: Region[];
  /** What must be written for it. */
  changes: Region[];
}

/** What of the board's flash a plan can count on. */
export interface Reading {
  /** It can be read, and means what it says. */
  readable: boolean;
  /** The chip can compare it with what is wanted. */
  comparable: boolean;
  /** An attempt before has begun to write: what is right already is its work. */
  begun?: boolean;
  /** The application that the board starts, where the firmware brings others: its OTA data would go on naming it. */
  startsOther?: Partition | undefined;
}

const ALL_KNOWN: Reading = { readable: true, comparable: true };

/** Makes the plan for firmware already placed. `before`: the partition table on the board. */
export async function makePlan(
  loader: Loader,
  firmware: Placed,
  before: readonly Partition[] | undefined,
  erase: EraseChoice,
  reading: Reading = ALL_KNOWN,
): Promise<ReadyPlan> {
  const { readable, comparable, startsOther } = reading;
  const keepsData = erase === 'needed' || erase === 'never';
  // Where the board cannot be read, the layout it will have is the best guess at the one it has.
  const layout = readable ? before : firmware.partitions;
  const regions = keepsData ? withoutPadding(firmware, layout, startsOther !== undefined) : firmware.regions;
  const isCompared = comparable && (keepsData || reading.begun === true);
  const changes = isCompared ? await changesIn(loader, regions) : [...regions];
  const isCleared = erase === 'needed' && readable && comparable;
  const cleared = isCleared ? await leftovers(loader, firmware, keptOf(before, startsOther)) : [];
  const other = erase === 'all' ? undefined : staying(startsOther, firmware, before, cleared);
  return {
    erase,
    ...amounts(firmware.regions, changes),
    parts: changes.map(({ offset, bytes }) => ({ offset, size: bytes.length })),
    cleared,
    ...(other ? { startsOther: other.label } : {}),
    losses: losses(before ?? [], firmware, changes, erase),
    tables: {
      ...(before ? { before } : {}),
      ...(firmware.partitions ? { after: firmware.partitions } : {}),
    },
    boardRead: readable,
    regions,
    changes,
  };
}

async function changesIn(loader: Loader, regions: readonly Region[]): Promise<Region[]> {
  const changes: Region[] = [];
  for (const region of regions) changes.push(...(await changedParts(loader, region)));
  return changes;
}

/** Padding that is not written where data is kept counts as left alone. */
function amounts(
  regions: readonly Region[],
  changes: readonly Region[],
): Pick<Plan, 'total' | 'write' | 'unchanged'> {
  const [total, write] = [sum(regions), sum(changes)];
  return { total, write, unchanged: total - write };
}

/** Files are known by what lies in their first sector (FAT), or in one of the first two (LittleFS). */
const BEGIN_OF_FILES = 2 * SECTOR;
/** Settings are looked for in every sector. */
const BEGIN = 0x10000;

/** Begins of new or moved data partitions that are not blank, and that the firmware does not write itself. */
async function leftovers(
  loader: Loader,
  { partitions, regions }: Placed,
  kept: readonly Partition[],
): Promise<Plan['cleared']> {
  const found: Plan['cleared'] = [];
  for (const partition of partitions?.filter(isData) ?? []) {
    const { offset } = partition;
    const size = Math.min(partition.size, isFileSystem(partition) ? BEGIN_OF_FILES : BEGIN);
    const isKept = kept.some((other) => samePartition(partition, other));
    if (isKept || isWritten(regions, offset) || offset % SECTOR !== 0 || size % SECTOR !== 0) continue;
    if (!(await isBlank(loader, offset, size))) found.push({ offset, size });
  }
  return found;
}

/** The partitions whose data may stay: not OTA data that would go on starting another application. */
function keptOf(before: readonly Partition[] = [], startsOther: Partition | undefined): readonly Partition[] {
  return startsOther ? before.filter((partition) => !isOtaData(partition)) : before;
}

/** The other application, if it stays in the table and nothing is done to what says that it starts. */
function staying(
  other: Partition | undefined,
  { partitions, regions }: Placed,
  before: readonly Partition[] = [],
  cleared: Plan['cleared'],
): Partition | undefined {
  const table = partitions ?? before;
  const otadata = table.find(isOtaData);
  const isUndone =
    otadata &&
    (isWritten(regions, otadata.offset) || cleared.some(({ offset }) => offset === otadata.offset));
  return table.some((partition) => other && samePartition(partition, other)) && !isUndone ? other : undefined;
}

function isWritten(regions: readonly Region[], at: number): boolean {
  return regions.some(({ offset, bytes }) => at >= offset && at < offset + bytes.length);
}

function sum(regions: readonly Region[]): number {
  return regions.reduce((total, { bytes }) => total + bytes.length, 0);
}
