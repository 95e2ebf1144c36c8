/**
 * Files of a board as they shall be: the board tells what it has of them by size and hash, and only what differs
 * travels. With a mirror, what else lies under its folder is deleted, last of all.
 */
import { sha256Of } from '../bytes/sha256.ts';
import { isInside } from './board-path.ts';
import { MicroPythonError } from './errors.ts';
import { refuseError } from './file-error.ts';
import { removeFiles } from './files.ts';
import type { FileEntry } from './files.ts';
import { groupsOf } from './groups.ts';
import { askHelper } from './helper.ts';
import type { RawRepl } from './raw-repl.ts';
import { uploadFiles } from './upload.ts';
import type { OutgoingFile, UploadProgress, UploadResult } from './upload.ts';

export type SyncAction =
  | 'created'
  | 'updated'
  /** It is there, byte for byte. */
  | 'unchanged'
  | 'deleted'
  /** It would be deleted, were it not guarded. */
  | 'kept';

export interface SyncedFile {
  /** From the root. */
  path: string;
  bytes: number;
  /** Hex; of those that are wanted. What the board has computed of its disk, except in a dry run. */
  sha256?: string;
  action: SyncAction;
}

export interface SyncOptions {
  /** Folder under which everything else is deleted. */
  mirror?: string | undefined;
  /** Paths that nothing deletes. */
  isGuarded: (path: string) => boolean;
  /** Only tells what would be done. */
  dryRun?: boolean | undefined;
  /** See `UploadOptions`. */
  turbo?: boolean | undefined;
  mayRestart?: boolean | undefined;
  /** Told before anything is written or deleted. */
  onChange?: (() => void) | undefined;
  onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Each file when it is done. */
  onFile?: ((file: SyncedFile) => void) | undefined;
}

const COMPARE = ['look', 'compare'] as const;
/** The board hashes 40 files, at worst some megabytes from a slow flash. */
const COMPARE_STALL_MS = 60_000;

/**
 * Makes the board's files as wanted; returns those wanted, in their order, and those deleted and kept. Throws as
 * `uploadFiles`, and errors of the file system; what was not written yet is then as before, and nothing was deleted.
 */
export async function syncFiles(
  repl: RawRepl,
  wanted: readonly OutgoingFile[],
  options: SyncOptions,
): Promise<SyncedFile[]> {
  const plan = await compare(repl, wanted);
  const extra = await extraneous(repl, plan, options);
  if (!options.dryRun) {
    options.onChange?.();
    await upload(repl, plan, options);
    await removeFiles(repl, [...extra.gone.map(({ path }) => path), ...extra.folders]);
  }
  const told = plan.map(({ content, ...file }) => ({ ...file, bytes: content.length }));
  for (const file of [...told.filter(({ action }) => action === 'unchanged'), ...extra.gone])
    options.onFile?.(file);
  return [...told, ...extra.gone, ...extra.kept];
}

interface Planned {
  path: string;
  content: Uint8Array;
  sha256: string;
  action: 'created' | 'updated' | 'unchanged';
}

const HASH_BYTES = 32;

async function compare(repl: RawRepl, files: readonly OutgoingFile[]): Promise<Planned[]> {
  const plan: Planned[] = [];
  for (const group of groupsOf(files)) {
    const { marks, hashes } = await look(repl, group);
    for (const [index, file] of group.entries()) {
      const sha256 = sha256Of(file.content);
      plan.push({ ...file, sha256, action: actionOf(file.path, marks[index] ?? '', sha256, hashes) });
    }
  }
  return plan;
}

/** See `board/compare.py`. */
async function look(
  repl: RawRepl,
  files: readonly OutgoingFile[],
): Promise<{ marks: string; hashes: () => string }> {
  const question = files.map(({ path, content }) => [path, content.length]);
  const answer = await askHelper(repl, COMPARE, [question, null], { stallMs: COMPARE_STALL_MS });
  refuseError(answer);
  const [marks, base64] = answer as [string, string];
  const bytes = Buffer.from(base64, 'base64');
  let at = 0;
  const hashes = (): string => bytes.toString('hex', at, (at += HASH_BYTES));
  return { marks, hashes };
}

function actionOf(path: string, mark: string, sha256: string, hashes: () => string): Planned['action'] {
  if (mark === 'd') throw new MicroPythonError('is-a-folder', `${path} is a folder`, { path });
  if (mark === '-') return 'created';
  return mark === '=' && hashes() === sha256 ? 'unchanged' : 'updated';
}

/** What is there and not wanted. */
interface Extra {
  gone: SyncedFile[];
  kept: SyncedFile[];
  /** Which that leaves empty; inner ones first. Those that were empty before are somebody's. */
  folders: string[];
}

