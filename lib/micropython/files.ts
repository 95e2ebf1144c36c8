/** Files and folders of a board, each work in one go however many they are. Paths are absolute. */
import { boardPath, folderPath, isInside } from './board-path.ts';
import { runScriptEach } from './board-script.ts';
import { MicroPythonError } from './errors.ts';
import { refuseError } from './file-error.ts';
import { groupsOf } from './groups.ts';
import type { RawRepl } from './raw-repl.ts';

export interface FileEntry {
  /** From the root. */
  path: string;
  isFolder: boolean;
  /** 0 for a folder. */
  bytes: number;
  /** Hex; files only, and only where asked for. */
  sha256?: string;
}

/** Bytes of the disk a path lies on. */
export interface DiskSpace {
  total: number;
  free: number;
  /** What a file takes is a multiple of it. */
  blockSize: number;
}

/** The board hashes a megabyte between two answers, or littlefs tidies up a folder of many files. */
const STALL_MS = 120_000;

async function answers(repl: RawRepl, operation: string, ...args: unknown[]): Promise<unknown[]> {
  const values = await runScriptEach(repl, ['look', 'beside', 'files'], [operation, ...args], {
    stallMs: STALL_MS,
  });
  for (const value of values) refuseError(value);
  return values;
}

/** Sorted by name, a folder before what is in it. A path of a file gives that file. */
export async function listFiles(
  repl: RawRepl,
  folder: string,
  { recursive, hashes }: { recursive: boolean; hashes: boolean },
): Promise<FileEntry[]> {
  const found = await answers(repl, 'tree', folderPath(folder), hashes, recursive);
  return found.map(fileEntry).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `undefined` when nothing is there. Throws as `listFiles`. */
export async function statFile(
  repl: RawRepl,
  path: string,
  { hashes = false }: { hashes?: boolean } = {},
): Promise<FileEntry | undefined> {
  try {
    const [found] = await answers(repl, 'stat', folderPath(path), hashes);
    return fileEntry(found);
  } catch (error) {
    // Below a file there is nothing either.
    if (error instanceof MicroPythonError && /^(file-not-found|not-a-folder)$/.test(error.code)) {
      return undefined;
    }
    throw error;
  }
}

export async function diskSpace(repl: RawRepl, path = '/'): Promise<DiskSpace> {
  return spaceOf(await answers(repl, 'space', folderPath(path)));
}

function spaceOf([found]: unknown[]): DiskSpace {
  const [total, free, blockSize] = found as [number, number, number];
  return { total, free, blockSize };
}

/** Makes a folder and those on the way to it; `false` when it was there. */
export async function makeFolder(repl: RawRepl, path: string): Promise<boolean> {
  const [made] = await answers(repl, 'mkdir', boardPath(path.replace(/\/$/, '')));
  return made === true;
}

/**
 * Moves a file or folder; missing folders are made. What is there already is kept, a file with `force` not. Throws
 * 'bad-file-name' for a place in itself: littlefs would move it there, where nothing leads any more.
 */
export async function moveFile(
  repl: RawRepl,
  from: string,
  to: string,
  { force = false }: { force?: boolean } = {},
): Promise<void> {
  const [source, target] = [boardPath(from), boardPath(to)];
  if (source !== target && isInside(target, source)) {
    const facts = { path: target, case: 'in-itself' };
    throw new MicroPythonError('bad-file-name', `${source} cannot be moved into itself`, facts);
  }
  await answers(repl, 'move', source, target, force);
}

/** Copies a file, or a folder with all that is in it; returns the paths of the files that were made. As `moveFile`. */
export async function copyFile(
  repl: RawRepl,
  from: string,
  to: string,
  { force = false }: { force?: boolean } = {},
): Promise<string[]> {
  return (await answers(repl, 'copy', boardPath(from), boardPath(to), force)) as string[];
}

/** Makes an empty file system of the one at the root: every file is gone, boot.py among them. */
export async function formatDisk(repl: RawRepl): Promise<DiskSpace> {
  return spaceOf(await answers(repl, 'format', '/'));
}

export interface RemoveOptions {
  /** A folder with all that is in it. */
  recursive?: boolean;
  /** What stays, with the folders it lies in: all that would go is looked at first. Without it nothing does. */
  isGuarded?: (path: string) => boolean;
}

/** Deletes; returns the paths that are gone. Throws `MicroPythonError` 'file-guarded' before the first. */
export async function removeFile(
  repl: RawRepl,
  path: string,
  { recursive = false, isGuarded }: RemoveOptions = {},
): Promise<string[]> {
  const target = boardPath(path.replace(/\/$/, ''));
  const kept = isGuarded && (await firstGuarded(repl, target, isGuarded));
  if (kept !== undefined) {
    throw new MicroPythonError('file-guarded', `${kept} is guarded`, { path: target, guarded: kept });
  }
  return (await answers(repl, 'remove', target, recursive)) as string[];
}

async function firstGuarded(
  repl: RawRepl,
  target: string,
  isGuarded: (path: string) => boolean,
): Promise<string | undefined> {
  const within = await listFiles(repl, target, { recursive: true, hashes: false });
  return [target, ...within.map(({ path }) => path)].find(isGuarded);
}

/** Deletes files and folders one after the other, folders behind what is in them. What is gone already is fine. */
export async function removeFiles(repl: RawRepl, paths: readonly string[]): Promise<void> {
  for (const group of groupsOf(paths)) await answers(repl, 'purge', group.map(boardPath));
}

function fileEntry(answer: unknown): FileEntry {
  const [path, bytes, hash] = answer as [path: string, bytes?: number, hash?: string];
  const sha256 = hash === undefined ? {} : { sha256: Buffer.from(hash, 'base64').toString('hex') };
  return { path, isFolder: bytes === undefined, bytes: bytes ?? 0, ...sha256 };
}
