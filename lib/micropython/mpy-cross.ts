/** Python compiled for a board by this machine: `.mpy` files take less of the board's memory and start faster. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { boardPath } from './board-path.ts';
import { MicroPythonError } from './errors.ts';
import { parseTraceback } from './traceback.ts';
import type { OutgoingFile } from './upload.ts';

/**
 * The version of the files it makes: that of MicroPython 1.19 and newer. Their sub-versions differ in machine code
 * only, of which there is none here. Source: MicroPython's docs "MicroPython .mpy files".
 */
const MPY_VERSION = 6;

export interface Source {
  path: string;
  text: string;
}

/** With what the compiler said where it refused. */
export type Compiled = { path: string; mpy: Uint8Array } | { path: string; said: string };

/** Some milliseconds a file. */
const COMPILE_MS = 60_000;
/** MicroPython starts these by their names. */
const STARTED = /(^|\/)(boot|main)\.py$/;
/** Machine code is made for one kind of chip; the board does it itself. */
const MACHINE_CODE = /^\s*@micropython\.(native|viper|asm_\w+)/m;

/**
 * The same files, each `x.py` as `x.mpy`, except those that the board starts by name, those with machine code, and
 * the one at the path `asSource`. Throws `MicroPythonError` 'mpy-unsupported' for a board that loads another version
 * (absent: none), 'not-compiled' with file and line.
 */
export async function compileFiles(
  files: readonly OutgoingFile[],
  boardVersion: number | undefined,
  { asSource, signal }: { asSource?: string | undefined; signal: AbortSignal },
): Promise<OutgoingFile[]> {
  if (boardVersion !== MPY_VERSION) {
    const found = boardVersion ?? 'none';
    throw new MicroPythonError('mpy-unsupported', `the board loads .mpy version ${found}`, {
      found,
      made: MPY_VERSION,
    });
  }
  const isRun = (path: string): boolean => asSource !== undefined && boardPath(path) === boardPath(asSource);
  const sources = files.flatMap(({ path, content }) => {
    if (!path.endsWith('.py') || STARTED.test(path) || isRun(path)) return [];
    const text = Buffer.from(content).toString('utf8');
    return MACHINE_CODE.test(text) ? [] : [{ path, text }];
  });
  const compiled = new Map((await compileAll(sources, signal)).map((each) => [each.path, each]));
  return files.map((file) => {
    const found = compiled.get(file.path);
    if (!found) return file;
    if ('said' in found) throw notCompiled(found);
    return { path: file.path.replace(/\.py$/, '.mpy'), content: found.mpy };
  });
}

async function compileAll(sources: readonly Source[], signal: AbortSignal): Promise<Compiled[]> {
  if (sources.length === 0) return [];
  signal.throwIfAborted();
  // The ending is that of this file: sources in tests, JavaScript in the package.
  const file = new URL(`./mpy-cross-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
  const worker = new Worker(file, { workerData: sources });
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(COMPILE_MS)]);
  try {
    return await new Promise<Compiled[]>((resolve, reject) => {
      const compiled: Compiled[] = [];
      giveUp.addEventListener('abort', () => reject(giveUp.reason as Error), { once: true });
      worker.on('message', (each: Compiled) => {
        compiled.push(each);
        if (compiled.length === sources.length) resolve(compiled);
      });
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('mpy-cross ended early')));
    });
  } finally {
    await worker.terminate();
  }
}

function notCompiled({ path, said }: { path: string; said: string }): MicroPythonError {
  const { type, message, line } = parseTraceback(said);
  const facts = {
    path,
    line: line ?? '?',
    message: message === '' ? type : `${type}: ${message}`,
    text: said,
  };
  return new MicroPythonError('not-compiled', `${path}: ${said}`, facts);
}
