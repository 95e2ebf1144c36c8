/** Errors of a board's file system, by the numbers MicroPython has for them (`py/mperrno.h`). */
import { MicroPythonError } from './errors.ts';
import type { FileErrorCode } from './errors.ts';

const CODES: Readonly<Record<number, FileErrorCode>> = {
  2: 'file-not-found',
  17: 'file-exists',
  20: 'not-a-folder',
  21: 'is-a-folder',
  28: 'disk-full',
  30: 'disk-read-only',
  39: 'folder-not-empty',
  // As `board/files.py` says it.
  95: 'format-unsupported',
};

/** What the board answered, as an error with a code. */
export function fileError(errno: number, path: string): MicroPythonError {
  const code = CODES[errno] ?? 'file-system-error';
  return new MicroPythonError(code, `${path}: error ${errno}`, { path, errno });
}

/** Throws when an answer of a board script is an error. */
export function refuseError(answer: unknown): void {
  if (typeof answer !== 'object' || answer === null || !('errno' in answer)) return;
  const { errno, path } = answer as { errno: unknown; path?: unknown };
  throw fileError(Number(errno), String(path));
}
