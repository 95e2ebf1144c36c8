/**
 * Files as one stream of bytes, as `board/receive.py` reads it: of each file the length of its path, its size and the
 * length of its check, then path, check and content; at the end a path of no length.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export interface OutgoingFile {
  /** From the root, as `boardPath` takes it. */
  path: string;
  content: Uint8Array;
}

/** How the board makes sure that a file is what was sent: by SHA-256, or CRC-32 where its firmware has no hashes. */
export type Check = 'sha256' | 'crc32';

const HEADER = 7;
/** Bytes of a SHA-256 that are compared: all that many small files cost is the wire. */
const CHECKED = 8;

export class Outgoing {
  readonly bytes: Buffer;
  /** Where the content of each file begins and ends in the stream. */
  readonly #places: { begin: number; end: number }[] = [];

  constructor(files: readonly OutgoingFile[], check: Check) {
    const pieces: Uint8Array[] = [];
    let at = 0;
    for (const file of files) {
      const header = headerOf(file, check);
      pieces.push(header, file.content);
      const begin = at + header.length;
      at = begin + file.content.length;
      this.#places.push({ begin, end: at });
    }
    this.bytes = Buffer.concat([...pieces, Buffer.alloc(HEADER)]);
  }

  /** Where file `index` ends: the board may have it only when all before that has been sent. */
  endOf(index: number): number {
    return this.#places[index]?.end ?? this.bytes.length;
  }

  /** Bytes of content in what lies before a place of the stream. */
  contentBefore(at: number): number {
    return this.#places.reduce((sum, { begin, end }) => sum + Math.max(0, Math.min(at, end) - begin), 0);
  }
}

function headerOf({ path, content }: OutgoingFile, check: Check): Buffer {
  const name = Buffer.from(path, 'utf8');
  const expected =
    check === 'sha256'
      ? createHash('sha256').update(content).digest().subarray(0, CHECKED)
      : crcBytes(content);
  const header = Buffer.alloc(HEADER);
  header.writeUInt16LE(name.length, 0);
  header.writeUInt32LE(content.length, 2);
  header.writeUInt8(expected.length, 6);
  return Buffer.concat([header, name, expected]);
}

function crcBytes(content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(crc32(content));
  return bytes;
}
