/** The files of a folder that belong on a board: walked with rules of what stays here, and with bounds. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, unreadable } from './errors.ts';
import { Patterns } from './pattern.ts';
import { isBelow, outside } from './root.ts';

export interface HostFile {
  /** From the folder, with slashes. */
  path: string;
  content: Buffer;
}

export interface FolderRules {
  /** Only files that fit one of these, or that lie in a folder that does; none: all. */
  include?: readonly string[];
  /** What is not uploaded, beside `ALWAYS_IGNORED` and what the `.mpyignore` of each folder names. */
  exclude?: readonly string[];
}

/** The file in which a folder, and each folder in it, may say what is not uploaded. */
const IGNORE_FILE = '.mpyignore';

/** What tools and systems leave in a project; a `.mpyignore` may ask for it all the same, by `!`. */
const ALWAYS_IGNORED: readonly string[] = [
  ...['.git', '.hg/', '.svn/', '.gitignore', '.gitattributes', '.gitmodules', IGNORE_FILE],
  ...['__pycache__/', '*.pyc', '.venv/', 'venv/', '.mypy_cache/', '.ruff_cache/', '.pytest_cache/'],
  ...['.vscode/', '.idea/', '.micropico', '*.code-workspace', 'node_modules/'],
  ...['.DS_Store', '._*', 'Thumbs.db', 'desktop.ini', '*~', '.*.sw?', '.#*'],
];

/** More is a mistake: a home folder, a disk. No board holds so much. */
const MAX_FILES = 2000;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_DEPTH = 32;

/**
 * The files of a folder and the folders in it, by path. Links are followed as long as they stay in the folder.
 * Throws `HostError` 'source-unreadable', 'host-path-outside', 'host-folder-too-large'.
 */
export async function readFolder(
  folder: string,
  rules: FolderRules = {},
  signal?: AbortSignal,
): Promise<HostFile[]> {
  const root = await realpath(folder).catch(unreadable(folder));
  const walk = new Walk(folder, root, rules, signal);
  await walk.enter(
    root,
    '',
    [],
    [{ base: '', patterns: new Patterns([...ALWAYS_IGNORED, ...(rules.exclude ?? [])]) }],
  );
  return walk.files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The content of one file. Throws `HostError` 'source-unreadable', 'host-folder-too-large'. */
export async function readHostFile(path: string): Promise<Buffer> {
  const found = await stat(path).catch(unreadable(path));
  // A device or a pipe may have no end.
  if (!found.isFile()) return unreadable(path)('it is no file');
  const { size } = found;
  if (size > MAX_BYTES) throw tooLarge(path, MAX_BYTES, 'bytes');
  return readFile(path).catch(unreadable(path));
}

/** Rules, and the folder of the walk that they count from. */
interface Scope {
  base: string;
  patterns: Patterns;
}

class Walk {
  readonly files: HostFile[] = [];
  readonly #name: string;
  readonly #root: string;
  readonly #include: Patterns;
  readonly #signal: AbortSignal | undefined;
  #bytes = 0;

  constructor(name: string, root: string, { include = [] }: FolderRules, signal?: AbortSignal) {
    this.#name = name;
    this.#root = root;
    this.#include = new Patterns(include);
    this.#signal = signal;
  }

  /** `above`: the real folders on the way here; a link to one of them would go round for ever. */
  async enter(
    folder: string,
    base: string,
    above: readonly string[],
    scopes: readonly Scope[],
  ): Promise<void> {
    this.#signal?.throwIfAborted();
    if (above.includes(folder) || above.length > MAX_DEPTH) return;
    const entries = await readdir(folder, { withFileTypes: true }).catch(unreadable(folder));
    const own = entries.some(({ name }) => name === IGNORE_FILE);
    const inForce = own
      ? [...scopes, { base, patterns: await ignoreFile(join(folder, IGNORE_FILE)) }]
      : scopes;
    for (const entry of entries) {
      const path = base + entry.name;
      const full = join(folder, entry.name);
      // A link that is ignored is not even followed: wherever it leads, it does no harm.
      if (entry.isSymbolicLink() && isIgnored(path, false, inForce)) continue;
      const real = entry.isSymbolicLink() ? await this.#followed(full) : full;
      const found = entry.isSymbolicLink() ? await stat(real).catch(unreadable(full)) : entry;
      if (isIgnored(path, found.isDirectory(), inForce)) continue;
      if (found.isDirectory()) await this.enter(real, `${path}/`, [...above, folder], inForce);
      else if (found.isFile() && (this.#include.isEmpty || this.#include.cover(path)))
        await this.#take(real, path);
    }
  }

  async #followed(link: string): Promise<string> {
    const real = await realpath(link).catch(unreadable(link));
    if (!isBelow(real, this.#root)) throw outside(link, this.#name, 'link');
    return real;
  }

  async #take(file: string, path: string): Promise<void> {
    if (this.files.length === MAX_FILES) throw tooLarge(this.#name, MAX_FILES, 'files');
    const { size } = await stat(file).catch(unreadable(file));
    this.#bytes += size;
    if (this.#bytes > MAX_BYTES) throw tooLarge(this.#name, MAX_BYTES, 'bytes');
    this.files.push({ path, content: await readFile(file).catch(unreadable(file)) });
  }
}

function isIgnored(path: string, isFolder: boolean, scopes: readonly Scope[]): boolean {
  // The innermost folder that says anything decides.
  for (const { base, patterns } of scopes.toReversed()) {
    const said = patterns.fits(path.slice(base.length), isFolder);
    if (said !== undefined) return said;
  }
  return false;
}

async function ignoreFile(path: string): Promise<Patterns> {
  const text = (await readHostFile(path)).toString('utf8');
  // Editors of Windows begin a file with a mark of its encoding.
  return new Patterns(text.replace(/^\uFEFF/, '').split('\n'));
}

function tooLarge(path: string, limit: number, unit: 'files' | 'bytes'): HostError {
  return new HostError('host-folder-too-large', `${path} has more than ${limit} ${unit}`, {
    path,
    limit,
    unit,
  });
}
