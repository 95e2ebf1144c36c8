/** Jobs that put files on a board that runs MicroPython, each file whole or not at all. */
import { sha256Of } from '../bytes/sha256.ts';
import { CodedError } from '../errors/coded-error.ts';
import { boardPath } from '../micropython/board-path.ts';
import { statFile } from '../micropython/files.ts';
import { RawRepl } from '../micropython/raw-repl.ts';
import { uploadFiles } from '../micropython/upload.ts';
import type { OutgoingFile, UploadOptions, UploadResult } from '../micropython/upload.ts';
import { isLost } from '../transport/errors.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';
import { withRawRepl } from './repl-job.ts';
import type { WorkOptions } from './repl-job.ts';

/** A board that was unplugged or reset in the wrong moment is waited for; then it boots, and is asked. */
const COME_BACK_MS = 8000;
const LOOK_MS = 15_000;
const ASK_AGAIN_MS = 300;

/** All files in one stay on the board, in their order. Throws as `uploadFiles`. */
export async function uploadFilesToBoard(
  board: Board,
  files: readonly OutgoingFile[],
  options: JobOptions & UploadOptions = {},
): Promise<UploadResult[]> {
  const work = (repl: RawRepl): Promise<UploadResult[]> => uploadFiles(repl, files, options);
  const hold = { resetsLost: options.turbo === true };
  return board.run({
    kind: 'upload',
    ...jobOptions(options),
    run: (lease) => withUploads(lease, files, work, hold),
  });
}

/**
 * The raw REPL for work that uploads these files. Throws as `work`; what a board that went away or restarted has kept
 * is found out.
 */
export async function withUploads<T>(
  lease: Lease,
  files: readonly OutgoingFile[],
  work: (repl: RawRepl) => Promise<T>,
  options: WorkOptions,
): Promise<T> {
  try {
    return await withRawRepl(lease, work, options);
  } catch (error) {
    if (isUnsettled(error)) await settle(lease, files, error);
    throw error;
  }
}

function isUnsettled(error: unknown): error is CodedError {
  return error instanceof CodedError && error.facts['kept'] === 'either';
}

/** The new file took the place of the old one just when the board went: which it has, it tells when it is back. */
async function settle(lease: Lease, files: readonly OutgoingFile[], error: CodedError): Promise<void> {
  const { transport, signal } = lease;
  const path = String(error.facts['path']);
  const file = files.find((each) => boardPath(each.path) === path);
  if (!file || (isLost(error) && !transport.reopen)) return;
  try {
    if (isLost(error)) await transport.reopen?.({ timeoutMs: COME_BACK_MS, signal });
    const repl = new RawRepl(transport, AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]));
    const found = await hashOf(repl, path);
    error.tell({ kept: found === sha256Of(file.content) ? 'new' : 'old' });
    // It was on its way to its program.
    await (repl.hasToGoOn ? repl.restart() : repl.leave());
  } catch {
    // That the board went is what is told; this could not be found out.
  }
}

/** Asked until it answers, as it starts only now. Throws the reason of the REPL's signal. */
async function hashOf(repl: RawRepl, path: string): Promise<string | undefined> {
  for (;;) {
    try {
      if (await repl.enter()) repl.hasToGoOn = true;
      return (await statFile(repl, path, { hashes: true }))?.sha256;
    } catch (error) {
      if (repl.signal.aborted || isLost(error)) throw error;
      await repl.pause(ASK_AGAIN_MS);
    }
  }
}
