/** Files of the machine Node-RED runs on, as messages and settings name them; and which of the board's are guarded. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { HostError, unreadable } from '../host/errors.ts';
import { readFolder, readHostFile } from '../host/folder.ts';
import type { FolderRules, HostFile } from '../host/folder.ts';
import { Patterns } from '../host/pattern.ts';
import { allowedPath } from '../host/root.ts';
import { writeInto } from '../host/write.ts';

/** What no mirror deletes by default: the way into the board. */
export const GUARDED = 'boot.py, webrepl_cfg.py';

/**
 * The real path of one that a message names. Where Node-RED's settings have `esp32FileRoot`, paths count from that
 * folder and must stay in it. Throws `HostError` 'host-path-outside'.
 */
export async function hostPath(RED: NodeAPI, path: string): Promise<string> {
  const { esp32FileRoot } = RED.settings as unknown as { esp32FileRoot?: unknown };
  return allowedPath(path.trim(), typeof esp32FileRoot === 'string' ? esp32FileRoot : undefined);
}

/** What lies at a path: one file by its name, or all of a folder. */
export type HostSource = { kind: 'file'; file: HostFile } | { kind: 'folder'; files: HostFile[] };

/** Throws `HostError`. */
export async function readHost(
  RED: NodeAPI,
  path: string,
  rules: FolderRules,
  signal: AbortSignal,
): Promise<HostSource> {
  const real = await hostPath(RED, path);
  const found = await stat(real).catch(unreadable(path));
  if (found.isDirectory()) return { kind: 'folder', files: await readFolder(real, rules, signal) };
  return { kind: 'file', file: { path: basename(path.trim()), content: await readHostFile(real) } };
}

/** The text of a file. Throws `HostError`. */
export async function readHostText(RED: NodeAPI, path: string): Promise<string> {
  return (await readHostFile(await hostPath(RED, path))).toString('utf8');
}

/** Writes files of a board under a folder of this machine; returns their paths. Throws `HostError`. */
export async function writeHost(
  RED: NodeAPI,
  folder: string,
  files: readonly HostFile[],
  signal: AbortSignal,
): Promise<string[]> {
  const real = await hostPath(RED, folder);
  const written: string[] = [];
  const twins = new Map<string, string>();
  for (const { path, content } of files) {
    signal.throwIfAborted();
    const twin = twins.get(path.toLowerCase());
    if (twin !== undefined && (await isSameFile(twin, join(real, path)))) throw overwrites(path, twin);
    const place = await writeInto(real, path, content);
    twins.set(path.toLowerCase(), place);
    written.push(place);
  }
  return written;
}

/** Windows and macOS take no notice of case. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

function overwrites(path: string, twin: string): HostError {
  const facts = { path, reason: `to this machine it is the same name as ${basename(twin)}` };
  return new HostError('host-not-written', `${path}: ${facts.reason}`, facts);
}

/**
 * Whether a path of the board fits one of the patterns of a guard list, which count from the board's root. In any case:
 * to FAT `Boot.py` is `boot.py`.
 */
export function guardOf(patterns: readonly string[]): (path: string) => boolean {
  const guard = new Patterns(patterns.map((pattern) => pattern.toLowerCase()));
  return (path) => guard.cover(path.toLowerCase().replace(/^\//, ''));
}
