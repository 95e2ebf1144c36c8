/** Files on the board as programs: compiled to see whether they are Python, and run. */
import { askHelper } from './helper.ts';
import { MicroPythonError } from './errors.ts';
import type { RawRepl, RunOptions } from './raw-repl.ts';
import { parseTraceback } from './traceback.ts';
import type { PythonError } from './traceback.ts';

/** A board compiles some kilobytes a second. */
const COMPILE_MS = 60_000;

export interface Check {
  /** How many were compiled; 0 where the firmware has no compiler that can be asked. */
  files: number;
  errors: ({ path: string } & PythonError)[];
}

/** Compiles files without running them. What the compiler refuses is data; throws as `RawRepl.run`. */
export async function checkFiles(repl: RawRepl, paths: readonly string[]): Promise<Check> {
  const check: Check = { files: 0, errors: [] };
  for (const path of paths) {
    const said = await askHelper(repl, 'check', [path], { timeoutMs: COMPILE_MS });
    if (said === false) break;
    check.files++;
    if (typeof said === 'string') check.errors.push({ path, ...parseTraceback(withoutUs(said)) });
  }
  return check;
}

/** Runs a file; returns what it raised. Throws as `RawRepl.run` for any other end. */
export async function runFile(
  repl: RawRepl,
  path: string,
  options: RunOptions,
): Promise<PythonError | undefined> {
  try {
    await askHelper(repl, 'run', [path], options);
    return undefined;
  } catch (error) {
    if (!(error instanceof MicroPythonError) || error.code !== 'python-error') throw error;
    return parseTraceback(withoutUs(String(error.facts['text'])));
  }
}

/** The frames of the script around the file are nobody's business. */
function withoutUs(traceback: string): string {
  return traceback.replace(/^ {2}File "<(stdin|string)>".*\r?\n/gm, '');
}
