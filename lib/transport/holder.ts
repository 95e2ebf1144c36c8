/** Who has a port open, as far as Linux tells: the links in `/proc/<pid>/fd`. */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';

export interface Holder {
  /** The name of its program, at most 15 characters: `screen`. */
  program: string;
  pid: number;
}

/**
 * A process that has the file open; this very one only where no other has. `undefined` where none can be seen: on
 * another system, or when it is another user's (whose descriptors are not shown) or another container's.
 */
export async function holderOf(path: string, proc = '/proc'): Promise<Holder | undefined> {
  const device = await realpath(path).catch(() => undefined);
  if (device === undefined) return undefined;
  const names = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const pids = names.map(Number).toSorted((a, b) => Number(a === process.pid) - Number(b === process.pid));
  const holds = await Promise.all(pids.map((pid) => isHeldBy(join(proc, String(pid)), device)));
  const pid = pids[holds.indexOf(true)];
  if (pid === undefined) return undefined;
  const program = await readFile(join(proc, String(pid), 'comm'), 'utf8').catch(() => '');
  return { program: program.trim() || `process ${pid}`, pid };
}

async function isHeldBy(folder: string, device: string): Promise<boolean> {
  const names = await readdir(join(folder, 'fd')).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(join(folder, 'fd', name)).catch(() => '')));
  return targets.includes(device);
}
