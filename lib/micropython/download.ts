/**
 * Files from a board: it sends checked frames (see `board/send.py`), and what did not arrive whole is asked
 * for again.
 */
import { inflateRawSync, crc32 } from 'node:zlib';
import { folderPath } from './board-path.ts';
import { boardScript } from './board-script.ts';
import { MicroPythonError } from './errors.ts';
import { fileError } from './file-error.ts';
import { groupsOf } from './groups.ts';
import type { RawRepl } from './raw-repl.ts';

export interface DownloadedFile {
  path: string;
  content: Buffer;
}

export interface DownloadOptions {
  /** Bytes of content that have come so far. */
  onProgress?: (done: number) => void;
}

const MARK = 0x1e;
const ESCAPE = 0x10;
const ESCAPE_BIT = 0x40;
const HEADER = 7;
const CHECKSUM = 4;
const KIND = { data: 0, deflated: 1, end: 2, error: 3 } as const;
/** Bytes of a file in one frame: as the board can hold them twice. */
const BLOCK = 2048;
/** No frame is longer, however it was escaped. */
const MAX_FRAME = 16 * 1024;
/** The board looks for a file among many, or the line is slow. */
const STALL_MS = 60_000;
const ROUNDS = 10;

/** Bytes of a file from `at` on; `end` `null`: to its end. */
type Piece = [path: string, at: number, end: number | null];

/** Throws `MicroPythonError` 'file-not-found' and others of the file system, 'file-damaged', 'python-error'. */
export async function readFiles(
  repl: RawRepl,
  paths: readonly string[],
  { onProgress }: DownloadOptions = {},
): Promise<DownloadedFile[]> {
  const files = paths.map((path) => new IncomingFile(folderPath(path)));
  let done = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const missing = files.flatMap((file) => file.missing().map((piece) => ({ file, piece })));
    if (missing.length === 0) return files.map((file) => ({ path: file.path, content: file.content() }));
    for (const group of groupsOf(missing)) {
      await receive(
        repl,
        group.map(({ piece }) => piece),
        (frame) => {
          const file = group[frame.number]?.file;
          if (!file) return;
          done += file.take(frame);
          onProgress?.(done);
        },
      );
    }
  }
  const path = files.find((file) => file.missing().length > 0)?.path ?? '';
  throw new MicroPythonError('file-damaged', `${path} did not arrive whole`, { path });
}

async function receive(repl: RawRepl, pieces: Piece[], onFrame: (frame: Frame) => void): Promise<void> {
  const frames = new FrameReader(onFrame);
  const source = await boardScript(['look', 'send'], [pieces, BLOCK]);
  await repl.run(source, { stallMs: STALL_MS, onOutput: (bytes) => frames.push(bytes) });
}

interface Frame {
  kind: number;
  number: number;
  at: number;
  data: Buffer;
}

/** Cuts the stream at the marks; what is between them and no whole frame is not ours, or damaged. */
class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #bytes: number[] = [];
  #escaped = false;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === MARK) this.#cut();
      else if (byte === ESCAPE) this.#escaped = true;
      else {
        this.#bytes.push(this.#escaped ? byte ^ ESCAPE_BIT : byte);
        this.#escaped = false;
        if (this.#bytes.length > MAX_FRAME) this.#bytes = [];
      }
    }
  }

  #cut(): void {
    const all = Buffer.from(this.#bytes);
    this.#bytes = [];
    this.#escaped = false;
    const body = all.subarray(0, -CHECKSUM);
    if (body.length < HEADER || all.readUInt32LE(body.length) !== crc32(body)) return;
    this.#onFrame({
      kind: body.readUInt8(0),
      number: body.readUInt16LE(1),
      at: body.readUInt32LE(3),
      data: body.subarray(HEADER),
    });
  }
}

/** One file on its way: blocks by their place, and where it ends once that is known. */
class IncomingFile {
  readonly path: string;
  readonly #blocks = new Map<number, Buffer>();
  #end: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Returns the number of bytes that are new. */
  take({ kind, at, data }: Frame): number {
    if (kind === KIND.error) throw fileError(at, this.path);
    if (kind === KIND.end) {
      // The end of a piece in the middle ends nothing.
      this.#end = Math.max(this.#end ?? 0, at);
      return 0;
    }
    if (this.#blocks.has(at)) return 0;
    const block = kind === KIND.deflated ? inflateRawSync(data) : data;
    this.#blocks.set(at, block);
    return block.length;
  }

  missing(): Piece[] {
    const gaps: Piece[] = [];
    let at = 0;
    for (const [start, block] of this.#inOrder()) {
      if (start > at) gaps.push([this.path, at, start]);
      at = start + block.length;
    }
    if (this.#end === undefined) gaps.push([this.path, at, null]);
    else if (at < this.#end) gaps.push([this.path, at, this.#end]);
    return gaps;
  }

  content(): Buffer {
    return Buffer.concat(this.#inOrder().map(([, block]) => block));
  }

  #inOrder(): [number, Buffer][] {
    return [...this.#blocks].sort(([a], [b]) => a - b);
  }
}
