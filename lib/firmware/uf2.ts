/**
 * UF2: firmware as blocks of 512 bytes, each with its flash address. Source: the UF2 specification of
 * Microsoft and its list of families. esptool's `merge-bin --format uf2`, and so `idf.py uf2`, writes flash
 * offsets as addresses.
 */
import { hex } from '../errors/facts.ts';
import { createHash } from 'node:crypto';
import { FirmwareError } from './errors.ts';
import { joinBlocks, MAX_FLASH } from './parts.ts';
import type { Block, Contents, FirmwarePart } from './parts.ts';

const BLOCK = 512;
const MAGIC_START = 0x0a324655;
const MAGIC_SECOND = 0x9e5d5157;
const MAGIC_END = 0x0ab16f30;
const DATA = 32;
const MAX_DATA = 476;
/** Start, length and MD5 of a region, at the end of the data field. */
const MD5_TAIL = 24;

const NOT_MAIN_FLASH = 0x1;
const FILE_CONTAINER = 0x1000;
const HAS_FAMILY = 0x2000;
const HAS_MD5 = 0x4000;

const FAMILIES: Readonly<Record<number, string>> = {
  0x7eab61ed: 'ESP8266',
  0x1c5f21b0: 'ESP32',
  0xbfdd4eee: 'ESP32-S2',
  0xc47e5767: 'ESP32-S3',
  0x2b88d29c: 'ESP32-C2',
  0xd42ba06c: 'ESP32-C3',
  0xf71c0343: 'ESP32-C5',
  0x540ddf62: 'ESP32-C6',
  0x77d850c4: 'ESP32-C61',
  0x332726f6: 'ESP32-H2',
  0x9e0baa8a: 'ESP32-H4',
  0x3d308e94: 'ESP32-P4',
  0x3101f7c1: 'ESP32-S31',
};

/** Header of an image and of its first segment lie before the descriptor by which an application is known. */
const APP_DESCRIPTOR = 32;
const APP_DESCRIPTOR_MAGIC = 0xabcd5432;

export function isUf2(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && view(bytes).getUint32(0, true) === MAGIC_START;
}

/**
 * The parts of a UF2 file and its chip. Every block is checked: magics, number, size, address, MD5.
 * An application made for the TinyUF2 loader counts its addresses from the begin of its partition: it is
 * given without an offset, as any application alone.
 * Throws `FirmwareError` 'uf2-damaged', 'uf2-wrong-family' or 'source-too-large'.
 */
export function parseUf2(bytes: Uint8Array, options: { name: string; maxBytes: number }): Contents {
  const fail: Fail = (what, offset) => damaged(what, offset, options.name);
  const blocks = readBlocks(bytes, fail);
  checkNumbers(blocks, fail);
  const chip = chipOf(blocks, options.name);
  const inFlash = blocks.filter(({ inMainFlash }) => inMainFlash);
  const parts = joinBlocks(inFlash, { ...options, overlap: ({ at }) => fail('overlap', at) });
  if (parts.length === 0) throw fail('no data', 0);
  return { parts: parts.length === 1 ? parts.map(unplacedApp) : parts, ...(chip ? { chip } : {}) };
}

type Fail = (what: string, offset: number) => FirmwareError;

function damaged(what: string, offset: number, source: string): FirmwareError {
  const message = `the UF2 file is damaged (${what} at byte ${offset})`;
  return new FirmwareError('uf2-damaged', message, { what, offset, source });
}

interface Uf2Block extends Block {
  /** Where in the file it begins. */
  at: number;
  number: number;
  count: number;
  /** `undefined` where the block names none. */
  family: number | undefined;
  inMainFlash: boolean;
}

function readBlocks(bytes: Uint8Array, fail: Fail): Uf2Block[] {
  if (bytes.length === 0 || bytes.length % BLOCK !== 0) throw fail('truncated', bytes.length);
  return Array.from({ length: bytes.length / BLOCK }, (_, i) => {
    const at = i * BLOCK;
    const block = readBlock(bytes.subarray(at, at + BLOCK));
    if (typeof block === 'string') throw fail(block, at);
    return { ...block, at };
  });
}

