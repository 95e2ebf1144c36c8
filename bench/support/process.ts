/** What work costs this process: its CPU, its event loop, its memory. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** How often the event loop is looked at, in milliseconds; counts in every delay that is recorded. */
const RESOLUTION_MS = 5;

/** Runs `work` and tells its share of one core, and the longest time the event loop did not turn. */
export async function watched(
  work: () => Promise<unknown>,
): Promise<{ cpuPercent: number; blockedMs: number }> {
  // What the cases before have left behind is not this one's.
  collect();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const start = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const tookMs = performance.now() - start;
  delay.disable();
  return {
    cpuPercent: ((user + system) / 1000 / tookMs) * 100,
    blockedMs: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
  };
}

/** Bytes in use that cannot be given back. */
export function memoryInUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
