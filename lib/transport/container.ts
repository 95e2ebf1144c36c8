/** Whether this process lives in a container, which sees only the devices it was given. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type Container = 'docker' | 'podman' | 'kubernetes' | 'lxc';

/** Files that container engines leave in the root. */
const MARKS: readonly (readonly [string, Container])[] = [
  ['run/secrets/kubernetes.io', 'kubernetes'],
  ['.dockerenv', 'docker'],
  ['run/.containerenv', 'podman'],
];
/** What the cgroup of process 1 is called; with cgroup v2 it is only `/`. */
const CGROUPS: readonly (readonly [RegExp, Container])[] = [
  [/\/kubepods/, 'kubernetes'],
  [/\/docker|\/containerd/, 'docker'],
  [/\/libpod/, 'podman'],
  [/\/lxc/, 'lxc'],
];

/** The kind of container; `undefined` outside of one. `root`: the root of the file system, which tests replace. */
export async function containerOf(root = '/'): Promise<Container | undefined> {
  for (const [file, kind] of MARKS) if (await exists(join(root, file))) return kind;
  const cgroup = await readFile(join(root, 'proc/1/cgroup'), 'utf8').catch(() => '');
  return CGROUPS.find(([name]) => name.test(cgroup))?.[1];
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
