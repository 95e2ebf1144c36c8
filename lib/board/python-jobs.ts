/** Jobs for a board that runs MicroPython: run Python on it, ask it. */
import { beginSoftReset } from '../micropython/boot.ts';
import { call, evaluate, setGlobal } from '../micropython/answer.ts';
import type { RawRepl, RunOptions } from '../micropython/raw-repl.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';
import { withRawRepl } from './repl-job.ts';
import type { HoldOptions } from './repl-job.ts';

export interface PythonJobOptions extends JobOptions, RunOptions, HoldOptions {
  /** The board's global `params` gets this value first, see `toldValue`. */
  params?: unknown;
  /** Restart the interpreter after, so that boot.py and main.py run again; also when the code raised. */
  restart?: boolean | undefined;
}

/**
 * Runs Python and returns when it ended. Throws `MicroPythonError` 'python-error' with the traceback in
 * `facts.text`, 'program-running', and as `RawRepl.enter` and `RawRepl.finish`.
 */
export async function runPython(board: Board, source: string, options: PythonJobOptions): Promise<void> {
  return pythonJob(board, options, (repl, run) => repl.runProgram(source, run));
}

/** The value of one expression, see `pythonValue`. Throws as `runPython`. */
export async function evaluatePython(
  board: Board,
  expression: string,
  options: PythonJobOptions,
): Promise<unknown> {
  return pythonJob(board, options, (repl, run) => evaluate(repl, expression, run));
}

/** A function by its name, and what it is called with. */
export interface Call {
  name: string;
  args: readonly unknown[];
  kwargs: Readonly<Record<string, unknown>>;
}

/** What a function on the board returns, see `call`. Throws as `runPython`. */
export async function callPython(
  board: Board,
  { name, args, kwargs }: Call,
  options: PythonJobOptions,
): Promise<unknown> {
  return pythonJob(board, options, (repl, run) => call(repl, name, args, kwargs, run));
}

async function pythonJob<T>(
  board: Board,
  options: PythonJobOptions,
  work: (repl: RawRepl, run: RunOptions) => Promise<T>,
): Promise<T> {
  const { params, restart = false, interrupt } = options;
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: async (lease) => {
      const run = heard(lease, options);
      const code = { hasBegun: false };
      const begin = async (repl: RawRepl): Promise<T> => {
        code.hasBegun = true;
        // The code has all of its time, however long `params` took on their way.
        if (params !== undefined) await setGlobal(repl, 'params', params, run);
        return work(repl, run);
      };
      let result: T;
      try {
        result = await withRawRepl(lease, begin, { interrupt, after: restart ? 'leave' : 'keep' });
      } catch (error) {
        if (restart && code.hasBegun) await restartAfter(error, lease);
        throw error;
      }
      if (restart) await beginSoftReset(lease.transport, lease.signal);
      return result;
    },
  });
}

/** The first error is the one that counts; that the restart failed too is kept as its cause. */
async function restartAfter(error: unknown, { transport, signal }: Lease): Promise<void> {
  try {
    await beginSoftReset(transport, signal);
  } catch (second) {
    if (error instanceof Error && error.cause === undefined) error.cause = second;
  }
}

/** What a job's program prints goes to its caller and to everyone who listens to the board. */
export function heard<T extends Heard>(
  { printed }: Lease,
  options: T,
): Omit<T, 'onOutput'> & { onOutput: (bytes: Uint8Array) => void } {
  const onOutput = (bytes: Uint8Array): void => {
    printed(bytes);
    options.onOutput?.(bytes);
  };
  return { ...options, onOutput };
}

interface Heard {
  onOutput?: ((bytes: Uint8Array) => void) | undefined;
}
