/** Programs that are known to take boards' ports for themselves. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The braille driver believes in every CH340 and CP210x; the modem manager talks to every new port. */
const TAKERS = ['brltty', 'ModemManager'] as const;

export type Taker = (typeof TAKERS)[number];

export function isTaker(program: string): program is Taker {
  return TAKERS.some((taker) => taker === program);
}

/** Those that run here, as far as `/proc` tells. */
export async function runningTakers(proc = '/proc'): Promise<Taker[]> {
  const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(
    pids.map((pid) => readFile(join(proc, pid, 'comm'), 'utf8').catch(() => '')),
  );
  const running = new Set(names.map((name) => name.trim()));
  return TAKERS.filter((taker) => running.has(taker));
}
