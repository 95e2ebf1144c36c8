/**
 * The ESP image format: an 8-byte header (24 from ESP32 on), segments, a checksum, often a SHA-256.
 * Source: ESP-IDF "App Image Format" and the bootloader's `esp_image_format.h`.
 */
import { createHash } from 'node:crypto';
import { EspError } from './errors.ts';
import { checksum } from './protocol.ts';

export const IMAGE_MAGIC = 0xe9;
const SHORT_HEADER = 8;
const EXTENDED_HEADER = 24;
const SEGMENT_HEADER = 8;
const MAX_SEGMENTS = 16;
const HASH_LENGTH = 32;
const APP_DESCRIPTOR_MAGIC = 0xabcd5432;

export interface Image {
  /** Chip id of the header; absent on ESP8266 images, whose header is short. */
  chipId?: number;
  /** Lowest and highest chip revision the image runs on, as major * 100 + minor; 0 and 65535 mean any. */
  minRevision: number;
  maxRevision: number;
  /** Where its SHA-256 lies, which is over all before it; absent without one. */
  hashAt?: number;
  /** Whether a signature of Secure Boot V2 stands behind it. */
  isSigned: boolean;
  /** Bytes from the header to the end of checksum and hash. */
  length: number;
  /** Whether this is an application (it begins with an app descriptor), not a loader. */
  isApp: boolean;
}

/**
 * Parses and checks the image at the begin of `bytes`; what follows it is left alone.
 * Throws `EspError` 'image-not-esp' or 'image-damaged' with the offset at which it breaks.
 */
export function parseImage(bytes: Uint8Array, extendedHeader = true): Image {
  if (bytes[0] !== IMAGE_MAGIC) {
    const found = Buffer.from(bytes.subarray(0, 4)).toString('hex');
    throw new EspError('image-not-esp', `an ESP image begins with e9, this with ${found}`, { found });
  }
  const headerLength = extendedHeader ? EXTENDED_HEADER : SHORT_HEADER;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < headerLength) throw damaged('truncated', bytes.length);
  const segments = view.getUint8(1);
  if (segments === 0 || segments > MAX_SEGMENTS) throw damaged('segments', 1);

  let at = headerLength;
  let sum: number | undefined;
  for (let i = 0; i < segments; i++) {
    if (at + SEGMENT_HEADER > bytes.length) throw damaged('truncated', at);
    const end = at + SEGMENT_HEADER + view.getUint32(at + 4, true);
    if (end > bytes.length) throw damaged('truncated', bytes.length);
    sum = checksum(bytes.subarray(at + SEGMENT_HEADER, end), sum);
    at = end;
  }
  // The checksum is the last byte of a group of 16.
  const checksumAt = at | 15;
  if (checksumAt >= bytes.length) throw damaged('truncated', bytes.length);
  if (bytes[checksumAt] !== sum) throw damaged('checksum', checksumAt);
  let length = checksumAt + 1;
  const hashAt = extendedHeader && bytes[23] === 1 ? length : undefined;
  if (hashAt !== undefined) {
    checkHash(bytes, hashAt);
    length += HASH_LENGTH;
  }
  return {
    ...(extendedHeader ? { chipId: view.getUint16(12, true) } : {}),
    ...(extendedHeader ? revisionsOf(view) : { minRevision: 0, maxRevision: ANY_REVISION }),
    length,
    ...(hashAt === undefined ? {} : { hashAt }),
    isSigned: isSignature(bytes, Math.ceil(length / SIGNATURE_ALIGNMENT) * SIGNATURE_ALIGNMENT),
    isApp: appDescriptor(bytes, headerLength + SEGMENT_HEADER) !== undefined,
  };
}

const ANY_REVISION = 0xffff;
const ESP32_C3_ID = 5;

/**
 * Images made before ESP-IDF 4.4.3 say it in one byte, as a minor revision on the C3 and a major one else; the
 * later fields are then blank (no maximum at all, or no minimum).
 */
function revisionsOf(view: DataView): Pick<Image, 'minRevision' | 'maxRevision'> {
  const old = view.getUint8(14);
  const minRevision = view.getUint16(15, true);
  const maxRevision = view.getUint16(17, true);
  const isOld = maxRevision === 0 || (maxRevision === ANY_REVISION && minRevision === 0);
  if (!isOld) return { minRevision, maxRevision };
  const step = view.getUint16(12, true) === ESP32_C3_ID ? 1 : 100;
  return { minRevision: old * step, maxRevision: ANY_REVISION };
}

/** Sector behind a signed image; magic byte, then 2 for RSA or 3 for ECDSA keys. */
const SIGNATURE_ALIGNMENT = 4096;
const SIGNATURE_MAGIC = 0xe7;

function isSignature(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === SIGNATURE_MAGIC && (bytes[at + 1] === 2 || bytes[at + 1] === 3);
}

function checkHash(bytes: Uint8Array, length: number): void {
  const stored = bytes.subarray(length, length + HASH_LENGTH);
  if (stored.length < HASH_LENGTH) throw damaged('truncated', bytes.length);
  const actual = createHash('sha256').update(bytes.subarray(0, length)).digest();
  if (!actual.equals(stored)) throw damaged('hash', length);
}

function damaged(what: 'truncated' | 'checksum' | 'hash' | 'segments', offset: number): EspError {
  return new EspError('image-damaged', `the image is damaged (${what} at byte ${offset})`, { what, offset });
}

/** What an application says of itself; fields left empty are absent. */
export interface AppDescriptor {
  project?: string;
  version?: string;
  /** Of ESP-IDF. */
  idf?: string;
  /** When it was built, `Jan  1 2026 12:00:00`. */
  built?: string;
}

/** Of an application that begins with the first byte; `undefined` for anything else. */
export function appDescriptorAt(bytes: Uint8Array): AppDescriptor | undefined {
  return bytes[0] === IMAGE_MAGIC ? appDescriptor(bytes, EXTENDED_HEADER + SEGMENT_HEADER) : undefined;
}

const DESCRIPTOR_LENGTH = 144;

/** Magic, version word, 8 reserved bytes, then version, project (32 each), time, date (16 each), IDF version. */
function appDescriptor(bytes: Uint8Array, at: number): AppDescriptor | undefined {
  if (bytes.length < at + DESCRIPTOR_LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(at, true) !== APP_DESCRIPTOR_MAGIC) return undefined;
  const field = (from: number, length: number): string => text(bytes.subarray(at + from, at + from + length));
  const fields = {
    version: field(16, 32),
    project: field(48, 32),
    idf: field(112, 32),
    built: `${field(96, 16)} ${field(80, 16)}`.trim(),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

/** A zero-terminated string. */
export function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}
