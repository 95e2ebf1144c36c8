/**
 * The files of the board in the vfs partition. Not littlefs on the flash, but with its promises:
 * a file changes at once when it is closed, and power may go at any byte without harm.
 *
 * Content lies in data sectors that are never written twice between erases. The tree lies in a log
 * of checksummed records in one of two banks; a full bank is written anew into the other, whose
 * header, written last, makes it the valid one. The flash is only ever programmed where erased.
 */
import { crc32 } from 'node:zlib';
import { SECTOR_SIZE } from '../nor-flash.ts';

/** A partition. `program` clears bits; `erase` takes one whole sector. */
export interface FlashArea {
  readonly bytes: Uint8Array;
  program(at: number, data: Uint8Array): void;
  erase(at: number): void;
}

export class StoreFullError extends Error {
  override name = 'StoreFullError';
}

type Entry = { kind: 'dir' } | { kind: 'file'; size: number; crc: number; sectors: readonly number[] };

interface FileRecord {
  type: 'file';
  path: string;
  size: number;
  crc: number;
  sectors: readonly number[];
}
type LogRecord =
  | FileRecord
  | { type: 'dir'; path: string }
  | { type: 'remove'; path: string }
  | { type: 'rename'; path: string; to: string };

const MAGIC = 0x53464256;
const HEADER_SIZE = 12;
/** Length before and CRC after a record. */
const FRAME_SIZE = 2 + 4;
const ERASED_LENGTH = 0xffff;

export class VfsStore {
  readonly sectors: number;
  readonly #area: FlashArea;
  readonly #bankSectors: number;
  readonly #entries = new Map<string, Entry>();
  #generation = 0;
  #bank = 0;
  #end = HEADER_SIZE;
  #next = 0;

  constructor(area: FlashArea) {
    this.#area = area;
    this.sectors = Math.floor(area.bytes.length / SECTOR_SIZE);
    this.#bankSectors = Math.max(2, this.sectors >> 5);
    this.#next = this.#firstData;
  }

