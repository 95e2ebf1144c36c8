/**
 * 16 boards at once from one process.
 *
 * The virtual boards share the cores of this machine, so their wires run at 115200 and their flash chips take
 * no time: what is measured is whether the jobs get into each other's way, not how fast 16 boards can be played.
 */
import { demoImage } from '../../test/virtual-board/demo-image.ts';
import { launchBoard } from '../../test/virtual-board/launch.ts';
import type { VirtualBoard } from '../../test/virtual-board/launch.ts';
import type { Report } from './case.ts';
import { flashes } from './ours.ts';
import { memoryInUse } from './process.ts';

const BOARDS = 16;
const BAUD = 115200;
const small = demoImage({ payloadSize: 100_000, project: 'other' });
const large = demoImage({ payloadSize: 1_580_000, project: 'other' });
/** Bytes of the large image after which a job is ended: its memory does not grow from there. */
const ENOUGH = 100_000;
const MEGABYTE = 1e6;

export async function manyAtOnce(report: Report): Promise<void> {
  const boards = await Promise.all(Array.from({ length: BOARDS }, launch));
  try {
    const [first] = boards;
    if (!first) return;
    const alone = (await flashes(first.rfc2217, small.bytes, BAUD)).verifiedMs;
    await first.writeFlash(0, new Uint8Array(0x100000).fill(0xff));
    const all = await Promise.all(boards.map(({ rfc2217 }) => flashes(rfc2217, small.bytes, BAUD)));
    const slowest = Math.max(...all.map(({ verifiedMs }) => verifiedMs));
    report({
      case: `${BOARDS} boards at once, the slowest`,
      value: slowest,
      unit: 'ms',
      limit: alone,
      bar: 1.1 * alone,
    });

    const before = memoryInUse();
    const most = await mostMemory(boards);
    const each = (most - before) / BOARDS / MEGABYTE;
    report({ case: `${BOARDS} boards at once, memory of each`, value: each, unit: 'MB', bar: 12 });
  } finally {
    await Promise.all(boards.map((board) => board.close()));
  }
}

function launch(): Promise<VirtualBoard> {
  return launchBoard({ firmware: 'none', latencyMs: 1, timing: 'none', bootMs: 0 });
}

/** Flashes all with the large image, held once, until each has written some. */
async function mostMemory(boards: readonly VirtualBoard[]): Promise<number> {
  const enough = new Error('enough');
  let most = 0;
  const jobs = boards.map(async ({ rfc2217 }) => {
    const stop = new AbortController();
    const onEvent = (event: { kind: string; done?: number }): void => {
      if (event.kind === 'writing' && (event.done ?? 0) > ENOUGH) {
        most = Math.max(most, memoryInUse());
        stop.abort(enough);
      }
    };
    await flashes(rfc2217, large.bytes, BAUD, { signal: stop.signal, onEvent }).catch((error: unknown) => {
      if (error !== enough) throw error;
    });
  });
  await Promise.all(jobs);
  return most;
}
