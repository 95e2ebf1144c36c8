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
import { isData, isFileSystem, samePartition } from './partitions.ts';
import type { Partition } from './partitions.ts';
import type { Placed } from './place.ts';
import { blankMd5, regionMd5 } from './verify.ts';
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
   * that it is not taken for data. As `{ offset, size }`.
   */
  cleared: { offset: number; size: number }[];
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
  /** The board starts an application that the firmware does not bring, and would go on doing so. */
  startsOther?: boolean;
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
  const { readable, comparable } = reading;
  const keepsData = erase === 'needed' || erase === 'never';
  // Where the board cannot be read, the layout it will have is the best guess at the one it has.
  const layout = readable ? before : firmware.partitions;
  const regions = keepsData ? withoutPadding(firmware, layout, reading.startsOther) : firmware.regions;
  const isCompared = comparable && (keepsData || reading.begun === true);
  const changes = isCompared ? await changesIn(loader, regions) : [...regions];
  const isCleared = erase === 'needed' && readable && comparable;
  const cleared = isCleared ? await leftovers(loader, firmware, before ?? []) : [];
  return {
    erase,
    ...amounts(firmware.regions, changes),
    parts: changes.map(({ offset, bytes }) => ({ offset, size: bytes.length })),
    cleared,
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
  before: readonly Partition[],
): Promise<Plan['cleared']> {
  const found: Plan['cleared'] = [];
  for (const partition of partitions?.filter(isData) ?? []) {
    const { offset } = partition;
    const size = Math.min(partition.size, isFileSystem(partition) ? BEGIN_OF_FILES : BEGIN);
    const isKept = before.some((other) => samePartition(partition, other));
    const isWritten = regions.some(
      (part) => offset >= part.offset && offset < part.offset + part.bytes.length,
    );
    if (isKept || isWritten || offset % SECTOR !== 0 || size % SECTOR !== 0) continue;
    if ((await regionMd5(loader, offset, size)) !== blankMd5(size)) found.push({ offset, size });
  }
  return found;
}

function sum(regions: readonly Region[]): number {
  return regions.reduce((total, { bytes }) => total + bytes.length, 0);
}
