/** What can go wrong between the host and MicroPython, as data: a code and its facts. */
import { CodedError } from '../errors/coded-error.ts';

/** What a board's file system refuses. Facts: `path`, `errno`. */
export type FileErrorCode =
  | 'file-not-found'
  | 'file-exists'
  | 'not-a-folder'
  | 'is-a-folder'
  | 'folder-not-empty'
  /** Before or while writing; where known with `bytes` and `free`. */
  | 'disk-full'
  | 'disk-read-only'
  /** How to make its disk anew is not known of this firmware. */
  | 'format-unsupported'
  /** Any other number. */
  | 'file-system-error';

export type MicroPythonErrorCode =
  | FileErrorCode
  /**
   * The raw REPL could not be reached. Facts: `heard` ('nothing' | 'garbage' | 'loader' | 'boot-loop' |
   * 'text'), `tail` (the last text that came), `steps` (what was tried).
   */
  | 'no-prompt'
  /** The code raised. Facts: the fields of `PythonError`. */
  | 'python-error'
  /** The board restarted while code ran. Facts: `tail`, `reset` (the mask ROM's reason, `0xc (SW_CPU_RESET)`). */
  | 'board-restarted'
  /** The same, for lack of power. */
  | 'brown-out'
  /** The same, as it crashed. Facts: also `reason`, `LoadProhibited`. */
  | 'panic'
  /** The code ended the interpreter: `machine.soft_reset()`; on newer firmware `sys.exit()` too. Facts: `tail`. */
  | 'soft-reset'
  /** The code left by SystemExit, `sys.exit()`, and has no result. */
  | 'system-exit'
  /** A value for the board is nested too deeply, or holds itself. Facts: `depth`. */
  | 'value-too-deep'
  /** A board could not be got back. Facts: `case` ('prompt': it does not come up; 'partition': no files found). */
  | 'rescue-failed'
  /** A program runs, and must not be interrupted. Facts: `tail`. */
  | 'program-running'
  /** Code did not end in time and was interrupted. Facts: `timeoutMs`, `interrupted`. */
  | 'run-timeout'
  /** The board left the raw REPL's protocol. Facts: `expected`, `tail`. */
  | 'repl-confused'
  /** What arrived in a file is not what was sent; the old file is kept. Facts: `path`. */
  | 'file-damaged'
  /** The file or folder is on the guard list and force was not said. Facts: `path`, `guarded`. */
  | 'file-guarded'
  /** The board loads compiled files of another version, or none. Facts: `found`, `made`. */
  | 'mpy-unsupported'
  /** A file is no Python. Facts: `path`, `line`, `message`, `text`. */
  | 'not-compiled'
  /** A file name that cannot be one. Facts: `path`, `why`; `case` 'in-itself' for a folder moved into itself. */
  | 'bad-file-name'
  /** The board was restarted but does not come up. Facts: `heard`, `tail`, `reset` (the mask ROM's last reason). */
  | 'boot-failed';

export class MicroPythonError extends CodedError<MicroPythonErrorCode> {}

/** For what the board printed on its error channel: throws 'python-error', unless that is nothing. */
export function throwRaised(traceback: string): void {
  if (traceback) throw new MicroPythonError('python-error', traceback, { text: traceback });
}
