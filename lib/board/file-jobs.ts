/** Jobs on the files of a board that runs MicroPython. Each is one stay in its raw REPL, however many files. */
import { aboutBoard } from '../micropython/about.ts';
import type { About } from '../micropython/about.ts';
import { boardPath, folderPath } from '../micropython/board-path.ts';
import { readFiles } from '../micropython/download.ts';
import type { DownloadedFile } from '../micropython/download.ts';
import {
  copyFile,
  diskSpace,
  formatDisk,
  listFiles,
  makeFolder,
  moveFile,
  removeFile,
  statFile,
} from '../micropython/files.ts';
import type { DiskSpace, FileEntry, RemoveOptions } from '../micropython/files.ts';
import type { RawRepl } from '../micropython/raw-repl.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions } from './board.ts';
import type { HoldOptions, WorkOptions } from './repl-job.ts';
import { withRawRepl } from './repl-job.ts';

export { boardPath, folderPath };
export type { DiskSpace };

/**
 * What a job on files may say: also whether a running program may be interrupted, which it is by default. It goes on when
 * nothing more is asked.
 */
export type FileJobOptions = JobOptions & HoldOptions;

function onBoard<T>(
  board: Board,
  options: FileJobOptions,
  work: (repl: RawRepl) => Promise<T>,
  isLook = false,
): Promise<T> {
  const { interrupt } = options;
  const hold: WorkOptions = {
    after: 'go-on-soon',
    mayRepeat: () => isLook && interrupt !== false,
    ...(interrupt === undefined ? {} : { interrupt }),
  };
  return board.run({ kind: 'run', ...jobOptions(options), run: (lease) => withRawRepl(lease, work, hold) });
}

/** Work that changes nothing may begin again where the board restarts in the middle. */
function look<T>(board: Board, options: FileJobOptions, work: (repl: RawRepl) => Promise<T>): Promise<T> {
  return onBoard(board, options, work, true);
}

/** What files for the board depend on. */
export function askAbout(board: Board, options: JobOptions = {}): Promise<About> {
  return look(board, options, aboutBoard);
}

/** Sorted by path, a folder before what is in it. Throws `MicroPythonError` 'file-not-found'. */
export function listBoardFiles(
  board: Board,
  folder: string,
  options: FileJobOptions & { recursive?: boolean; hashes?: boolean } = {},
): Promise<FileEntry[]> {
  const { recursive = true, hashes = false } = options;
  return look(board, options, (repl) => listFiles(repl, folder, { recursive, hashes }));
}

/** `undefined` when nothing is there. */
export function statBoardFile(
  board: Board,
  path: string,
  options: FileJobOptions & { hashes?: boolean } = {},
): Promise<FileEntry | undefined> {
  return look(board, options, (repl) => statFile(repl, path, options));
}

export function boardDiskSpace(
  board: Board,
  options: FileJobOptions & { path?: string } = {},
): Promise<DiskSpace> {
  return look(board, options, (repl) => diskSpace(repl, options.path));
}

export function readBoardFile(board: Board, path: string, options: FileJobOptions = {}): Promise<Buffer> {
  return readBoardFiles(board, [path], options).then(([file]) => file?.content ?? Buffer.alloc(0));
}

/** Throws `MicroPythonError` 'file-not-found', 'is-a-folder', 'file-damaged'. */
export function readBoardFiles(
  board: Board,
  paths: readonly string[],
  options: FileJobOptions & { onProgress?: (bytes: number) => void } = {},
): Promise<DownloadedFile[]> {
  const { onProgress } = options;
  return look(board, options, (repl) => readFiles(repl, paths, onProgress ? { onProgress } : {}));
}

/** Makes the folders on the way too; `false` when it was there. */
export function makeBoardFolder(board: Board, path: string, options: FileJobOptions = {}): Promise<boolean> {
  return onBoard(board, options, (repl) => makeFolder(repl, path));
}

/**
 * Throws `MicroPythonError` 'file-exists' where a file is, unless a file is moved and `force` is said; 'is-a-folder' and
 * 'not-a-folder' where a folder is, and where a file is in a folder's way. `path` tells what that is.
 */
export function moveBoardFile(
  board: Board,
  from: string,
  to: string,
  options: FileJobOptions & { force?: boolean } = {},
): Promise<void> {
  return onBoard(board, options, (repl) => moveFile(repl, from, to, options));
}

/** A folder with all that is in it; returns the paths of the files made. Throws as `moveBoardFile`. */
export function copyBoardFile(
  board: Board,
  from: string,
  to: string,
  options: JobOptions & { force?: boolean } = {},
): Promise<string[]> {
  return onBoard(board, options, (repl) => copyFile(repl, from, to, options));
}

/** Every file is gone then. What is free then. */
export function formatBoard(board: Board, options: JobOptions = {}): Promise<DiskSpace> {
  return onBoard(board, options, formatDisk);
}

/** Returns the paths that are gone. Throws 'file-guarded', 'folder-not-empty', 'file-not-found'. */
export function removeBoardFile(
  board: Board,
  path: string,
  options: FileJobOptions & RemoveOptions = {},
): Promise<string[]> {
  return onBoard(board, options, (repl) => removeFile(repl, path, options));
}
