/** Where firmware goes on this board, or why it must not: decided before anything is erased. */
import { hex, memorySize } from '../errors/facts.ts';
import type { Chip } from './chips.ts';
import { revisionText } from './describe.ts';
import type { ChipDescription } from './describe.ts';
import { SECTOR } from './erase.ts';
import { EspError, isEspError } from './errors.ts';
import { withFlashSettings } from './flash-header.ts';
import type { FlashSettings } from './flash-header.ts';
import { recogniseFirmware } from './firmware.ts';
import type { Firmware } from './firmware.ts';
import { IMAGE_MAGIC } from './image.ts';
import {
  isApplication,
  isPartitionTable,
  PARTITION_TABLE_MOVES,
  PARTITION_TABLE_OFFSET,
  parsePartitions,
} from './partitions.ts';
import type { Partition } from './partitions.ts';
import type { Region } from './verify.ts';

/** What a board offers. */
export interface Target {
  chip: Chip;
  /** Bytes of flash that can be used. */
  flashSize: number;
  /** Major * 100 + minor; absent where it cannot be told. */
  revision?: number | undefined;
  /** What else the chip tells, for who chooses firmware by it. */
  description?: ChipDescription | undefined;
  /** The table in its flash, where it has one. */
  partitions?: readonly Partition[] | undefined;
  /** Of its applications, the one that starts; looked up only for firmware that goes there. */
  booted?: Partition | undefined;
}

/** One piece of firmware, checked as far as it can be without a board. */
export interface Part {
  bytes: Uint8Array;
  /** Where its source says it goes. */
  offset?: number | undefined;
  /** Absent for data that is no ESP image. */
  firmware?: Firmware;
  /** Data at a place of its own that begins like an image and is none: damaged, or encrypted. */
  fault?: EspError;
}

/** What the user says about it: wins where the image says nothing, and with `force` against its word. */
export interface Wish {
  offset?: number | undefined;
  /** Label of the partition it goes to. */
  partition?: string | undefined;
  force?: boolean | undefined;
  /** Settings to put into the loader's header. */
  settings?: FlashSettings | undefined;
}

/** Firmware with its places. */
export interface Placed {
  regions: Region[];
  /** The partition table it brings along. */
  partitions?: Partition[];
  micropython?: Firmware['micropython'];
}

/**
 * Checks the parts of firmware: those at a place of their own may be any data, one without must be an image.
 * Throws as `recogniseFirmware`.
 */
export function checkParts(
  parts: readonly { bytes: Uint8Array; offset?: number | undefined }[],
  wish: Wish = {},
): Part[] {
  return parts.map(({ bytes, offset }) => {
    const isPlaced = offset !== undefined || wish.partition !== undefined;
    if (isPlaced && bytes[0] !== IMAGE_MAGIC) return { bytes, offset };
    try {
      const isPart = isPlaced || wish.offset !== undefined;
      return { bytes, offset, firmware: recogniseFirmware(bytes, isPart) };
    } catch (error) {
      if (!isPlaced || !isEspError(error, 'image-damaged')) throw error;
      return { bytes, offset, fault: error };
    }
  });
}

/**
 * Places all parts. `wish.offset` and `wish.partition` are for firmware of one part.
 * Throws `EspError` 'image-wrong-chip', 'image-wrong-revision', 'image-app-only', 'offset-contradicts-image',
 * 'offset-unaligned', 'parts-overlap', 'image-too-large', 'no-such-partition', 'partition-too-small',
 * 'bad-flash-setting'.
 */
export function placeParts(parts: readonly Part[], target: Target, wish: Wish): Placed {
  const only = parts.length === 1 ? wish : {};
  const regions = parts.map((part) => {
    const place = { ...only, offset: only.offset ?? part.offset, force: wish.force };
    const offset = placePart(part, target, place);
    return { offset, bytes: withSettings(part, offset, target, wish) };
  });
  refuseOverlaps(regions);
  const firmware = parts.flatMap((part) => part.firmware ?? []);
  const partitions = firmware.find((image) => image.partitions)?.partitions ?? tableAmong(regions);
  if (!wish.force) {
    refuseOutside(partitions ?? [], target.flashSize);
    const table = partitions ?? target.partitions;
    regions.forEach((region, i) => table && refuseAstray(region, parts[i], table));
  }
  const micropython = firmware.find((image) => image.micropython)?.micropython;
  return { regions, ...(partitions ? { partitions } : {}), ...(micropython ? { micropython } : {}) };
}

