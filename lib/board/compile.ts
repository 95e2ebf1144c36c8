/** Files compiled for a board: it is asked which it loads, then this machine compiles, and the port is free. */
import { compileFiles } from '../micropython/mpy-cross.ts';
import type { OutgoingFile } from '../micropython/upload.ts';
import type { Board, JobOptions } from './board.ts';
import { askAbout } from './file-jobs.ts';

/** Throws as `compileFiles`. */
export async function compileFor(
  board: Board,
  files: readonly OutgoingFile[],
  { asSource, ...job }: JobOptions & { signal: AbortSignal; asSource?: string | undefined },
): Promise<OutgoingFile[]> {
  const { mpy } = await askAbout(board, job);
  return compileFiles(files, mpy, { asSource, signal: job.signal });
}
