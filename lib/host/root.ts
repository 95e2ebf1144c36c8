/** The folder that paths of messages must stay in, where whoever runs Node-RED has set one. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { HostError } from './errors.ts';

/**
 * The path with all links followed, as far as it is there. Throws `HostError` 'host-path-outside' when that leads
 * out of `root`; without a root every path is welcome.
 */
export async function allowedPath(path: string, root: string | undefined): Promise<string> {
  const real = await realPath(resolve(root ?? '.', path));
  if (root === undefined || isBelow(real, await realPath(resolve(root)))) return real;
  throw outside(path, root);
}

export function outside(path: string, root: string): HostError {
  return new HostError('host-path-outside', `${path} leads out of ${root}`, { path, root });
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
