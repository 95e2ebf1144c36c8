/** From what a person names as firmware (bytes, a path, a URL, a name, a list) to parts for the flash. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { loadFromCatalogue, parseCatalogueName } from './catalogue.ts';
import type { CatalogueTarget } from './catalogue.ts';
import { readContents } from './contents.ts';
import { checkHash, download } from '../web/download.ts';
import type { DownloadEvent, DownloadOptions } from '../web/download.ts';
import { bytesOf } from '../bytes/binary.ts';
import { kindOf } from '../errors/facts.ts';
import { reasonOf } from '../errors/reason.ts';
import { FirmwareError, tooLarge } from './errors.ts';
import { urlOf } from '../web/fetch.ts';
import { FLASHER_ARGS, listedParts, parseFlasherArgs } from './flasher-args.ts';
import { checkOverlaps, MAX_FLASH } from './parts.ts';
import type { Contents, FirmwarePart } from './parts.ts';

export type { DownloadEvent } from '../web/download.ts';
export type { FirmwarePart } from './parts.ts';

/** Ready at once, or only when the chip is known (a catalogue name). */
export type FirmwareSource =
  | {
      kind: 'parts';
      parts: FirmwarePart[];
      /** Name of the chip (`ESP32-C3`) where the source itself says it: UF2 family, flasher_args.json. */
      chip?: string;
    }
  | {
      kind: 'for-chip';
      load: (target: CatalogueTarget, signal: AbortSignal) => Promise<FirmwarePart[]>;
    };

export interface SourceOptions {
  /** Folder where downloads are kept. */
  cacheDir: string;
  /** Index of MicroPython firmware, see `catalogue.ts`. */
  catalogueUrl: string;
  /** Most bytes of a file, and of what an archive or a list comes to. */
  maxBytes: number;
  /** Longest silence of a server; a whole download may take ten times as long. */
  timeoutMs: number;
  /** Expected SHA-256 of the one file named, in hex. */
  sha256?: string;
  signal: AbortSignal;
  onEvent?: (event: DownloadEvent) => void;
  /** The path of this machine that a text names; throws where that may not be read. */
  localPath?: (path: string) => Promise<string>;
}

const EXPECTED =
  'Buffer | path | URL | MicroPython [version] | [{ offset, data | path | url }] | { url, sha256 }';
/** A bootloader, a table, an application and some filesystems are well under it. */
const MAX_LISTED = 64;
const HASH = /^[\da-f]{64}$/i;

/**
 * Takes: bytes; the path of a file, or of an ESP-IDF project, build folder or its `flasher_args.json`; an http(s)
 * URL; a name out of the catalogue (`parseCatalogueName`); `{ offset?, data | path | url, sha256? }` or a list
 * of these. What a file holds is told by its bytes: image, UF2, Intel HEX, zip, gzip. With an offset beside it
 * a file is taken as it is.
 * Throws `FirmwareError`, and the signal's reason when aborted.
 */
export async function firmwareSource(value: unknown, options: SourceOptions): Promise<FirmwareSource> {
  options.signal.throwIfAborted();
  const { sha256 } = options;
  if (sha256 !== undefined && !HASH.test(sha256.trim())) throw unusable('SHA-256 of 64 hex digits', sha256);
  const bytes = bytesOf(value);
  if (bytes) return { kind: 'parts', ...(await ofBytes(bytes, 'Buffer', options)) };
  if (typeof value === 'string') return ofText(value.trim(), options);
  if (Array.isArray(value)) return { kind: 'parts', ...(await ofList(value, options)) };
  if (isRecord(value)) return ofRecord(value, options);
  throw unusable(EXPECTED, kindOf(value));
}

async function ofText(text: string, options: SourceOptions): Promise<FirmwareSource> {
  const name = parseCatalogueName(text);
  if (name) {
    const load = async (target: CatalogueTarget, signal: AbortSignal): Promise<FirmwarePart[]> =>
      loadFromCatalogue(name, target, { ...options, signal: AbortSignal.any([signal, options.signal]) });
    return { kind: 'for-chip', load };
  }
  if (/^micropython\s*:/i.test(text))
    throw unusable('MicroPython[:version][/BOARD[-VARIANT]]', text.slice(0, 80));
  if (isUrl(text)) {
    const bytes = await download(text, options satisfies DownloadOptions);
    return { kind: 'parts', ...(await readContents(bytes, { ...options, name: fileNameOf(text) })) };
  }
  if (text === '') throw unusable(EXPECTED, 'empty text');
  return { kind: 'parts', ...(await ofPath(text, options)) };
}

/** One file with its facts, `{ url, sha256 }` say; with an offset it is a part as it is. */
async function ofRecord(entry: Record<string, unknown>, options: SourceOptions): Promise<FirmwareSource> {
  const { offset: given, data, path, url, sha256 } = entry;
  const ways = [data, path, url].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw unusable(EXPECTED, `object with ${Object.keys(entry).join(', ').slice(0, 80)}`);
  const offset = offsetOf(given);
  if (sha256 !== undefined && typeof sha256 !== 'string') throw unusable('sha256 as text', kindOf(sha256));
  const own: SourceOptions = { ...options, ...(sha256 ? { sha256 } : {}) };
  if (url !== undefined && !(typeof url === 'string' && isUrl(url.trim()))) {
    throw unusable('http(s) URL', typeof url === 'string' ? url.slice(0, 80) : kindOf(url));
  }
  if (path !== undefined && typeof path !== 'string') throw unusable('path', kindOf(path));
  if (data !== undefined && !bytesOf(data)) throw unusable('Buffer', kindOf(data));
  const value = bytesOf(data) ?? url ?? path;
  if (offset === undefined) {
    // A path is a path here, also when the catalogue has that name.
    return typeof path === 'string'
      ? { kind: 'parts', ...(await ofPath(path.trim(), own)) }
      : firmwareSource(value, own);
  }
  return { kind: 'parts', parts: [{ offset, ...(await rawPart(value, own)) }] };
}

