/** Jobs for a board that runs MicroPython: run Python on it, put a file on it. */
import { softReset } from '../micropython/boot.ts';
import type { Boot } from '../micropython/boot.ts';
import { evaluate } from '../micropython/evaluate.ts';
import { RawRepl } from '../micropython/raw-repl.ts';
import type { RunOptions } from '../micropython/raw-repl.ts';
import { uploadFile } from '../micropython/upload.ts';
import type { UploadProgress, UploadResult } from '../micropython/upload.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';

/** A main.py that runs for ever gives no prompt; what it prints so long is shown. */
const SOFT_RESET_MS = 5000;
/** The longest way back to the prompt after a job was cut off. */
const RECOVER_TIMEOUT_MS = 8000;

/** Runs Python and returns when it ended. Throws `MicroPythonError` 'python-error' and others. */
export async function runPython(
  board: Board,
  source: string,
  options: JobOptions & RunOptions,
): Promise<void> {
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: (lease) => withRawRepl(lease, (repl) => repl.run(source, options)),
  });
}

/** The value of one expression, see `pythonValue`. */
export async function evaluatePython(
  board: Board,
  expression: string,
  options: JobOptions & RunOptions,
): Promise<unknown> {
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: (lease) => withRawRepl(lease, (repl) => evaluate(repl, expression, options)),
  });
}

export interface UploadJobOptions extends JobOptions {
  onProgress: (progress: UploadProgress) => void;
  /** Restart the interpreter after, so that boot.py and main.py run. */
  softReset: boolean;
  /** What the board prints after the restart. */
  onOutput: (bytes: Uint8Array) => void;
}

export type UploadJobResult = UploadResult & Partial<Boot>;

/** Writes one file on the board, whole or not at all. */
export async function uploadToBoard(
  board: Board,
  path: string,
  content: Uint8Array,
  options: UploadJobOptions,
): Promise<UploadJobResult> {
  return board.run({
    kind: 'upload',
    ...jobOptions(options),
    run: async (lease) => {
      const written = await withRawRepl(lease, (repl) => uploadFile(repl, path, content, options.onProgress));
      if (!options.softReset) return written;
      const { transport, signal } = lease;
      const { onOutput } = options;
      return { ...written, ...(await softReset(transport, { timeoutMs: SOFT_RESET_MS, signal, onOutput })) };
    },
  });
}

/** The raw REPL for the time of `work`; the board is left at its friendly prompt however that ends. */
export async function withRawRepl<T>(
  { transport, signal }: Lease,
  work: (repl: RawRepl) => Promise<T>,
): Promise<T> {
  const repl = new RawRepl(transport, signal);
  await repl.enter();
  let result: T;
  try {
    result = await work(repl);
  } catch (error) {
    await recover(transport, error);
    throw error;
  }
  await repl.leave();
  return result;
}

/** Only the first error counts; that the way back failed too is kept as its cause. */
async function recover(transport: Lease['transport'], reason: unknown): Promise<void> {
  try {
    const repl = new RawRepl(transport, AbortSignal.timeout(RECOVER_TIMEOUT_MS));
    await repl.enter();
    await repl.leave();
  } catch (error) {
    if (reason instanceof Error && reason.cause === undefined) reason.cause = error;
  }
}
