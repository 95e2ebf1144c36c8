/** The partition table: what lies where in the flash. Source: ESP-IDF "Partition Tables". */
import { createHash } from 'node:crypto';
import { EspError } from './errors.ts';
import { text } from './image.ts';

/** Where ESP-IDF and MicroPython keep the table. */
export const PARTITION_TABLE_OFFSET = 0x8000;
/** How far behind that place projects move it, sector by sector, for a larger loader. */
export const PARTITION_TABLE_MOVES = 0x10000;
/** Bytes of a whole table; the rest of its sector is unused. */
export const PARTITION_TABLE_SIZE = 0xc00;
const ENTRY = 32;
/** What the first two bytes of a row that is no partition are. */
const BLANK = 0xffff;
const MD5_ROW = 0xebeb;

export interface Partition {
  label: string;
  /** 0 = app, 1 = data; others are a project's own. */
  type: number;
  /** Of an app: 0 = factory, 0x10.. = OTA slots. Of data: 2 = NVS, 0x81 = FAT (MicroPython's vfs). */
  subtype: number;
  offset: number;
  size: number;
  encrypted: boolean;
}

/** Whether the same partitions lie at the same places. */
export function sameTable(a: readonly Partition[], b: readonly Partition[] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function samePartition(a: Partition, b: Partition): boolean {
  return sameTable([a], [b]);
}

/** Whether a partition table begins here. */
export function isPartitionTable(bytes: Uint8Array): boolean {
  return bytes[0] === 0xaa && bytes[1] === 0x50;
}

/** Whether a row is there that ends a table: a blank one, or that with the MD5. */
export function isTableEnded(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + ENTRY <= bytes.length; at += ENTRY) {
    const magic = view.getUint16(at, true);
    if (magic === BLANK || magic === MD5_ROW) return true;
  }
  return false;
}

/**
 * Reads the entries up to the first blank one; checks the MD5 row where there is one.
 * Throws `EspError` 'image-damaged' for a row that is neither or an MD5 that does not match.
 */
export function parsePartitions(bytes: Uint8Array): Partition[] {
  const partitions: Partition[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + ENTRY <= Math.min(bytes.length, PARTITION_TABLE_SIZE); at += ENTRY) {
    const magic = view.getUint16(at, true);
    if (magic === BLANK) break;
    if (magic === MD5_ROW) {
      checkMd5(bytes, at);
      break;
    }
    if (magic !== 0x50aa) throw damaged(at);
    partitions.push({
      type: view.getUint8(at + 2),
      subtype: view.getUint8(at + 3),
      offset: view.getUint32(at + 4, true),
      size: view.getUint32(at + 8, true),
      label: text(bytes.subarray(at + 12, at + 28)),
      encrypted: (view.getUint32(at + 28, true) & 1) !== 0,
    });
  }
  return partitions;
}

function checkMd5(bytes: Uint8Array, at: number): void {
  const digest = createHash('md5').update(bytes.subarray(0, at)).digest();
  if (!digest.equals(bytes.subarray(at + 16, at + ENTRY))) throw damaged(at);
}

function damaged(at: number): EspError {
  const facts = { what: 'partition table', offset: at };
  return new EspError('image-damaged', `the partition table is damaged (byte ${at})`, facts);
}

const APP_TYPE = 0;
const DATA_TYPE = 1;

/** Whether it holds a program. */
export function isApplication({ type }: Partition): boolean {
  return type === APP_TYPE;
}

/** Types from here on are a project's own. */
const FIRST_OWN_TYPE = 0x40;

/** Whether it holds files, settings, or what only its project knows, rather than a program. */
export function isData({ type }: Partition): boolean {
  return type === DATA_TYPE || type >= FIRST_OWN_TYPE;
}

const OTADATA_SUBTYPE = 0;

/** Whether it says which application starts. */
export function isOtaData({ type, subtype }: Partition): boolean {
  return type === DATA_TYPE && subtype === OTADATA_SUBTYPE;
}

/** Subtypes of data partitions with files: FAT, SPIFFS, LittleFS. */
const FILE_SYSTEMS: ReadonlySet<number> = new Set([0x81, 0x82, 0x83]);

export function isFileSystem({ type, subtype }: Partition): boolean {
  return type === DATA_TYPE && FILE_SYSTEMS.has(subtype);
}
