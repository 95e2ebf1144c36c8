/** The folder that paths of messages must stay in, where whoever runs Node-RED has set one. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { HostError } from './errors.ts';

/**
 * The path with all links followed, as far as it is there. Throws `HostError` 'host-path-outside' when that leads
 * out of `root`; without a root every path is welcome.
 */
export async function allowedPath(
  path: string,
  root: string | undefined,
  what?: OutsideCase,
): Promise<string> {
  const real = await realPath(resolve(root ?? '.', path));
  if (root === undefined || isBelow(real, await realPath(resolve(root)))) return real;
  throw outside(path, root, what);
}

/** What leads out, where it is not the path that was asked for: a link in a folder, or a file that is written into one. */
type OutsideCase = 'link' | 'written';

export function outside(path: string, root: string, what?: OutsideCase): HostError {
  const facts = { path, root, ...(what ? { case: what } : {}) };
  return new HostError('host-path-outside', `${path} leads out of ${root}`, facts);
}

/** Whether a path is a folder or lies in it; both absolute and without links. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** What is not there yet has no links of its own; the folders above it may. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) return path;
    return join(await realPath(parent), basename(path));
  }
}
