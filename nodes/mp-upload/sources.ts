/** What a message or the node gives to be uploaded: content, files and folders of this machine, or a list of those. */
import { kindOf } from '../../lib/errors/facts.ts';
import { InputError } from '../../lib/runtime/diagnosis.ts';
import { readHost } from '../../lib/runtime/host-files.ts';
import {
  anyBytesOf,
  contentBytes,
  optionalText,
  requiredText,
  textList,
} from '../../lib/runtime/properties.ts';
import type { Reader } from '../../lib/runtime/reader.ts';
import type { OutgoingFile } from '../../lib/board/sync-job.ts';
import type { UploadDef } from './mp-upload.ts';

export const SOURCES = ['content', 'path', 'list'] as const;

export interface Wanted {
  files: OutgoingFile[];
  /** The folder on the board that a mirror may clear; one file has none. */
  folder?: string;
}

type UploadReader = Reader<UploadDef>;

/** Reads what is to be on the board. Throws `InputError` and `HostError`. */
export async function readWanted(reader: UploadReader, signal: AbortSignal): Promise<Wanted> {
  const source = reader.oneOf('source', SOURCES, 'content');
  const given = await reader.mainInput('value');
  if (source === 'content') {
    const path = requiredText(await reader.typed('filename'), 'filename');
    return { files: [{ path, content: contentBytes(given, path, 'payload') }] };
  }
  const target = optionalText(await reader.typed('target'), 'target');
  const into = new Target(reader, target ?? '/', signal);
  if (source === 'list') return { files: await into.list(given), folder: target ?? '/' };
  const from = requiredText(given, 'payload');
  const { files, isFolder } = await into.hostPath({ from, to: target });
  return isFolder ? { files, folder: target ?? '/' } : { files };
}

/** A file or folder of this machine, and where it goes. */
interface HostEntry {
  from: string;
  to?: string | undefined;
  include?: string[];
  exclude?: string[];
}

/** Where on the board things go that do not say it themselves. */
class Target {
  readonly #reader: UploadReader;
  readonly #folder: string;
  readonly #signal: AbortSignal;

  constructor(reader: UploadReader, folder: string, signal: AbortSignal) {
    this.#reader = reader;
    this.#folder = folder;
    this.#signal = signal;
  }

  async list(value: unknown): Promise<OutgoingFile[]> {
    if (!Array.isArray(value)) throw noList('payload', value);
    const files: OutgoingFile[] = [];
    for (const [at, entry] of value.entries()) files.push(...(await this.#entry(entry, `payload[${at}]`)));
    return files;
  }

  /** `name`: what the entry is called in an error. */
  async #entry(entry: unknown, name: string): Promise<OutgoingFile[]> {
    if (typeof entry === 'string') return (await this.hostPath({ from: entry })).files;
    if (typeof entry !== 'object' || entry === null || anyBytesOf(entry)) throw noList(name, entry);
    const { from, to, include, exclude, ...file } = entry as Record<string, unknown>;
    if (from !== undefined) {
      const rules = { include: textList(include, 'include'), exclude: textList(exclude, 'exclude') };
      const place = { from: requiredText(from, `${name}.from`), to: optionalText(to, 'to') };
      return (await this.hostPath({ ...place, ...rules })).files;
    }
    const path = requiredText(file['path'] ?? file['filename'], `${name}.path`);
    const value = file['content'] === undefined ? file['payload'] : file['content'];
    return [{ path: join(this.#folder, path), content: contentBytes(value, path, `${name}.content`) }];
  }

  async hostPath({ from, to, ...own }: HostEntry): Promise<{ files: OutgoingFile[]; isFolder: boolean }> {
    const { api } = this.#reader;
    const rules = {
      include: own.include?.length ? own.include : this.#reader.list('include'),
      exclude: [...this.#reader.list('exclude'), ...(own.exclude ?? [])],
    };
    const found = await readHost(api, from, rules, this.#signal);
    if (found.kind === 'folder') {
      const files = found.files.map(({ path, content }) => ({
        path: join(to ?? this.#folder, path),
        content,
      }));
      return { files, isFolder: true };
    }
    const { path, content } = found.file;
    const isPlace = to !== undefined && !to.endsWith('/');
    return { files: [{ path: isPlace ? to : join(to ?? this.#folder, path), content }], isFolder: false };
  }
}

/** A path that begins with a slash counts from the board's root. */
function join(folder: string, path: string): string {
  return path.startsWith('/') ? path : `${folder.replace(/\/$/, '')}/${path}`;
}

function noList(property: string, value: unknown): InputError {
  const entry = '{ path, content } | { from, to } | path';
  const expected = property === 'payload' ? `[${entry}]` : entry;
  const facts = { property, expected, found: kindOf(value) };
  return new InputError('bad-payload', `${property} is no list of files`, facts);
}