async function rawPart(value: unknown, options: SourceOptions): Promise<{ bytes: Uint8Array; name: string }> {
  if (options.sha256 !== undefined && !HASH.test(options.sha256.trim())) {
    throw unusable('SHA-256 of 64 hex digits', options.sha256);
  }
  if (typeof value !== 'string') {
    const bytes = bytesOf(value) ?? new Uint8Array();
    if (bytes.length > options.maxBytes) throw tooLarge('Buffer', options.maxBytes);
    checkHash(bytes, options.sha256, 'Buffer');
    return { bytes, name: 'Buffer' };
  }
  if (isUrl(value)) return { bytes: await download(value, options), name: fileNameOf(value) };
  const path = (await options.localPath?.(value.trim())) ?? value.trim();
  const bytes = await fileBytes(path, options);
  checkHash(bytes, options.sha256, value);
  return { bytes, name: basename(value) };
}

async function ofList(list: readonly unknown[], options: SourceOptions): Promise<Contents> {
  const { sha256, ...each } = options;
  if (sha256 !== undefined) throw unusable('sha256 beside each part of a list', 'sha256 for the whole list');
  if (list.length === 0 || list.length > MAX_LISTED)
    throw unusable(`1 to ${MAX_LISTED} parts`, `${list.length} parts`);
  const parts: FirmwarePart[] = [];
  const chips = new Set<string>();
  let total = 0;
  for (const entry of list) {
    if (!isRecord(entry)) throw unusable('[{ offset, data | path | url }]', `[${kindOf(entry)}]`);
    const source = await ofRecord(entry, each);
    if (source.kind !== 'parts') throw unusable('[{ offset, data | path | url }]', 'a catalogue name');
    parts.push(...source.parts);
    total += source.parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (total > options.maxBytes) throw tooLarge('list', options.maxBytes);
    if (source.chip) chips.add(source.chip);
  }
  if (chips.size > 1) throw unusable('parts for one chip', [...chips].join(', '));
  checkOverlaps(parts);
  const [chip] = chips;
  return { parts, ...(chip ? { chip } : {}) };
}

/** A file by what it holds, or a folder by its flasher_args.json. */
async function ofPath(named: string, options: SourceOptions): Promise<Contents> {
  const path = (await options.localPath?.(named)) ?? named;
  const isFolder = await stat(path).then((found) => found.isDirectory(), unreadable(path));
  if (!isFolder && basename(path) !== FLASHER_ARGS)
    return ofBytes(await fileBytes(path, options), path, options);
  if (options.sha256 !== undefined) throw unusable('a file to go with sha256', `folder ${path}`);
  const folder = isFolder ? await buildFolder(path) : dirname(path);
  const args = parseFlasherArgs(
    await fileBytes(join(folder, FLASHER_ARGS), options),
    join(folder, FLASHER_ARGS),
  );
  const root = await realpath(folder);
  let left = options.maxBytes;
  return listedParts(args, async (name) => {
    const file = await realpath(join(root, name)).catch(unreadable(join(folder, name)));
    // A link must not lead out of the build either.
    if (!file.startsWith(root + sep)) throw unusable(`files in ${folder}`, name);
    const bytes = await fileBytes(file, { ...options, maxBytes: left });
    left -= bytes.length;
    return bytes;
  });
}

/** The build folder itself, or that of the project named. */
async function buildFolder(path: string): Promise<string> {
  for (const folder of [path, join(path, 'build')]) {
    const found = await stat(join(folder, FLASHER_ARGS)).catch(() => undefined);
    if (found?.isFile()) return folder;
  }
  throw new FirmwareError('flasher-args-missing', `${path} has no ${FLASHER_ARGS}`, {
    source: path,
    files: [],
  });
}

async function ofBytes(bytes: Uint8Array, source: string, options: SourceOptions): Promise<Contents> {
  if (bytes.length > options.maxBytes) throw tooLarge(source, options.maxBytes);
  checkHash(bytes, options.sha256, source);
  return readContents(bytes, { ...options, name: basename(source) });
}

async function fileBytes(path: string, { maxBytes, signal }: SourceOptions): Promise<Uint8Array> {
  const found = await stat(path).catch(unreadable(path));
  if (!found.isFile()) {
    throw new FirmwareError('source-unreadable', `${path} is no file`, { path, reason: 'this is no file' });
  }
  if (found.size > maxBytes) throw tooLarge(path, maxBytes);
  return readFile(path, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    return unreadable(path)(error);
  });
}

function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    const reason = reasonOf(error);
    throw new FirmwareError('source-unreadable', reason, { path, reason }, error);
  };
}

/** An offset as number, decimal or hex text; absent where none is given. */
function offsetOf(value: unknown): number | undefined {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === ''))
    return undefined;
  const offset = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
  if (Number.isInteger(offset) && offset >= 0 && offset < MAX_FLASH) return offset;
  throw unusable(
    'offset in the flash, 0x10000 say',
    typeof value === 'string' ? value.slice(0, 40) : kindOf(value),
  );
}

function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]+:\/\//i.test(text);
}

function fileNameOf(url: string): string {
  return basename(urlOf(url.trim())?.pathname ?? '') || url;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(expected: string, found: string): FirmwareError {
  return new FirmwareError('source-unusable', `${found} where ${expected} is needed`, { expected, found });
}
