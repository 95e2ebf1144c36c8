/** Paths on a board. */
import { MicroPythonError } from './errors.ts';

/** The path from the root, or `MicroPythonError` 'bad-file-name' for a name that cannot be a file's. */
export function boardPath(name: string): string {
  const path = folderPath(name);
  if (path === '/' || name.endsWith('/')) throw badName(name, 'empty');
  return path;
}

/** As `boardPath`; the root and a slash at the end are welcome. */
export function folderPath(name: string): string {
  const path = `/${name.replace(/^\//, '')}`;
  const parts = path.slice(1).replace(/\/$/, '').split('/');
  if (parts.includes('..') || parts.includes('.')) throw badName(name, 'dots');
  if (path !== '/' && parts.includes('')) throw badName(name, 'double-slash');
  if (path.includes('\0')) throw badName(name, 'zero-byte');
  return path === '/' ? path : path.replace(/\/$/, '');
}

function badName(path: string, why: string): MicroPythonError {
  return new MicroPythonError('bad-file-name', `${JSON.stringify(path)} is no file name: ${why}`, {
    path,
    why,
  });
}

/** Whether a path is a folder or lies in it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}
