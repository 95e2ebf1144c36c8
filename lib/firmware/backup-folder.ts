/** A copy of a board's flash as files: one a part, and `backup.json`, which says what they are and is checked. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256Of } from '../bytes/sha256.ts';
import { reasonOf } from '../errors/reason.ts';
import { FirmwareError } from './errors.ts';

/** One piece of a flash. `label`: of its partition, or `flash` for all of it. */
export interface FlashCopy {
  label?: string | undefined;
  offset?: number | undefined;
  data: Uint8Array;
}

/** What is known of the board a copy is of. */
export interface CopiedBoard {
  chip: string;
  /** `aa:bb:cc:dd:ee:ff`, where it can be told. */
  mac?: string | undefined;
  /** Bytes. */
  flashSize?: number | undefined;
}

interface ListedPart {
  label: string;
  offset: number;
  size: number;
  sha256: string;
  file: string;
}

const LIST = 'backup.json';

/**
 * Writes a copy into a new folder within `folder`, named by board and time: nothing there is overwritten. Returns the
 * path of each part. Throws `FirmwareError` 'backup-not-written'.
 */
export async function writeBackup(
  folder: string,
  board: CopiedBoard,
  parts: readonly (FlashCopy & { label: string; offset: number })[],
  now = new Date(),
): Promise<string[]> {
  const time = now
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '')
    .replace('T', '-');
  const into = join(folder, `${board.mac?.replaceAll(':', '') ?? board.chip}-${time}`);
  const listed = parts.map(({ label, offset, data }, i): ListedPart & { data: Uint8Array } => {
    const file = `${String(i)}-${label.replaceAll(/[^\w-]/g, '_')}.bin`;
    return { label, offset, size: data.length, sha256: sha256Of(data), file, data };
  });
  try {
    await mkdir(folder, { recursive: true });
    await mkdir(into);
    for (const { file, data } of listed) await writeFile(join(into, file), data, { flag: 'wx', flush: true });
    const list = { ...board, parts: listed.map(({ data, ...part }) => ({ ...part, size: data.length })) };
    await writeFile(join(into, LIST), `${JSON.stringify(list, undefined, 2)}\n`, { flag: 'wx', flush: true });
  } catch (error) {
    const facts = { path: into, reason: reasonOf(error) };
    throw new FirmwareError('backup-not-written', `${into} cannot be written`, facts, error);
  }
  return listed.map(({ file }) => join(into, file));
}

/**
 * Reads a copy: the folder, its `backup.json`, or a single file of bytes.
 * Throws `FirmwareError` 'source-unreadable', 'backup-damaged'.
 */
export async function readBackup(path: string): Promise<FlashCopy[]> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    if (!isFolder && basename(path) !== LIST) return [{ data: await readFile(path) }];
    const folder = isFolder ? path : dirname(path);
    const parts = listedParts(await readFile(join(folder, LIST), 'utf8'), path);
    return await Promise.all(parts.map((part) => readPart(folder, part)));
  } catch (error) {
    if (error instanceof FirmwareError) throw error;
    const facts = { path, reason: reasonOf(error) };
    throw new FirmwareError('source-unreadable', `${path} cannot be read`, facts, error);
  }
}

async function readPart(
  folder: string,
  { label, offset, size, sha256: hash, file }: ListedPart,
): Promise<FlashCopy> {
  // A list names files beside it, and nothing else of this machine.
  const path = join(folder, basename(file));
  const data = await readFile(path);
  if (data.length !== size || sha256Of(data) !== hash) throw damaged(path);
  return { label, offset, data };
}

function listedParts(text: string, path: string): ListedPart[] {
  try {
    const { parts } = JSON.parse(text) as { parts: unknown };
    if (Array.isArray(parts) && parts.length > 0 && parts.every(isListed)) return parts;
  } catch {
    // As one without parts.
  }
  throw damaged(path);
}

function isListed(part: unknown): part is ListedPart {
  if (typeof part !== 'object' || part === null) return false;
  const { label, offset, size, sha256: hash, file } = part as Record<string, unknown>;
  return (
    [label, hash, file].every((each) => typeof each === 'string') && [offset, size].every(Number.isInteger)
  );
}

function damaged(path: string): FirmwareError {
  return new FirmwareError('backup-damaged', `${path} is not as it was written`, { path });
}