async function extraneous(
  repl: RawRepl,
  plan: readonly Planned[],
  { mirror, isGuarded }: SyncOptions,
): Promise<Extra> {
  const there = mirror === undefined ? [] : await treeOf(repl, mirror);
  const hidden = await hiding(repl, plan, there);
  const isWanted = wantedOf(plan, there);
  const others = [...there, ...hidden].filter(({ path, isFolder }) => !isFolder && !isWanted(path));
  const told = (action: 'deleted' | 'kept', isKept: boolean): SyncedFile[] =>
    others
      .filter(({ path }) => isGuarded(path) === isKept)
      .map(({ path, bytes }) => ({ path, bytes, action }));
  const [gone, kept] = [told('deleted', false), told('kept', true)];
  const isLeft = (file: FileEntry): boolean => !gone.some(({ path }) => path === file.path);
  const staying = [...plan, ...there.filter((entry) => !entry.isFolder && isLeft(entry))];
  const holds = (files: readonly { path: string }[], folder: string): boolean =>
    files.some(({ path }) => isInside(path, folder));
  const folders = there
    .filter(({ path, isFolder }) => isFolder && holds(gone, path) && !holds(staying, path))
    .map(({ path }) => path)
    .reverse();
  return { gone, kept, folders };
}

/**
 * Whether a path is one of those wanted. FAT takes no notice of case, and lists a file by its older name: one that was
 * found but is not listed as it is wanted goes by another case.
 */
function wantedOf(plan: readonly Planned[], there: readonly FileEntry[]): (path: string) => boolean {
  const listed = new Set(there.map(({ path }) => path));
  const found = plan.filter(({ path, action }) => action !== 'created' && !listed.has(path));
  const exact = new Set(plan.map(({ path }) => path));
  const otherwise = new Set(found.map(({ path }) => path.toLowerCase()));
  return (path) => exact.has(path) || otherwise.has(path.toLowerCase());
}

/** All that is in a folder, a folder before what is in it. */
async function treeOf(repl: RawRepl, folder: string): Promise<FileEntry[]> {
  const answer = await askHelper(repl, COMPARE, [[], folder], { stallMs: COMPARE_STALL_MS });
  try {
    refuseError(answer);
  } catch (error) {
    if (error instanceof MicroPythonError && error.code === 'file-not-found') return [];
    throw error;
  }
  return (answer as Listing[])
    .flatMap(entriesOf)
    .filter(({ path }) => path !== folder)
    .sort(byPath);
}

/** A folder, and the names and sizes of the files in it by turns. */
type Listing = [folder: string, files: (string | number)[]];

function entriesOf([folder, files]: Listing): FileEntry[] {
  const inFolder = folder.endsWith('/') ? folder : `${folder}/`;
  const entries = files.flatMap((name, at) =>
    at % 2 === 0 ? [{ path: `${inFolder}${name}`, isFolder: false, bytes: Number(files[at + 1]) }] : [],
  );
  return [{ path: folder, isFolder: true, bytes: 0 }, ...entries];
}

function byPath(a: FileEntry, b: FileEntry): number {
  return a.path < b.path ? -1 : 1;
}

/** MicroPython imports `x.py` before `x.mpy`: an old one beside a compiled one would go on running. */
async function hiding(
  repl: RawRepl,
  files: readonly OutgoingFile[],
  there: readonly FileEntry[],
): Promise<FileEntry[]> {
  const wanted = new Set(files.map(({ path }) => path));
  const known = new Set(there.map(({ path }) => path));
  const suspects = files
    .filter(({ path }) => path.endsWith('.mpy'))
    .map(({ path }) => ({ path: path.replace(/\.mpy$/, '.py'), content: new Uint8Array() }))
    .filter(({ path }) => !wanted.has(path) && !known.has(path));
  const found: FileEntry[] = [];
  for (const group of groupsOf(suspects)) {
    const { marks } = await look(repl, group);
    const isFile = (index: number): boolean => '!='.includes(marks[index] ?? '-');
    found.push(
      ...group.filter((_, index) => isFile(index)).map(({ path }) => ({ path, isFolder: false, bytes: 0 })),
    );
  }
  return found;
}

async function upload(repl: RawRepl, plan: readonly Planned[], options: SyncOptions): Promise<void> {
  const files = plan.filter(({ action }) => action !== 'unchanged');
  const actions = new Map(files.map(({ path, action }) => [path, action]));
  const onFile = (file: UploadResult): void =>
    options.onFile?.({ ...file, action: actions.get(file.path) ?? 'updated' });
  const { turbo, mayRestart, onProgress } = options;
  if (files.length > 0) await uploadFiles(repl, files, { turbo, mayRestart, onProgress, onFile });
}
