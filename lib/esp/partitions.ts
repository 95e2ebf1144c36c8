/** The partition table: what lies where in the flash. Source: ESP-IDF "Partition Tables". */
import { createHash } from 'node:crypto';
import { EspError } from './errors.ts';
import { text } from './image.ts';

/** Where ESP-IDF and MicroPython keep the table. */
export const PARTITION_TABLE_OFFSET = 0x8000;
/** Bytes of a whole table; the rest of its sector is unused. */
export const PARTITION_TABLE_SIZE = 0xc00;
const ENTRY = 32;

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

/** Whether a partition table begins here. */
export function isPartitionTable(bytes: Uint8Array): boolean {
  return bytes[0] === 0xaa && bytes[1] === 0x50;
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
    if (magic === 0xffff) break;
    if (magic === 0xebeb) {
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

/** Whether it holds files or settings rather than a program. */
export function isData({ type }: Partition): boolean {
  return type === DATA_TYPE;
}
