/**
 * The thread in which mpy-cross runs, of npm's `@pybricks/mpy-cross-v6`: MicroPython's own compiler as WebAssembly.
 * At each start it begins to listen for faults of its process, and where there is a `fetch` it looks for its
 * WebAssembly in the web: neither must happen where flows run.
 */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { Compiled, Source } from './mpy-cross.ts';

type Compile = (
  name: string,
  source: string,
  options: string[],
) => Promise<{ status: number; mpy?: Uint8Array; err: string[] }>;

Reflect.deleteProperty(globalThis, 'fetch');
const { compile } = createRequire(import.meta.url)('@pybricks/mpy-cross-v6') as { compile: Compile };

for (const { path, text } of workerData as Source[]) {
  // It goes by a plain name; tracebacks on the board show the file's own.
  const { status, mpy, err } = await compile('module.py', text, ['-s', path]);
  // They hold on to each compiler and its memory.
  for (const event of ['uncaughtException', 'unhandledRejection']) process.removeAllListeners(event);
  const said = err.join('\n');
  parentPort?.postMessage((status === 0 && mpy ? { path, mpy } : { path, said }) satisfies Compiled);
}
