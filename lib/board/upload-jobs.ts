/** Jobs that put files on a board that runs MicroPython, each file whole or not at all. */
import { softReset } from '../micropython/boot.ts';
import type { Boot } from '../micropython/boot.ts';
import type { RawRepl } from '../micropython/raw-repl.ts';
import { uploadFiles } from '../micropython/upload.ts';
import type { OutgoingFile, UploadOptions, UploadResult } from '../micropython/upload.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';
import { heard } from './python-jobs.ts';
import { withRawRepl } from './repl-job.ts';

export type { OutgoingFile, UploadOptions, UploadResult };

/** A main.py that runs for ever gives no prompt; what it prints so long is shown. */
const SOFT_RESET_MS = 5000;

/** All files in one stay on the board, in their order. Throws as `uploadFiles`. */
export async function uploadFilesToBoard(
  board: Board,
  files: readonly OutgoingFile[],
  options: JobOptions & UploadOptions = {},
): Promise<UploadResult[]> {
  const upload = (repl: RawRepl): Promise<UploadResult[]> => uploadFiles(repl, files, options);
  return board.run({
    kind: 'upload',
    ...jobOptions(options),
    run: (lease) => withRawRepl(lease, upload, { resetsLost: options.turbo === true }),
  });
}

export interface UploadJobOptions extends JobOptions, UploadOptions {
  /** Restart the interpreter after, so that boot.py and main.py run. */
  softReset: boolean;
  /** What the board prints after the restart. */
  onOutput: (bytes: Uint8Array) => void;
}

export type UploadJobResult = UploadResult & Partial<Boot>;

/** Writes one file on the board. Throws as `uploadFiles`. */
export async function uploadToBoard(
  board: Board,
  path: string,
  content: Uint8Array,
  options: UploadJobOptions,
): Promise<UploadJobResult> {
  const run = async (lease: Lease): Promise<UploadJobResult> => {
    const after = options.softReset ? 'leave' : 'keep';
    const upload = (repl: RawRepl): Promise<UploadResult[]> =>
      uploadFiles(repl, [{ path, content }], options);
    const [written] = await withRawRepl(lease, upload, { after, resetsLost: options.turbo === true });
    if (!written) throw new Error('no result');
    if (!options.softReset) return written;
    const { transport, signal } = lease;
    const wait = { timeoutMs: SOFT_RESET_MS, signal, ...heard(lease, options) };
    return { ...written, ...(await softReset(transport, wait)) };
  };
  return board.run({ kind: 'upload', ...jobOptions(options), run });
}