/**
 * Every block is there once. esptool numbers the blocks of each file it puts in from 0; other tools number them
 * throughout.
 */
function checkNumbers(blocks: readonly Uf2Block[], fail: Fail): void {
  let run = { count: 0, seen: new Set<number>() };
  for (const [i, { number, count, at }] of blocks.entries()) {
    if (run.seen.size === run.count) {
      if (count === 0 || count > blocks.length - i) throw fail('number of blocks', at);
      run = { count, seen: new Set() };
    }
    if (count !== run.count) throw fail('number of blocks', at);
    if (number >= count || run.seen.has(number)) throw fail('block number', at);
    run.seen.add(number);
  }
}

function chipOf(blocks: readonly Uf2Block[], source: string): string | undefined {
  let family: number | undefined;
  for (const block of blocks) {
    if (family !== undefined && block.family !== family) throw wrongFamily(block.family, source);
    family = block.family;
  }
  if (family === undefined) return undefined;
  const chip = FAMILIES[family];
  if (chip === undefined) throw wrongFamily(family, source);
  return chip;
}

/** One block, or what is wrong with it. */
function readBlock(bytes: Uint8Array): Omit<Uf2Block, 'at'> | string {
  const fields = view(bytes);
  const word = (at: number): number => fields.getUint32(at, true);
  if (word(0) !== MAGIC_START || word(4) !== MAGIC_SECOND || word(508) !== MAGIC_END) return 'magic';
  const flags = word(8);
  if ((flags & FILE_CONTAINER) !== 0) return 'file container';
  const address = word(12);
  const size = word(16);
  const limit = (flags & HAS_MD5) === 0 ? MAX_DATA : MAX_DATA - MD5_TAIL;
  if (size === 0 || size > limit) return 'size';
  const inMainFlash = (flags & NOT_MAIN_FLASH) === 0;
  if (inMainFlash && address + size > MAX_FLASH) return 'address';
  const data = bytes.subarray(DATA, DATA + size);
  if ((flags & HAS_MD5) !== 0 && !md5Matches(bytes, address, data)) return 'MD5';
  const family = (flags & HAS_FAMILY) === 0 ? undefined : word(28);
  return { number: word(20), count: word(24), family, inMainFlash, address, bytes: data };
}

/**
 * The MD5 lies at the end of the data field by the specification, right behind the data as esptool writes it. It
 * may be of a larger region, for loaders that compare before they write; only the block's own is checked.
 */
function md5Matches(bytes: Uint8Array, address: number, data: Uint8Array): boolean {
  for (const at of [DATA + MAX_DATA - MD5_TAIL, DATA + data.length]) {
    const tail = bytes.subarray(at, at + MD5_TAIL);
    const fields = view(tail);
    if (fields.getUint32(0, true) !== address || fields.getUint32(4, true) !== data.length) continue;
    return createHash('md5').update(data).digest().equals(tail.subarray(8));
  }
  return true;
}

/** At address 0 no chip has an application; there it is one for TinyUF2. */
function unplacedApp(part: FirmwarePart): FirmwarePart {
  const isApp =
    part.offset === 0 &&
    part.bytes.length >= APP_DESCRIPTOR + 4 &&
    part.bytes[0] === 0xe9 &&
    view(part.bytes).getUint32(APP_DESCRIPTOR, true) === APP_DESCRIPTOR_MAGIC;
  return isApp ? { bytes: part.bytes, name: part.name } : part;
}

function wrongFamily(family: number | undefined, source: string): FirmwareError {
  const name = family === undefined ? 'none' : hex(family);
  return new FirmwareError('uf2-wrong-family', `the UF2 file is for family ${name}`, {
    family: name,
    source,
  });
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
