/** Files from a board onto this machine. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../errors/reason.ts';
import { HostError } from './errors.ts';
import { allowedPath } from './root.ts';

/**
 * Writes a file into a folder, whole or not at all, and makes the folders on the way. `name`, with slashes, came
 * from a board: it must not lead out of the folder. Returns its path. Throws `HostError` 'host-path-outside',
 * 'host-not-written'.
 */
export async function writeInto(folder: string, name: string, content: Uint8Array): Promise<string> {
  const unwritten = (error: unknown): never => {
    const facts = { path: join(folder, name), reason: messageOf(error) };
    throw new HostError('host-not-written', `${name}: ${facts.reason}`, facts, error);
  };
  await mkdir(folder, { recursive: true }).catch(unwritten);
  const path = await allowedPath(name, folder, 'written');
  const part = `${path}.${randomUUID()}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(part, content);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    unwritten(error);
  }
  return path;
}
