/**
 * What a chip checks before it runs an image: header, segments, checksum, and the SHA-256 behind it.
 * And the partition table and app descriptor that say what is in a flash.
 */

import { createHash } from 'node:crypto';
import type { ChipFacts } from './chips.ts';
import { checksum, u16, u32 } from './bytes.ts';

const IMAGE_MAGIC = 0xe9;
const MAX_SEGMENTS = 16;
const MODES = ['QIO', 'QOUT', 'DIO', 'DOUT'];

export interface Segment {
  address: number;
  data: Uint8Array;
}

export interface Image {
  entry: number;
  /** `DIO` and the like, as the ROM prints it. */
  mode: string;
  segments: Segment[];
  /** Length in the flash, with checksum and hash. */
  length: number;
}

export type ImageFault =
  | { kind: 'no-header'; word: number }
  | { kind: 'segments'; count: number }
  | { kind: 'truncated' }
  | { kind: 'wrong-chip'; chipId: number }
  | { kind: 'checksum'; found: number; computed: number }
  | { kind: 'hash' };

/** Reads the image at `offset` of `flash` as strictly as ROM and second-stage loader together. */
export function readImage(flash: Uint8Array, offset: number, chip: ChipFacts): Image | ImageFault {
  if (flash[offset] !== IMAGE_MAGIC) return { kind: 'no-header', word: u32(flash, offset) };
  const count = flash[offset + 1] ?? 0;
  if (count === 0 || count > MAX_SEGMENTS) return { kind: 'segments', count };
  const extended = chip.imageChipId !== undefined;
  const chipId = u16(flash, offset + 12);
  if (extended && chipId !== chip.imageChipId) return { kind: 'wrong-chip', chipId };
  let at = offset + (extended ? 24 : 8);
  let sum = 0xef;
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const length = u32(flash, at + 4);
    if (at + 8 + length + 16 > flash.length) return { kind: 'truncated' };
    const data = flash.subarray(at + 8, at + 8 + length);
    sum = checksum(data, sum);
    segments.push({ address: u32(flash, at), data });
    at += 8 + length;
  }
  // Padding up to the last byte of a group of 16, which is the checksum.
  const end = offset + Math.floor((at - offset) / 16) * 16 + 16;
  const found = flash[end - 1] ?? 0;
  if (found !== sum) return { kind: 'checksum', found, computed: sum };
  const hashed = extended && flash[offset + 23] === 1;
  if (hashed) {
    const digest = createHash('sha256').update(flash.subarray(offset, end)).digest();
    if (Buffer.compare(digest, flash.subarray(end, end + 32)) !== 0) return { kind: 'hash' };
  }
  return {
    entry: u32(flash, offset + 4),
    mode: MODES[flash[offset + 2] ?? 0] ?? 'DIO',
    segments,
    length: end - offset + (hashed ? 32 : 0),
  };
}

export const isImage = (result: Image | ImageFault): result is Image => !('kind' in result);

export interface AppDescriptor {
  version: string;
  project: string;
  /** The board, where the image names it as MicroPython's banner does. */
  machine?: string;
  time: string;
  date: string;
  idf: string;
}

const DESCRIPTOR_MAGIC = 0xabcd5432;

const text = (bytes: Uint8Array, at: number, length: number): string => {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return new TextDecoder('latin1').decode(field.subarray(0, end < 0 ? length : end));
};

/** The descriptor at the start of an app's first segment. */
export function appDescriptor(image: Image): AppDescriptor | undefined {
  const data = image.segments[0]?.data;
  if (!data || data.length < 256 || u32(data, 0) !== DESCRIPTOR_MAGIC) return undefined;
  return {
    version: text(data, 16, 32),
    project: text(data, 48, 32),
    time: text(data, 80, 16),
    date: text(data, 96, 16),
    idf: text(data, 112, 32),
  };
}

const BANNER = /MicroPython (v[\w.-]+) on \d{4}-\d\d-\d\d\0*(?:; ([^\r\n\0]+))?/;

/**
 * What the app says it is. Releases of MicroPython leave the names in their descriptor empty; they are
 * known by the banner that the interpreter prints.
 */
export function identify(image: Image): AppDescriptor | undefined {
  const descriptor = appDescriptor(image);
  if (descriptor?.project) return descriptor;
  for (const { data } of image.segments) {
    const found = BANNER.exec(Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1'));
    if (!found) continue;
    const [, version = '', machine] = found;
    const rest = descriptor ?? { time: '', date: '', idf: '' };
    return { ...rest, project: 'micropython', version, ...(machine !== undefined && { machine }) };
  }
  return descriptor;
}

export interface Partition {
  type: number;
  subtype: number;
  offset: number;
  size: number;
  label: string;
}

export const PARTITION_TABLE = 0x8000;
const TABLE_SIZE = 0xc00;
const ENTRY = 32;

/** The table, or why the second-stage loader refuses it. */
export function readPartitions(flash: Uint8Array): Partition[] | { fault: 'magic' | 'md5'; found: number } {
  const partitions: Partition[] = [];
  for (let at = PARTITION_TABLE; at < PARTITION_TABLE + TABLE_SIZE; at += ENTRY) {
    const magic = u16(flash, at);
    if (magic === 0xffff && partitions.length > 0) return partitions;
    if (magic === 0xebeb) {
      const digest = createHash('md5').update(flash.subarray(PARTITION_TABLE, at)).digest();
      if (Buffer.compare(digest, flash.subarray(at + 16, at + 32)) !== 0)
        return { fault: 'md5', found: magic };
      continue;
    }
    if (magic !== 0x50aa) return { fault: 'magic', found: magic };
    partitions.push({
      type: flash[at + 2] ?? 0,
      subtype: flash[at + 3] ?? 0,
      offset: u32(flash, at + 4),
      size: u32(flash, at + 8),
      label: text(flash, at + 12, 16),
    });
  }
  return partitions;
}

const APP = 0;
const FACTORY = 0x00;
const OTA_FIRST = 0x10;

/** Which app the second-stage loader tries, best first: by otadata, then factory, then the OTA slots. */
export function bootOrder(flash: Uint8Array, partitions: Partition[]): Partition[] {
  const apps = partitions.filter((partition) => partition.type === APP);
  const slots = apps.filter((app) => app.subtype >= OTA_FIRST && app.subtype < OTA_FIRST + 16);
  const factory = apps.filter((app) => app.subtype === FACTORY);
  const otadata = partitions.find((partition) => partition.type === 1 && partition.subtype === 0);
  const sequence = otadata
    ? Math.max(...[0, 0x1000].map((copy) => otaSequence(flash, otadata.offset + copy)))
    : 0;
  const chosen = sequence > 0 ? slots[(sequence - 1) % Math.max(1, slots.length)] : undefined;
  const rest = [...factory, ...slots].filter((app) => app !== chosen);
  return chosen ? [chosen, ...rest] : rest;
}

/** The sequence number of one otadata copy; 0 when it was never written or its CRC is wrong. */
function otaSequence(flash: Uint8Array, at: number): number {
  const sequence = u32(flash, at);
  if (sequence === 0xffffffff) return 0;
  return crc32(flash.subarray(at, at + 4)) === u32(flash, at + 28) ? sequence : 0;
}

/** CRC-32 as the ROM's `crc32_le` with all ones to begin with. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
