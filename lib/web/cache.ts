/**
 * Downloads kept on disk, one file each: a line of JSON about it, then its bytes. Written beside and
 * renamed, so that a reader never sees half of one; hashed, so that a damaged one counts as absent.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Of } from '../bytes/sha256.ts';

export interface Kept {
  bytes: Uint8Array;
  /** In hex. */
  sha256: string;
  /** What the server said, to ask it whether that is still so. */
  etag?: string;
  lastModified?: string;
}

const ENDING = '.download';
const UNFINISHED = '.part';
const MAX_FILES = 64;
const STALE_MS = 24 * 3600 * 1000;
const NEWLINE = 0x0a;
const MAX_HEAD = 16 * 1024;

/** The file kept for a URL; `undefined` where there is none or it is damaged. */
export async function readKept(folder: string, url: string): Promise<Kept | undefined> {
  const path = fileOf(folder, url);
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch {
    return undefined;
  }
  const kept = parseKept(file, url);
  // The time of use decides what is removed; where it cannot be set, age does.
  if (kept) await utimes(path, new Date(), new Date()).catch(() => undefined);
  return kept;
}

/**
 * Keeps a download; files beyond `maxFiles` are removed, the longest unused first. Throws the system's error where the
 * folder cannot be written.
 */
export async function keep(folder: string, url: string, kept: Kept, maxFiles = MAX_FILES): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { bytes, ...said } = kept;
  const part = join(folder, `${randomUUID()}${UNFINISHED}`);
  try {
    await writeFile(part, [Buffer.from(`${JSON.stringify({ url, ...said })}\n`), bytes]);
    await rename(part, fileOf(folder, url));
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
  await prune(folder, maxFiles);
}

function parseKept(file: Buffer, url: string): Kept | undefined {
  const end = file.subarray(0, MAX_HEAD).indexOf(NEWLINE);
  if (end < 0) return undefined;
  let head: unknown;
  try {
    head = JSON.parse(file.subarray(0, end).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof head !== 'object' || head === null) return undefined;
  const said = head as Record<string, unknown>;
  const bytes = file.subarray(end + 1);
  const { etag, lastModified, sha256 } = said;
  if (said['url'] !== url || typeof sha256 !== 'string' || sha256Of(bytes) !== sha256) return undefined;
  return {
    bytes,
    sha256,
    ...(typeof etag === 'string' ? { etag } : {}),
    ...(typeof lastModified === 'string' ? { lastModified } : {}),
  };
}

/** Other processes may do the same at the same time: what is gone already is no fault. */
async function prune(folder: string, maxFiles: number): Promise<void> {
  const files: { path: string; used: number }[] = [];
  for (const name of await readdir(folder)) {
    if (!name.endsWith(ENDING) && !name.endsWith(UNFINISHED)) continue;
    const path = join(folder, name);
    const used = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    if (used === undefined) continue;
    if (name.endsWith(ENDING)) files.push({ path, used });
    else if (Date.now() - used > STALE_MS) await rm(path, { force: true });
  }
  files.sort((a, b) => b.used - a.used);
  for (const { path } of files.slice(maxFiles)) await rm(path, { force: true });
}

function fileOf(folder: string, url: string): string {
  return join(folder, `${sha256Of(Buffer.from(url)).slice(0, 32)}${ENDING}`);
}
