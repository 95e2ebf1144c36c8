/** Paths of a board's files, from its root on. */

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function pathIn(folder: string, name: string): string {
  return `${folder.replace(/\/$/, '')}/${name}`;
}
