/**
 * What flashing will do to this very board, known before anything is done: what is written, what is there
 * already, what stays, and what would be lost.
 */
import { changedParts } from './diff.ts';
import { SECTOR } from './erase.ts';
import { IMAGE_MAGIC } from './image.ts';
import type { Loader } from './loader.ts';
import { isData, isFileSystem, isOtaData } from './partitions.ts';
import type { Partition } from './partitions.ts';
import type { Placed } from './place.ts';
import { blankMd5, regionMd5 } from './verify.ts';
import type { Region } from './verify.ts';

/** `all`: everything first. `region`: all that the firmware covers. `needed`, `never`: what differs. */
export type EraseChoice = 'needed' | 'all' | 'region' | 'never';

export interface Loss {
  /** Label of the partition whose content goes. */
  label: string;
  why: 'erased' | 'moved' | 'overwritten';
}

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

/** Makes the plan for firmware already placed. `before`: the partition table on the board. */
export async function makePlan(
  loader: Loader,
  firmware: Placed,
  before: readonly Partition[] | undefined,
  erase: EraseChoice,
  { readable, comparable, begun = false, startsOther = false }: Reading = {
    readable: true,
    comparable: true,
  },
): Promise<ReadyPlan> {
  const keepsData = erase === 'needed' || erase === 'never';
  // Where the board cannot be read, the layout it will have is the best guess at the one it has.
  const regions = keepsData
    ? withoutPadding(firmware, readable ? before : firmware.partitions, startsOther)
    : firmware.regions;
  const changes: Region[] = [];
  for (const region of regions) {
    changes.push(...((keepsData || begun) && comparable ? await changedParts(loader, region) : [region]));
  }
  const cleared =
    erase === 'needed' && readable && comparable ? await leftovers(loader, firmware, before ?? []) : [];
  // Padding that is not written where data is kept counts as left alone.
  const total = sum(firmware.regions);
  const write = sum(changes);
  return {
    erase,
    total,
    write,
    unchanged: total - write,
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

function sameTable(a: readonly Partition[], b: readonly Partition[] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

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
    const isKept = before.some((other) => sameTable([partition], [other]));
    const isWritten = regions.some(
      (part) => offset >= part.offset && offset < part.offset + part.bytes.length,
    );
    if (isKept || isWritten || offset % SECTOR !== 0 || size % SECTOR !== 0) continue;
    if ((await regionMd5(loader, offset, size)) !== blankMd5(size)) found.push({ offset, size });
  }
  return found;
}

function losses(
  before: readonly Partition[],
  { partitions: after, regions }: Placed,
  changes: readonly Region[],
  erase: EraseChoice,
): Loss[] {
  return before.flatMap((partition): Loss[] => {
    const { label, offset, size } = partition;
    const isHit = changes.some(
      (part) => part.offset < offset + size && part.offset + part.bytes.length > offset,
    );
    if (isOtaData(partition)) return [];
    // A program is there to be replaced by another, but not by data.
    if (!isData(partition))
      return isHit && !hasProgram(regions, offset) ? [{ label, why: 'overwritten' }] : [];
    if (erase === 'all') return [{ label, why: 'erased' }];
    const stays = !after || after.some((other) => sameTable([partition], [other]));
    if (!stays) return [{ label, why: 'moved' }];
    return isHit ? [{ label, why: 'overwritten' }] : [];
  });
}

/** Whether a program begins there. */
export function hasProgram(regions: readonly Region[], at: number): boolean {
  return regions.some(({ offset, bytes }) => bytes[at - offset] === IMAGE_MAGIC);
}

function sum(regions: readonly Region[]): number {
  return regions.reduce((total, { bytes }) => total + bytes.length, 0);
}
