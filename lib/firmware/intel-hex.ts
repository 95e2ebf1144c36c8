/**
 * Intel HEX: lines of `:` length, address, type, data, checksum. Source: Intel's "Hexadecimal Object File
 * Format Specification" (1988). esptool's `merge-bin --format hex` writes flash offsets as addresses.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FirmwareError } from './errors.ts';
import { joinBlocks, MAX_FLASH } from './parts.ts';
import type { Block, Contents } from './parts.ts';

const COLON = 0x3a;
const NEWLINE = 0x0a;
const SPACE = 0x20;
/** Lines between two turns of the event loop, some milliseconds of work. */
const LINES_A_TURN = 4096;

/** Records of up to 255 bytes, as text, with a line's end. */
const MAX_LINE = 1 + 2 * (5 + 255) + 2;

/** Kinds of record. */
const TYPE = { DATA: 0, END: 1, SEGMENT: 2, START_SEGMENT: 3, LINEAR: 4, START_LINEAR: 5 };

const DIGITS = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  const letter = value.toString(16);
  DIGITS[letter.charCodeAt(0)] = value;
  DIGITS[letter.toUpperCase().charCodeAt(0)] = value;
}

/** Whether the file begins with a record: a colon and at least one byte in hex. */
export function isIntelHex(bytes: Uint8Array): boolean {
  return bytes[0] === COLON && digit(bytes, 1) >= 0 && digit(bytes, 2) >= 0;
}

/**
 * The parts of an Intel HEX file. Every checksum is checked, and that the end record is there and last.
 * Throws `FirmwareError` 'hex-damaged' or 'source-too-large', and the signal's reason when aborted.
 */
export async function parseIntelHex(
  bytes: Uint8Array,
  options: { name: string; maxBytes: number; signal: AbortSignal },
): Promise<Contents> {
  const hex = new Hex();
  let number = 0;
  const fail = (what: string): FirmwareError => damaged(what, number, options.name);
  for (const line of linesOf(bytes)) {
    number++;
    if (number % LINES_A_TURN === 0) {
      await nextTurn();
      options.signal.throwIfAborted();
    }
    const wrong = line.length > 0 ? hex.take(line) : undefined;
    if (wrong !== undefined) throw fail(wrong);
  }
  if (!hex.hasEnded) throw fail('truncated');
  const parts = joinBlocks(hex.blocks, { ...options, overlap: () => fail('overlap') });
  if (parts.length === 0) throw fail('no data');
  return { parts };
}

function damaged(what: string, line: number, source: string): FirmwareError {
  const message = `the HEX file is damaged (${what} in line ${line})`;
  return new FirmwareError('hex-damaged', message, { what, line, source });
}

/** The lines without their ends; `\n`, `\r\n` and trailing spaces are forgiven. */
function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let begin = 0; begin < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, begin);
    const next = newline < 0 ? bytes.length : newline;
    let end = next;
    while (end > begin && (bytes[end - 1] ?? 0) <= SPACE) end--;
    yield bytes.subarray(begin, end);
    begin = next + 1;
  }
}

/** What the records that have come so far add up to. */
class Hex {
  readonly blocks: Block[] = [];
  hasEnded = false;
  /** What the addresses of the records count from. */
  #base = 0;

  /** Takes one line; what is wrong with it, if anything. */
  take(line: Uint8Array): string | undefined {
    if (this.hasEnded) return 'text behind the end';
    const record = readRecord(line);
    return typeof record === 'string' ? record : this.#add(record);
  }

  #add({ type, address, data }: HexRecord): string | undefined {
    switch (type) {
      case TYPE.DATA:
        if (this.#base + address + data.length > MAX_FLASH) return 'address';
        this.blocks.push({ address: this.#base + address, bytes: data });
        return undefined;
      case TYPE.END:
        this.hasEnded = true;
        return undefined;
      case TYPE.SEGMENT:
      case TYPE.LINEAR:
        if (data.length !== 2) return 'length';
        this.#base = wordAt(data, 0) * (type === TYPE.SEGMENT ? 0x10 : 0x10000);
        return undefined;
      case TYPE.START_SEGMENT:
      case TYPE.START_LINEAR:
        // Where a program starts, the chip knows from the image.
        return undefined;
      default:
        return 'type';
    }
  }
}

interface HexRecord {
  type: number;
  address: number;
  data: Uint8Array;
}

/** One record, or what is wrong with it. */
function readRecord(line: Uint8Array): HexRecord | string {
  if (line[0] !== COLON) return 'no colon';
  const digits = line.length - 1;
  if (digits < 10 || digits % 2 !== 0 || digits > MAX_LINE) return 'length';
  const fields = new Uint8Array(digits / 2);
  let sum = 0;
  for (let i = 0; i < fields.length; i++) {
    const high = digit(line, 1 + 2 * i);
    const low = digit(line, 2 + 2 * i);
    if (high < 0 || low < 0) return 'digit';
    fields[i] = high * 16 + low;
    sum += high * 16 + low;
  }
  if (fields[0] !== fields.length - 5) return 'length';
  if ((sum & 0xff) !== 0) return 'checksum';
  return { type: fields[3] ?? 0, address: wordAt(fields, 1), data: fields.subarray(4, -1) };
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}

function digit(bytes: Uint8Array, at: number): number {
  return DIGITS[bytes[at] ?? 0] ?? -1;
}
