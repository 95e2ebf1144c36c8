/** Jobs that put files on a board that runs MicroPython, each file whole or not at all. */
import type { RawRepl } from '../micropython/raw-repl.ts';
import { uploadFiles } from '../micropython/upload.ts';
import type { OutgoingFile, UploadOptions, UploadResult } from '../micropython/upload.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions } from './board.ts';
import { withRawRepl } from './repl-job.ts';

export type { OutgoingFile, UploadOptions, UploadResult };

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
