/** Jobs for a board that runs MicroPython: run Python on it, put a file on it. */
import { softReset } from '../micropython/boot.ts';
import type { Boot } from '../micropython/boot.ts';
import { evaluate } from '../micropython/evaluate.ts';
import type { RawRepl, RunOptions } from '../micropython/raw-repl.ts';
import { uploadFile } from '../micropython/upload.ts';
import type { UploadProgress, UploadResult } from '../micropython/upload.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';
import { withRawRepl } from './repl-job.ts';

/** A main.py that runs for ever gives no prompt; what it prints so long is shown. */
const SOFT_RESET_MS = 5000;

/** Runs Python and returns when it ended. Throws `MicroPythonError` 'python-error' and others. */
export async function runPython(
  board: Board,
  source: string,
  options: JobOptions & RunOptions,
): Promise<void> {
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: (lease) => withRawRepl(lease, (repl) => repl.run(source, heard(lease, options))),
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
    run: (lease) => withRawRepl(lease, (repl) => evaluate(repl, expression, heard(lease, options))),
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
      const after = options.softReset ? 'leave' : 'keep';
      const upload = (repl: RawRepl): Promise<UploadResult> =>
        uploadFile(repl, path, content, options.onProgress);
      const written = await withRawRepl(lease, upload, after);
      if (!options.softReset) return written;
      const { transport, signal } = lease;
      const wait = { timeoutMs: SOFT_RESET_MS, signal, ...heard(lease, options) };
      return { ...written, ...(await softReset(transport, wait)) };
    },
  });
}

/** What a job's program prints goes to its caller and to everyone who listens to the board. */
export function heard<T extends Pick<RunOptions, 'onOutput'>>({ printed }: Lease, options: T): T & Heard {
  const onOutput = (bytes: Uint8Array): void => {
    printed(bytes);
    options.onOutput?.(bytes);
  };
  return { ...options, onOutput };
}

type Heard = Required<Pick<RunOptions, 'onOutput'>>;