  get #bankSize(): number {
    return this.#bankSectors * SECTOR_SIZE;
  }

  get #firstData(): number {
    return this.#bankSectors * 2;
  }

  get freeSectors(): number {
    return this.sectors - this.#firstData - this.#used().size;
  }

  /** As after an erase: there never was a file system. */
  get isBlank(): boolean {
    return isErased(this.#area.bytes.subarray(0, SECTOR_SIZE));
  }

  format(): void {
    this.#entries.clear();
    for (let at = 0; at < this.#firstData; at++) this.#area.erase(at * SECTOR_SIZE);
    this.#generation = 0;
    this.#writeBank(0);
  }

  /** False if there is nothing that can be mounted. */
  mount(): boolean {
    const generations = [0, 1].map((bank) => this.#readGeneration(bank));
    const newest = Math.max(...generations);
    if (newest === 0) return false;
    this.#bank = generations.indexOf(newest);
    this.#generation = newest;
    const clean = this.#replay();
    const readable = [...this.#entries.keys()].every((path) => this.#isWhole(path));
    if (!readable) return false;
    if (!clean) this.#compact();
    else if ((generations[1 - this.#bank] ?? 0) > 0) this.#retire(1 - this.#bank);
    return true;
  }

  /** Parents come before their children. */
  *tree(): Generator<{ path: string; data?: Uint8Array }> {
    for (const path of [...this.#entries.keys()].sort()) {
      const entry = this.#entries.get(path);
      if (entry?.kind === 'dir') yield { path };
      else if (entry) yield { path, data: this.#content(entry.sectors, entry.size) };
    }
  }

  writeFile(path: string, data: Uint8Array): void {
    const old = this.#entries.get(path);
    const oldSectors = old?.kind === 'file' ? old.sectors : [];
    const chunks = Array.from({ length: Math.ceil(data.length / SECTOR_SIZE) }, (_, i) =>
      data.subarray(i * SECTOR_SIZE, (i + 1) * SECTOR_SIZE),
    );
    const kept = chunks.map((chunk, i) => {
      const sector = oldSectors[i];
      return sector !== undefined && this.#holds(sector, chunk) ? sector : undefined;
    });
    const free = this.#allocate(kept.filter((sector) => sector === undefined).length);
    const sectors = chunks.map((chunk, i) => {
      const same = kept[i];
      if (same !== undefined) return same;
      const sector = free.pop() ?? 0;
      this.#area.erase(sector * SECTOR_SIZE);
      this.#area.program(sector * SECTOR_SIZE, chunk);
      return sector;
    });
    this.#commit({ type: 'file', path, size: data.length, crc: crc32(data), sectors });
  }

  mkdir(path: string): void {
    this.#commit({ type: 'dir', path });
  }

  remove(path: string): void {
    this.#commit({ type: 'remove', path });
  }

  rename(path: string, to: string): void {
    this.#commit({ type: 'rename', path, to });
  }

  #used(): Set<number> {
    return new Set(
      [...this.#entries.values()].flatMap((entry) => (entry.kind === 'file' ? entry.sectors : [])),
    );
  }

  #allocate(count: number): number[] {
    const used = this.#used();
    const data = this.sectors - this.#firstData;
    const free: number[] = [];
    for (let i = 0; i < data && free.length < count; i++) {
      const sector = this.#firstData + ((this.#next - this.#firstData + i) % data);
      if (!used.has(sector)) free.push(sector);
    }
    if (free.length < count) throw new StoreFullError();
    this.#next = (free.at(-1) ?? this.#next - 1) + 1;
    return free.reverse();
  }

  #holds(sector: number, chunk: Uint8Array): boolean {
    const at = sector * SECTOR_SIZE;
    return Buffer.compare(this.#area.bytes.subarray(at, at + chunk.length), chunk) === 0;
  }

  #content(sectors: readonly number[], size: number): Uint8Array {
    const data = new Uint8Array(sectors.length * SECTOR_SIZE);
    sectors.forEach((sector, i) => {
      const at = sector * SECTOR_SIZE;
      data.set(this.#area.bytes.subarray(at, at + SECTOR_SIZE), i * SECTOR_SIZE);
    });
    return data.subarray(0, size);
  }

  #isWhole(path: string): boolean {
    const entry = this.#entries.get(path);
    return entry?.kind !== 'file' || crc32(this.#content(entry.sectors, entry.size)) === entry.crc;
  }

  #apply(record: LogRecord): void {
    if (record.type === 'file') {
      const { size, crc, sectors } = record;
      this.#entries.set(record.path, { kind: 'file', size, crc, sectors });
    } else if (record.type === 'dir') this.#entries.set(record.path, { kind: 'dir' });
    else if (record.type === 'remove') this.#entries.delete(record.path);
    else {
      const moved = [...this.#entries].filter(
        ([path]) => path === record.path || path.startsWith(`${record.path}/`),
      );
      for (const [path] of moved) this.#entries.delete(path);
      for (const [path, entry] of moved) {
        this.#entries.set(record.to + path.slice(record.path.length), entry);
      }
    }
  }

  #commit(record: LogRecord): void {
    const frame = encode(record);
    if (this.#end + frame.length > this.#bankSize) {
      this.#compact();
      if (this.#end + frame.length > this.#bankSize) throw new StoreFullError();
    }
    this.#area.program(this.#bank * this.#bankSize + this.#end, frame);
    this.#end += frame.length;
    this.#apply(record);
  }

  #compact(): void {
    const old = this.#bank;
    this.#writeBank(1 - old);
    this.#retire(old);
  }

  /** So that an erase of the other bank alone cannot bring back an older world. */
  #retire(bank: number): void {
    this.#area.erase(bank * this.#bankSize);
  }

  #writeBank(bank: number): void {
    const records: LogRecord[] = [...this.#entries].map(([path, entry]) =>
      entry.kind === 'dir' ? { type: 'dir', path } : { type: 'file', path, ...entry },
    );
    const log = Buffer.concat(records.map(encode));
    if (HEADER_SIZE + log.length > this.#bankSize) throw new StoreFullError();
    const start = bank * this.#bankSize;
    for (let i = 0; i < this.#bankSectors; i++) this.#area.erase(start + i * SECTOR_SIZE);
    this.#area.program(start + HEADER_SIZE, log);
    const header = Buffer.alloc(HEADER_SIZE);
    header.writeUInt32LE(MAGIC, 0);
    header.writeUInt32LE(this.#generation + 1, 4);
    header.writeUInt32LE(crc32(header.subarray(0, 8)), 8);
    this.#area.program(start, header);
    this.#generation += 1;
    this.#bank = bank;
    this.#end = HEADER_SIZE + log.length;
  }

  /** 0 if this bank is not valid. */
  #readGeneration(bank: number): number {
    const header = this.#view(bank).subarray(0, HEADER_SIZE);
    const valid = header.readUInt32LE(0) === MAGIC && header.readUInt32LE(8) === crc32(header.subarray(0, 8));
    return valid ? header.readUInt32LE(4) : 0;
  }

  #view(bank: number): Buffer {
    const { buffer, byteOffset } = this.#area.bytes;
    return Buffer.from(buffer, byteOffset + bank * this.#bankSize, this.#bankSize);
  }

  /** False if the last record is torn: then nothing more can be programmed behind it. */
  #replay(): boolean {
    const log = this.#view(this.#bank);
    this.#entries.clear();
    this.#end = HEADER_SIZE;
    while (this.#end + FRAME_SIZE <= log.length) {
      const length = log.readUInt16LE(this.#end);
      if (length === ERASED_LENGTH) break;
      const record = decode(log.subarray(this.#end, this.#end + FRAME_SIZE + length));
      if (!record) return false;
      this.#apply(record);
      this.#end += FRAME_SIZE + length;
    }
    return isErased(log.subarray(this.#end));
  }
}

function isErased(bytes: Uint8Array): boolean {
  return Buffer.alloc(bytes.length, 0xff).equals(bytes);
}

function encode(record: LogRecord): Buffer {
  const payload = Buffer.from(JSON.stringify(record));
  const frame = Buffer.alloc(FRAME_SIZE + payload.length);
  frame.writeUInt16LE(payload.length, 0);
  payload.copy(frame, 2);
  frame.writeUInt32LE(crc32(frame.subarray(0, -4)), frame.length - 4);
  return frame;
}

function decode(frame: Buffer): LogRecord | undefined {
  const length = frame.readUInt16LE(0);
  if (frame.length < FRAME_SIZE + length) return undefined;
  if (frame.readUInt32LE(frame.length - 4) !== crc32(frame.subarray(0, -4))) return undefined;
  return JSON.parse(frame.toString('utf8', 2, frame.length - 4)) as LogRecord;
}
