/**
 * What a firmware file is, which chip it is for and where it goes: decided from its bytes alone, so that
 * nobody has to know an offset, and refused before anything is erased.
 */
import { chipByImageId, ESP8266 } from './chips.ts';
import type { Chip } from './chips.ts';
import { SECTOR } from './erase.ts';
import { EspError } from './errors.ts';
import { IMAGE_MAGIC, parseImage } from './image.ts';
import type { Image } from './image.ts';
import {
  isApplication,
  isPartitionTable,
  PARTITION_TABLE_MOVES,
  PARTITION_TABLE_OFFSET,
  PARTITION_TABLE_SIZE,
  parsePartitions,
} from './partitions.ts';
import type { Partition } from './partitions.ts';

export interface Firmware {
  bytes: Uint8Array;
  /** `merged`: loader, partition table and application in one, as MicroPython ships it. */
  kind: 'merged' | 'loader' | 'app';
  /** Absent when the header names a chip unknown here. */
  chip?: Chip;
  image: Image;
  /** The applications of merged firmware. */
  applications: readonly Image[];
  /** Where the bytes belong in the flash; absent for an application alone. */
  offset?: number;
  partitions?: Partition[];
  /** What the firmware says of itself, where it is MicroPython. */
  micropython?: { version: string; machine?: string };
}

/** Formats people take for an image; the first bytes tell them. */
const OTHER_FORMATS: readonly { format: string; starts: number[] }[] = [
  { format: 'zip archive', starts: [0x50, 0x4b] },
  { format: 'gzip archive', starts: [0x1f, 0x8b] },
  { format: 'ELF program', starts: [0x7f, 0x45, 0x4c, 0x46] },
  { format: 'UF2 file', starts: [0x55, 0x46, 0x32, 0x0a] },
  { format: 'Intel HEX file', starts: [0x3a] },
  { format: 'web page', starts: [0x3c] },
];

/**
 * Recognises firmware and checks every part of it: loader, partition table, applications. `isPart`: somebody says where
 * it goes, so that a loader may have padding behind it; else that is merged firmware which was cut off in its gap.
 * Throws `EspError` 'image-empty', 'image-not-esp' or 'image-damaged'.
 */
export function recogniseFirmware(bytes: Uint8Array, isPart = false): Firmware {
  if (bytes.length === 0) throw new EspError('image-empty', 'the firmware holds no bytes');
  if (bytes[0] !== IMAGE_MAGIC) throw notAnImage(bytes);
  const shortHeader = isEsp8266(bytes);
  const image = parseImage(bytes, !shortHeader);
  const chip = shortHeader ? ESP8266 : image.chipId === undefined ? undefined : chipByImageId(image.chipId);
  const micropython = findMicroPython(bytes);
  const base: Firmware = {
    bytes,
    kind: image.isApp ? 'app' : 'loader',
    image,
    applications: [],
    ...(chip ? { chip } : {}),
    ...(micropython ? { micropython } : {}),
  };
  if (!chip || image.isApp) return base;
  const isAlone = chip === ESP8266 || isLoaderAlone(bytes, image, isPart);
  const rest = isAlone ? undefined : partitionsOf(bytes, chip);
  const located = { ...base, offset: chip.loaderOffset };
  return rest ? { ...located, kind: 'merged', ...rest } : located;
}

function notAnImage(bytes: Uint8Array): EspError {
  const other = OTHER_FORMATS.find(({ starts }) => starts.every((byte, i) => bytes[i] === byte));
  const found = other?.format ?? Buffer.from(bytes.subarray(0, 4)).toString('hex');
  return new EspError('image-not-esp', `this is no ESP image (${found})`, { found });
}

/**
 * ESP8266 images have no extended header: their first segment starts at byte 8, in RAM or flash of that
 * chip. On all others byte 8 holds pin settings and byte 23 the hash flag.
 */
function isEsp8266(bytes: Uint8Array): boolean {
  if (bytes.length < 24) return false;
  const address = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  const inRam = address >= 0x3ffe8000 && address < 0x40110000;
  const inFlash = address >= 0x40200000 && address < 0x40300000;
  return inRam || inFlash;
}

type BehindLoader = Required<Pick<Firmware, 'partitions' | 'applications'>>;

/** A loader alone ends where its image ends, or with the sector of its signature. */
function isLoaderAlone(bytes: Uint8Array, { length, isSigned }: Image, mayBePadded: boolean): boolean {
  const end = isSigned ? (Math.ceil(length / SECTOR) + 1) * SECTOR : length;
  return bytes.length === end || (mayBePadded && bytes.length > end && isAllBlank(bytes.subarray(end)));
}

/**
 * The table of a merged file, its applications checked. Projects may move the table (and grow the loader) by some
 * sectors.
 */
function partitionsOf(bytes: Uint8Array, chip: Chip): BehindLoader {
  const first = PARTITION_TABLE_OFFSET - chip.loaderOffset;
  for (let at = first; at < Math.min(bytes.length, first + PARTITION_TABLE_MOVES); at += SECTOR) {
    const table = bytes.subarray(at, at + PARTITION_TABLE_SIZE);
    if (!isPartitionTable(table)) continue;
    if (table.length < PARTITION_TABLE_SIZE) throw damaged('truncated', bytes.length);
    return withApplications(bytes, chip, parsePartitions(table));
  }
  throw bytes.length <= first ? damaged('truncated', bytes.length) : damaged('partition table', first);
}

/** Each application is whole or, as a second OTA slot is, blank; and there is one to start. */
function withApplications(bytes: Uint8Array, chip: Chip, partitions: Partition[]): BehindLoader {
  const starts = partitions.filter(isApplication).map(({ offset }) => offset - chip.loaderOffset);
  const filled = [...new Set(starts)].filter((at) => at < bytes.length && !isBlank(bytes, at));
  const applications = filled.map((at) => {
    if (bytes[at] !== IMAGE_MAGIC) throw damaged('application', at);
    return parseImage(bytes.subarray(at));
  });
  if (starts.length > 0 && filled.length === 0) throw damaged('truncated', bytes.length);
  return { partitions, applications };
}

function isBlank(bytes: Uint8Array, at: number): boolean {
  return isAllBlank(bytes.subarray(at, at + SECTOR));
}

function isAllBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0xff);
}

function damaged(what: string, offset: number): EspError {
  return new EspError('image-damaged', `the firmware is damaged (${what} at byte ${offset})`, {
    what,
    offset,
  });
}

/** The banner lies in the firmware as two strings; the app descriptor of MicroPython is empty. */
export function findMicroPython(bytes: Uint8Array): Firmware['micropython'] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = buffer.indexOf('MicroPython v'); at >= 0; at = buffer.indexOf('MicroPython v', at + 1)) {
    const near = buffer.subarray(at, at + 256).toString('latin1');
    const found = /^MicroPython (v[\w.-]+) on [\d-]+\0*(?:; ([\x20-\x7e]+))?/.exec(near);
    const [, version, machine] = found ?? [];
    if (version) return { version, ...(machine ? { machine } : {}) };
  }
  return undefined;
}
