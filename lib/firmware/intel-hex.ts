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
/** Lines between two turns of the event loop, some milliseconds of work. */
const LINES_A_TURN = 4096;

/** Records of up to 255 bytes, as text, with a line's end. */
const MAX_LINE = 1 + 2 * (5 + 255) + 2;

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
  let line = 0;
  const fail = (what: string): FirmwareError =>
    new FirmwareError('hex-damaged', `the HEX file is damaged (${what} in line ${line})`, {
      what,
      line,
      source: options.name,
    });
  const blocks: Block[] = [];
  let base = 0;
  let ended = false;
  for (let at = 0; at < bytes.length;) {
    line++;
    const text = lineAt(bytes, at);
    at = text.next;
    if (line % LINES_A_TURN === 0) {
      await nextTurn();
      options.signal.throwIfAborted();
    }
    if (text.end === text.start) continue;
    if (ended) throw fail('text behind the end');
    const record = readRecord(bytes, text.start, text.end);
    if (typeof record === 'string') throw fail(record);
    const { type, address, data } = record;
    if (type === 0) {
      const start = base + address;
      if (start + data.length > MAX_FLASH) throw fail('address');
      blocks.push({ address: start, bytes: data });
    } else if (type === 1) ended = true;
    else if (type === 2 || type === 4) {
      if (data.length !== 2) throw fail('length');
      const upper = (data[0] ?? 0) * 256 + (data[1] ?? 0);
      base = upper * (type === 2 ? 16 : 0x10000);
      // 3 and 5 name where a program starts; the chip knows that from the image.
    } else if (type !== 3 && type !== 5) throw fail('type');
  }
  if (!ended) throw fail('truncated');
  const parts = joinBlocks(blocks, { ...options, overlap: () => fail('overlap') });
  if (parts.length === 0) throw fail('no data');
  return { parts };
}

/** The line that begins at `at`, without its end; `\n`, `\r\n` and trailing spaces are forgiven. */
function lineAt(bytes: Uint8Array, at: number): { start: number; end: number; next: number } {
  let end = at;
  while (end < bytes.length && bytes[end] !== NEWLINE) end++;
  const next = end + 1;
  while (end > at && (bytes[end - 1] ?? 0) <= 0x20) end--;
  return { start: at, end, next };
}

/** One record, or what is wrong with it. */
function readRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
): { type: number; address: number; data: Uint8Array } | string {
  if (bytes[start] !== COLON) return 'no colon';
  const digits = end - start - 1;
  if (digits < 10 || digits % 2 !== 0 || digits > MAX_LINE) return 'length';
  const fields = new Uint8Array(digits / 2);
  let sum = 0;
  for (let i = 0; i < fields.length; i++) {
    const high = digit(bytes, start + 1 + 2 * i);
    const low = digit(bytes, start + 2 + 2 * i);
    if (high < 0 || low < 0) return 'digit';
    fields[i] = high * 16 + low;
    sum += high * 16 + low;
  }
  if (fields[0] !== fields.length - 5) return 'length';
  if ((sum & 0xff) !== 0) return 'checksum';
  const address = (fields[1] ?? 0) * 256 + (fields[2] ?? 0);
  return { type: fields[3] ?? 0, address, data: fields.subarray(4, -1) };
}

function digit(bytes: Uint8Array, at: number): number {
  return DIGITS[bytes[at] ?? 0] ?? -1;
}
