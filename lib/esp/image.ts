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
  /** Bytes from the header to the end of checksum and hash. */
  length: number;
  /** Whether this is an application (it begins with an app descriptor), not a loader. */
  isApp: boolean;
  /** From the app descriptor; MicroPython leaves both empty. */
  project?: string;
  version?: string;
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
  const hashed = extendedHeader && bytes[23] === 1;
  if (hashed) {
    checkHash(bytes, length);
    length += HASH_LENGTH;
  }
  return {
    ...(extendedHeader ? { chipId: view.getUint16(12, true) } : {}),
    minRevision: extendedHeader ? view.getUint16(15, true) : 0,
    maxRevision: extendedHeader ? view.getUint16(17, true) : 0xffff,
    length,
    ...appDescriptor(bytes, headerLength + SEGMENT_HEADER),
  };
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

/** Magic, version word, 8 reserved bytes, then version and project as 32-byte strings. */
function appDescriptor(bytes: Uint8Array, at: number): Pick<Image, 'isApp' | 'project' | 'version'> {
  if (bytes.length < at + 80) return { isApp: false };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(at, true) !== APP_DESCRIPTOR_MAGIC) return { isApp: false };
  const version = text(bytes.subarray(at + 16, at + 48));
  const project = text(bytes.subarray(at + 48, at + 80));
  return { isApp: true, ...(project ? { project } : {}), ...(version ? { version } : {}) };
}

/** A zero-terminated string. */
export function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}
