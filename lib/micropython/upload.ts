/**
 * Puts one file on the board, whole or not at all: it is written beside, hashed on the board, and renamed
 * over the old one only when the hash is right.
 */
import { createHash } from 'node:crypto';
import { boardPath } from './board-path.ts';
import { boardScript, splitResult } from './board-script.ts';
import { MicroPythonError } from './errors.ts';
import type { RawRepl } from './raw-repl.ts';

export interface UploadResult {
  /** Absolute path on the board. */
  path: string;
  bytes: number;
  /** Hex, as computed on the board from what its disk holds. */
  sha256: string;
}

export interface OutgoingFile {
  /** From the root, as `boardPath` takes it. */
  path: string;
  content: Uint8Array;
}

/** Bytes of all files together. */
export interface UploadProgress {
  done: number;
  total: number;
}

export interface UploadOptions {
  onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Hears of each file when it is on the board, in order. */
  onFile?: ((result: UploadResult) => void) | undefined;
}

/** Bytes for which one 01 from the board stands, and bytes of data in a block; as in `board/receive.py`. */
const WINDOW = 128;
const BLOCK = 2048;
const INVITATION = 0x01;
const BLOCK_MARK = 0x01;
const END_OF_FILE = new Uint8Array(3);
/** The board erases flash while it writes: seconds on a nearly full disk. */
const STALL_TIMEOUT_MS = 15_000;
/** Time for hashing and renaming, per started megabyte. */
const FINISH_MS_PER_MB = 30_000;

/**
 * Puts files on the board in their order, each whole or not at all; the first that fails ends it. Throws as
 * `uploadFile`; `facts.path` is the file that failed, `facts.done` are the paths that are on the board.
 */
export async function uploadFiles(
  repl: RawRepl,
  files: readonly OutgoingFile[],
  { onProgress, onFile }: UploadOptions = {},
): Promise<UploadResult[]> {
  const total = files.reduce((sum, { content }) => sum + content.length, 0);
  const results: UploadResult[] = [];
  let before = 0;
  for (const { path, content } of files) {
    const result = await uploadFile(repl, path, content, ({ done }) =>
      onProgress?.({ done: before + done, total }),
    );
    before += content.length;
    results.push(result);
    onFile?.(result);
  }
  return results;
}

/**
 * Uploads. Throws `MicroPythonError` 'disk-full', 'file-damaged', 'bad-file-name' or 'python-error'; the
 * old file is then still there.
 */
export async function uploadFile(
  repl: RawRepl,
  name: string,
  content: Uint8Array,
  onProgress: (progress: UploadProgress) => void,
): Promise<UploadResult> {
  const path = boardPath(name);
  const expected = createHash('sha256').update(content).digest('hex');
  await repl.begin(await boardScript('receive', [path, content.length, expected]));
  await sendBlocks(repl, content, onProgress);
  const printed: Uint8Array[] = [];
  const timeoutMs = FINISH_MS_PER_MB * (1 + Math.floor(content.length / 1e6));
  const raised = await repl.finish({
    timeoutMs,
    onOutput: (bytes) => void printed.push(bytes),
  });
  if (raised) throw new MicroPythonError('python-error', raised, { text: raised, path });
  return checked(splitResult(Buffer.concat(printed)).value, path, content.length, expected);
}

async function sendBlocks(
  repl: RawRepl,
  content: Uint8Array,
  onProgress: (p: UploadProgress) => void,
): Promise<void> {
  for (let at = 0; at < content.length; at += BLOCK) {
    const data = content.subarray(at, at + BLOCK);
    const header = [BLOCK_MARK, data.length & 0xff, data.length >> 8];
    if (!(await sendInvited(repl, Buffer.concat([Uint8Array.from(header), data])))) return;
    onProgress({ done: at + data.length, total: content.length });
  }
  await sendInvited(repl, END_OF_FILE);
}

/** Sends as the board invites. Anything else it prints means that it takes no more: `false`. */
async function sendInvited(repl: RawRepl, bytes: Uint8Array): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const windows = await repl.countLeading(INVITATION, STALL_TIMEOUT_MS);
    if (windows === 0) return false;
    const piece = bytes.subarray(at, at + windows * WINDOW);
    await repl.write(piece);
    at += piece.length;
  }
  return true;
}

function checked(result: unknown, path: string, bytes: number, expected: string): UploadResult {
  const { sha256, free } = (result ?? {}) as { sha256?: string; free?: number };
  if (free !== undefined) {
    throw new MicroPythonError('disk-full', `${path} needs ${bytes} bytes, ${free} are free`, {
      path,
      bytes,
      free,
    });
  }
  if (sha256 !== expected) {
    throw new MicroPythonError('file-damaged', `${path} did not arrive whole`, {
      path,
      expected,
      found: sha256,
    });
  }
  return { path, bytes, sha256 };
}
