/**
 * What flashing will do to this very board, known before anything is done: what is written, what is there
 * already, what stays, and what would be lost.
 */
import { changedParts } from './diff.ts';
import { SECTOR } from './erase.ts';
import type { Loader } from './loader.ts';
import {
  isData,
  isPartitionTable,
  PARTITION_TABLE_OFFSET,
  PARTITION_TABLE_SIZE,
  parsePartitions,
} from './partitions.ts';
import type { Partition } from './partitions.ts';
import type { Placed } from './place.ts';
import { readFlash } from './read.ts';
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
}

/** Makes the plan for firmware already placed. `before`: the partition table on the board. */
export async function makePlan(
  loader: Loader,
  firmware: Placed,
  before: readonly Partition[] | undefined,
  erase: EraseChoice,
  { readable, comparable }: Reading = { readable: true, comparable: true },
): Promise<ReadyPlan> {
  const keepsData = erase === 'needed' || erase === 'never';
  // Where the board cannot be read, the layout it will have is the best guess at the one it has.
  const regions = keepsData
    ? withoutPadding(firmware, readable ? before : firmware.partitions)
    : firmware.regions;
  const changes: Region[] = [];
  for (const region of regions) {
    changes.push(...(keepsData && comparable ? await changedParts(loader, region) : [region]));
  }
  // Padding that is not written where data is kept counts as left alone.
  const total = sum(firmware.regions);
  const write = sum(changes);
  return {
    erase,
    total,
    write,
    unchanged: total - write,
    parts: changes.map(({ offset, bytes }) => ({ offset, size: bytes.length })),
    losses: losses(before ?? [], firmware.partitions, changes, erase),
    tables: {
      ...(before ? { before } : {}),
      ...(firmware.partitions ? { after: firmware.partitions } : {}),
    },
    boardRead: readable,
    regions,
    changes,
  };
}

/** The table in the flash, or nothing where there is none that can be read. */
export async function partitionsOnBoard(loader: Loader): Promise<Partition[] | undefined> {
  const bytes = await readFlash(loader, PARTITION_TABLE_OFFSET, PARTITION_TABLE_SIZE);
  if (!isPartitionTable(bytes)) return undefined;
  try {
    return parsePartitions(bytes);
  } catch {
    // A damaged table protects nothing: the chip could not use it either.
    return undefined;
  }
}

function sameTable(a: readonly Partition[], b: readonly Partition[] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Merged firmware fills the gaps between its parts with FF, also where the board keeps its settings (NVS), which it
 * writes when it first starts. With the same layout on the board (`before`) those sectors are the board's own: they
 * are neither written nor compared.
 */
export function withoutPadding(firmware: Placed, before: readonly Partition[] | undefined): Region[] {
  const kept = before && sameTable(before, firmware.partitions) ? before.filter(isData) : [];
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

function losses(
  before: readonly Partition[],
  after: readonly Partition[] | undefined,
  changes: readonly Region[],
  erase: EraseChoice,
): Loss[] {
  return before.filter(isData).flatMap((partition): Loss[] => {
    const { label, offset, size } = partition;
    if (erase === 'all') return [{ label, why: 'erased' }];
    const stays = !after || after.some((other) => sameTable([partition], [other]));
    if (!stays) return [{ label, why: 'moved' }];
    const hit = changes.some(
      (part) => part.offset < offset + size && part.offset + part.bytes.length > offset,
    );
    return hit ? [{ label, why: 'overwritten' }] : [];
  });
}

function sum(regions: readonly Region[]): number {
  return regions.reduce((total, { bytes }) => total + bytes.length, 0);
}