/** Where firmware begins in the flash, and how many bytes it has. */
export function extentOf({ regions }: Placed): { offset: number; bytes: number } {
  return {
    offset: Math.min(...regions.map(({ offset }) => offset)),
    bytes: regions.reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
}

function placePart({ bytes, firmware, fault }: Part, target: Target, wish: Wish): number {
  if (fault && !wish.force) throw fault;
  const { chip, flashSize } = target;
  if (firmware && firmware.chip !== chip && !wish.force) {
    const image = firmware.chip?.name ?? `chip id ${firmware.image.chipId}`;
    throw wrongChip(image, chip);
  }
  if (firmware && !wish.force) refuseRevision(firmware, target);
  const own = firmware?.offset;
  const partition = partitionFor(wish, own, target);
  if (partition) refuseTooLong(bytes, partition);
  const offset = wish.offset ?? partition?.offset ?? own;
  if (offset === undefined) {
    throw new EspError('image-app-only', 'an application alone does not say where it goes', {
      chip: chip.name,
    });
  }
  if (own !== undefined && offset !== own && !wish.force) {
    const facts = { given: hex(offset), expected: hex(own) };
    throw new EspError('offset-contradicts-image', `the image belongs at ${facts.expected}`, facts);
  }
  if (offset % SECTOR !== 0) {
    throw new EspError('offset-unaligned', 'firmware begins with a sector', { offset: hex(offset) });
  }
  if (offset + bytes.length > flashSize) {
    const facts = { offset: hex(offset), size: bytes.length, flashSize, flash: memorySize(flashSize) };
    throw new EspError('image-too-large', 'the firmware does not fit into the flash', facts);
  }
  return offset;
}

function withSettings({ bytes, firmware }: Part, offset: number, target: Target, wish: Wish): Uint8Array {
  const { chip, flashSize } = target;
  const isLoader = firmware && firmware.kind !== 'app' && firmware.chip === chip;
  if (!isLoader || offset !== chip.loaderOffset || !wish.settings) return bytes;
  return withFlashSettings(bytes, firmware.image, chip, wish.settings, flashSize);
}

/** Silicon older or newer than what any of its images was made for: it would not start there. */
function refuseRevision({ image, applications }: Firmware, { chip, revision }: Target): void {
  if (revision === undefined) return;
  const images = [image, ...applications];
  const lowest = Math.max(...images.map(({ minRevision }) => minRevision));
  const highest = Math.min(...images.map(({ maxRevision }) => maxRevision));
  if (revision >= lowest && revision <= highest) return;
  const needed =
    revision < lowest
      ? `${revisionText(lowest)} or newer`
      : `${revisionText(lowest)} to ${revisionText(highest)}`;
  const facts = { chip: chip.name, found: revisionText(revision), needed };
  throw new EspError('image-wrong-revision', `the firmware needs revision ${needed}`, facts);
}

/** What its own partition table counts on must be there, or the loader refuses to start. */
function refuseOutside(partitions: readonly Partition[], flashSize: number): void {
  const outside = partitions.find(({ offset, size }) => offset + size > flashSize);
  if (!outside) return;
  const { offset, size, label: partition } = outside;
  const flash = memorySize(flashSize);
  const facts = { offset: hex(offset), size, flashSize, flash, case: 'partition', partition };
  throw new EspError('image-too-large', `the partition ${partition} does not fit into the flash`, facts);
}

/** Looked for only now, as parts that do not say their place themselves have got one. */
function refuseOverlaps(regions: readonly Region[]): void {
  const sorted = regions.toSorted((a, b) => a.offset - b.offset);
  sorted.forEach((region, i) => {
    const before = sorted[i - 1];
    if (!before || before.offset + before.bytes.length <= region.offset) return;
    const [first, second] = [before, region].map(
      (part) => `${part.bytes.length} bytes at ${hex(part.offset)}`,
    );
    const facts = { first, second, offset: hex(region.offset) };
    throw new EspError('parts-overlap', `${first} and ${second} overlap`, facts);
  });
}

/** A partition table that comes as a part of its own, as ESP-IDF builds it: at its usual place or moved behind it. */
function tableAmong(regions: readonly Region[]): Partition[] | undefined {
  const isPlace = (offset: number): boolean =>
    offset >= PARTITION_TABLE_OFFSET && offset < PARTITION_TABLE_OFFSET + PARTITION_TABLE_MOVES;
  const table = regions.find(({ offset, bytes }) => isPlace(offset) && isPartitionTable(bytes));
  return table && parsePartitions(table.bytes);
}

/** An application starts from the begin of a partition for one, and from nowhere else. */
function refuseAstray({ offset, bytes }: Region, part: Part | undefined, table: readonly Partition[]): void {
  if (part?.firmware?.kind !== 'app') return;
  const places = table.filter(isApplication);
  const place = places.find((partition) => partition.offset === offset);
  if (!place) {
    const expected = places.map((partition) => hex(partition.offset)).join(' or ');
    const facts = { given: hex(offset), expected };
    throw new EspError('offset-contradicts-image', `no application starts from ${facts.given}`, facts);
  }
  refuseTooLong(bytes, place);
}

function refuseTooLong(bytes: Uint8Array, { label, size }: Partition): void {
  if (bytes.length <= size) return;
  const facts = { label, size: bytes.length, available: size };
  throw new EspError('partition-too-small', `the firmware does not fit into ${label}`, facts);
}

/** Firmware for one chip on a board with another. */
export function wrongChip(image: string, chip: Chip): EspError {
  const facts = { image, chip: chip.name };
  return new EspError('image-wrong-chip', `the firmware is for ${image}, the board has ${chip.name}`, facts);
}

/** Whether only the board can tell where the parts go: an application alone, for which nobody named a place. */
export function needsBooted(parts: readonly Part[], wish: Wish): boolean {
  const said = parts.length === 1 ? (wish.offset ?? wish.partition) : undefined;
  const isOpen = ({ firmware, offset }: Part): boolean =>
    firmware !== undefined && firmware.offset === undefined && offset === undefined;
  return said === undefined && parts.some(isOpen);
}

/** The partition that is named, or for an application alone the one that starts; nothing where an offset counts. */
function partitionFor(wish: Wish, own: number | undefined, target: Target): Partition | undefined {
  const { partition: wanted, offset } = wish;
  if (offset !== undefined) return undefined;
  if (wanted === undefined) return own === undefined ? target.booted : undefined;
  const found = target.partitions?.find(({ label }) => label === wanted);
  if (found) return found;
  const labels = (target.partitions ?? []).map(({ label }) => label).join(', ');
  throw new EspError('no-such-partition', `the board has no partition ${wanted}`, { wanted, labels });
}
