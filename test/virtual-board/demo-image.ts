/**
 * Makes a small firmware image that a virtual board boots: bootloader, partition table and an app whose
 * descriptor says which program it is. The file is laid out as MicroPython's releases are: one merged
 * image that is written at the chip's bootloader offset.
 *
 * No line of firmware is in it; the payload is words and noise, mixed so that it compresses as real
 * firmware does (to about two thirds).
 */

import { createHash } from 'node:crypto';
import type { ChipName } from './chips.ts';
import { CHIPS } from './chips.ts';
import { ascii, checksum, concat, putU16, putU32, words } from './bytes.ts';
import { PARTITION_TABLE } from './image.ts';

export interface DemoImageOptions {
  chip?: ChipName;
  /** Bytes of the app's payload, default 200000. */
  payloadSize?: number;
  /** Project name in the app descriptor; `micropython` starts the interpreter. */
  project?: string;
  version?: string;
  /** A text in the app: by default the banner by which a release of MicroPython is known. */
  banner?: string;
  /** Flash size in MB that the header names. */
  flashMb?: 1 | 2 | 4 | 8 | 16;
  seed?: number;
}

const APP_OFFSET = 0x10000;
const SIZE_CODES = { 1: 0, 2: 1, 4: 2, 8: 3, 16: 4 };
const SIZE_CODES_ESP8266 = { 1: 2, 2: 3, 4: 4, 8: 8, 16: 9 };
const FREQUENCY_80M = 0xf;
const DIO = 2;

/** The image, and where it is written. */
export function demoImage(options: DemoImageOptions = {}): { offset: number; bytes: Uint8Array } {
  const chip = CHIPS[options.chip ?? 'esp32'];
  const version = options.version ?? 'v1.27.0';
  const project = options.project ?? 'micropython';
  const text = mixedPayload(options.payloadSize ?? 200_000, options.seed ?? 1);
  // As in a release, the banner lies among the constants at the begin.
  const banner =
    options.banner ?? (project === 'micropython' ? bannerOf(chip.name.toUpperCase(), version) : '');
  const payload = concat(padded(ascii(banner)), text);
  const flashMb = options.flashMb ?? 4;
  if (chip.imageChipId === undefined) {
    const name = project === 'micropython' ? `MicroPython ${version}` : project;
    const segments = [
      { address: 0x40100000, data: concat(padded(ascii(`${name}\0`)), payload) },
      { address: 0x3ffe8000, data: new Uint8Array(256) },
    ];
    const head = header(segments.length, 0x40100004, (SIZE_CODES_ESP8266[flashMb] << 4) | FREQUENCY_80M);
    return { offset: 0, bytes: sealed(head, segments) };
  }
  const sizeAndSpeed = (SIZE_CODES[flashMb] << 4) | FREQUENCY_80M;
  const bootloader = espImage(chip.imageChipId, sizeAndSpeed, 0x400805b0, [
    { address: 0x3fff0030, data: mixedPayload(4892, 2) },
    { address: 0x40078000, data: mixedPayload(14896, 3) },
    { address: 0x40080400, data: new Uint8Array(4) },
    { address: 0x40080404, data: mixedPayload(3372, 4) },
  ]);
  const app = espImage(chip.imageChipId, sizeAndSpeed, 0x4008127c, [
    { address: 0x3f400020, data: concat(descriptor(project, version), payload) },
    { address: 0x3ffbdb60, data: mixedPayload(8192, 5) },
    { address: 0x40080000, data: mixedPayload(16384, 6) },
  ]);
  const start = chip.bootloaderOffset;
  const bytes = new Uint8Array(APP_OFFSET - start + app.length).fill(0xff);
  bytes.set(bootloader, 0);
  bytes.set(partitionTable(), PARTITION_TABLE - start);
  bytes.set(app, APP_OFFSET - start);
  return { offset: start, bytes };
}

