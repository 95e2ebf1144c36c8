/**
 * Archives, read with bounds: zip by its central directory, and gzip. Source: PKWARE's APPNOTE.TXT (4.3);
 * RFC 1952. Encrypted, split and zip64 archives are refused: no firmware needs them.
 */
import { promisify } from 'node:util';
import { crc32, gunzip as gunzipWithCallback, inflateRaw as inflateRawWithCallback } from 'node:zlib';
import { FirmwareError, tooLarge } from './errors.ts';

// zlib's asynchronous calls work off the event loop.
const gunzip = promisify(gunzipWithCallback);
const inflateRaw = promisify(inflateRawWithCallback);

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const LOCAL_LENGTH = 30;
const ENTRY_LENGTH = 46;
const END_LENGTH = 22;
const MAX_COMMENT = 0xffff;
/** ESP-IDF build folders have some thousand files; a list beyond that is no firmware. */
const MAX_ENTRIES = 20_000;
const ENCRYPTED = 0x1;
const STORED = 0;
const DEFLATED = 8;

export interface ZipEntry {
  /** With `/` between folders. */
  path: string;
  method: number;
  flags: number;
  crc: number;
  packedSize: number;
  size: number;
  headerAt: number;
}

export function isZip(bytes: Uint8Array): boolean {
  const magic = bytes.length >= 4 ? view(bytes).getUint32(0, true) : 0;
  return magic === LOCAL_HEADER || magic === DIRECTORY_END;
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** A zip archive in memory. What all its `read`s give together stays within `maxBytes`. */
export class Zip {
  readonly entries: readonly ZipEntry[];
  readonly #bytes: Uint8Array;
  readonly #name: string;
  readonly #maxBytes: number;
  #left: number;

  /** Reads the list of files. Throws `FirmwareError` 'zip-damaged'. */
  constructor(bytes: Uint8Array, options: { name: string; maxBytes: number }) {
    this.#bytes = bytes;
    this.#name = options.name;
    this.#maxBytes = options.maxBytes;
    this.#left = options.maxBytes;
    this.entries = this.#directory();
  }

  /** The bytes of one file, its CRC checked. Throws `FirmwareError` 'zip-damaged' or 'source-too-large'. */
  async read(entry: ZipEntry): Promise<Uint8Array> {
    if (entry.size > this.#left) throw tooLarge(this.#name, this.#maxBytes);
    this.#left -= entry.size;
    if ((entry.flags & ENCRYPTED) !== 0) throw damaged('encrypted', this.#name);
    const unpacked = await this.#unpack(entry, this.#packed(entry));
    if (unpacked.length !== entry.size) throw damaged('size', this.#name);
    if (crc32(unpacked) !== entry.crc) throw damaged('checksum', this.#name);
    return unpacked;
  }

  async #unpack({ method, size }: ZipEntry, packed: Uint8Array): Promise<Uint8Array> {
    if (method === STORED) return packed;
    if (method !== DEFLATED) throw damaged('method', this.#name);
    try {
      return await inflateRaw(packed, { maxOutputLength: Math.max(1, size) });
    } catch (error) {
      throw damaged('data', this.#name, error);
    }
  }

  #packed(entry: ZipEntry): Uint8Array {
    const at = entry.headerAt;
    const fields = view(this.#bytes);
    if (at + LOCAL_LENGTH > this.#bytes.length || fields.getUint32(at, true) !== LOCAL_HEADER) {
      throw damaged('file header', this.#name);
    }
    const start = at + LOCAL_LENGTH + fields.getUint16(at + 26, true) + fields.getUint16(at + 28, true);
    if (start + entry.packedSize > this.#bytes.length) throw damaged('truncated', this.#name);
    return this.#bytes.subarray(start, start + entry.packedSize);
  }

  #directory(): ZipEntry[] {
    const fields = view(this.#bytes);
    const end = this.#endOfDirectory();
    const count = fields.getUint16(end + 10, true);
    const start = fields.getUint32(end + 16, true);
    // All ones means that the true values stand in a zip64 record.
    if (count === 0xffff || start === 0xffffffff || count > MAX_ENTRIES) throw damaged('zip64', this.#name);
    const entries: ZipEntry[] = [];
    for (let i = 0, at = start; i < count; i++) {
      if (at + ENTRY_LENGTH > end || fields.getUint32(at, true) !== DIRECTORY_ENTRY) {
        throw damaged('directory', this.#name);
      }
      const nameLength = fields.getUint16(at + 28, true);
      const next =
        at + ENTRY_LENGTH + nameLength + fields.getUint16(at + 30, true) + fields.getUint16(at + 32, true);
      if (next > end) throw damaged('directory', this.#name);
      const path = Buffer.from(this.#bytes.subarray(at + ENTRY_LENGTH, at + ENTRY_LENGTH + nameLength));
      entries.push({
        path: path.toString('utf8').replaceAll('\\', '/'),
        flags: fields.getUint16(at + 8, true),
        method: fields.getUint16(at + 10, true),
        crc: fields.getUint32(at + 16, true),
        packedSize: fields.getUint32(at + 20, true),
        size: fields.getUint32(at + 24, true),
        headerAt: fields.getUint32(at + 42, true),
      });
      at = next;
    }
    return entries.filter(({ path }) => !path.endsWith('/'));
  }

  /** The end record is followed by nothing but its own comment. */
  #endOfDirectory(): number {
    const fields = view(this.#bytes);
    const last = this.#bytes.length - END_LENGTH;
    for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
      if (fields.getUint32(at, true) === DIRECTORY_END && fields.getUint16(at + 20, true) === last - at)
        return at;
    }
    throw damaged('truncated', this.#name);
  }
}

/** What a gzip file holds. Throws `FirmwareError` 'zip-damaged' or 'source-too-large'. */
export async function unpackGzip(
  bytes: Uint8Array,
  { name, maxBytes }: { name: string; maxBytes: number },
): Promise<Uint8Array> {
  try {
    return await gunzip(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(name, maxBytes) : damaged('data', name, error);
  }
}

function damaged(what: string, source: string, cause?: unknown): FirmwareError {
  return new FirmwareError(
    'zip-damaged',
    `${source}: the archive cannot be read (${what})`,
    { what, source },
    cause,
  );
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