function bannerOf(chip: string, version: string): string {
  return `MicroPython ${version} on 2025-12-10\0; Generic ${chip} module with ${chip}\0`;
}

interface Part {
  address: number;
  data: Uint8Array;
}

function header(segments: number, entry: number, sizeAndSpeed: number): Uint8Array {
  const head = new Uint8Array(8);
  head.set([0xe9, segments, DIO, sizeAndSpeed]);
  putU32(head, 4, entry);
  return head;
}

function espImage(chipId: number, sizeAndSpeed: number, entry: number, parts: Part[]): Uint8Array {
  const extended = new Uint8Array(16);
  extended[0] = 0xee;
  putU16(extended, 4, chipId);
  putU16(extended, 9, 399);
  extended[15] = 1;
  const image = sealed(concat(header(parts.length, entry, sizeAndSpeed), extended), parts);
  return concat(image, Uint8Array.from(createHash('sha256').update(image).digest()));
}

/** Header, segments, padding, checksum. */
function sealed(head: Uint8Array, parts: Part[]): Uint8Array {
  const body = concat(head, ...parts.flatMap((part) => [words(part.address, part.data.length), part.data]));
  const image = new Uint8Array(Math.floor(body.length / 16) * 16 + 16);
  image.set(body);
  image[image.length - 1] = parts.reduce((sum, part) => checksum(part.data, sum), 0xef);
  return image;
}

const padded = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  out.set(bytes);
  return out;
};

function descriptor(project: string, version: string): Uint8Array {
  const bytes = new Uint8Array(256);
  putU32(bytes, 0, 0xabcd5432);
  bytes.set(ascii(version).subarray(0, 31), 16);
  bytes.set(ascii(project).subarray(0, 31), 48);
  bytes.set(ascii('12:00:00'), 80);
  bytes.set(ascii('Jan  1 2026'), 96);
  bytes.set(ascii('v5.5.1'), 112);
  return bytes;
}

/** As ESP32_GENERIC has it for 4 MB. */
function partitionTable(): Uint8Array {
  const row = (type: number, subtype: number, offset: number, size: number, label: string): Uint8Array => {
    const bytes = new Uint8Array(32);
    bytes.set([0xaa, 0x50, type, subtype]);
    putU32(bytes, 4, offset);
    putU32(bytes, 8, size);
    bytes.set(ascii(label), 12);
    return bytes;
  };
  const rows = concat(
    row(1, 0x02, 0x9000, 0x6000, 'nvs'),
    row(1, 0x01, 0xf000, 0x1000, 'phy_init'),
    row(0, 0x00, APP_OFFSET, 0x1f0000, 'factory'),
    row(1, 0x81, 0x200000, 0x200000, 'vfs'),
  );
  const md5 = new Uint8Array(32).fill(0xff);
  md5.set([0xeb, 0xeb]);
  md5.set(createHash('md5').update(rows).digest(), 16);
  const table = new Uint8Array(0xc00).fill(0xff);
  table.set(rows);
  table.set(md5, rows.length);
  return table;
}

const VOCABULARY =
  'load store branch call return task queue timer sensor network socket buffer string float import module ' +
  'exception traceback pin signal interrupt register peripheral flash sector wifi station scan connect';

/** Noise and words by turns, whole words of 4 bytes, the same for the same seed. */
function mixedPayload(size: number, seed: number): Uint8Array {
  const length = Math.ceil(size / 4) * 4;
  const out = new Uint8Array(length);
  const names = VOCABULARY.split(' ');
  let state = Math.imul(seed, 2654435761) >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  for (let at = 0; at < length;) {
    const noise = random() % 100 < 62;
    const run = noise
      ? Uint8Array.from({ length: 48 }, () => random() & 0xff)
      : ascii(Array.from({ length: 7 }, () => names[random() % names.length] ?? '').join('_'));
    out.set(run.subarray(0, Math.min(run.length, length - at)), at);
    at += run.length;
  }
  return out;
}
