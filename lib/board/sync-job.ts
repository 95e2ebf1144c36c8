/** The job of bringing files to a board: as they shall be, and what happens then, in one stay on the wire. */
import { CodedError } from '../errors/coded-error.ts';
import { boardPath, folderPath } from '../micropython/board-path.ts';
import { softReset } from '../micropython/boot.ts';
import type { Boot } from '../micropython/boot.ts';
import { checkFiles, runFile } from '../micropython/program.ts';
import type { Check } from '../micropython/program.ts';
import type { RawRepl } from '../micropython/raw-repl.ts';
import { syncFiles } from '../micropython/sync.ts';
import type { SyncedFile, SyncOptions } from '../micropython/sync.ts';
import type { PythonError } from '../micropython/traceback.ts';
import type { OutgoingFile } from '../micropython/upload.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';
import { hardResetWith } from './control-jobs.ts';
import { BoardError } from './errors.ts';
import { heard } from './python-jobs.ts';
import type { Left } from './repl-job.ts';
import { withUploads } from './upload-jobs.ts';

export type { OutgoingFile, SyncedFile };

/** A main.py that runs for ever gives no prompt; what it prints so long is shown. */
const BOOT_MS = 5000;

/** What happens when the files are there. */
export type After =
  /** `nothing` and `check` leave the board at its prompt after a change; with `go-on` the program that ran goes on. */
  | { kind: 'nothing' | 'go-on' | 'soft-reset' | 'hard-reset' | 'check' }
  /** Runs a file of the board, at most for `timeoutMs`. */
  | { kind: 'run'; path: string; timeoutMs: number };

export interface SyncJobOptions extends JobOptions, SyncOptions {
  after: After;
  /** What the board prints after a restart, or while it runs the file. */
  onOutput: (bytes: Uint8Array) => void;
  /** Told what begins. */
  onPhase?: ((phase: 'comparing' | 'checking' | 'running' | 'starting') => void) | undefined;
}

export interface SyncJobResult extends Partial<Boot> {
  /** Whether anything was written or deleted, or would be. */
  changed: boolean;
  files: SyncedFile[];
  /** After `check`. */
  check?: Check;
  /** After `run`. */
  run?: { path: string; stdout: string; error?: PythonError };
  /** A program was interrupted, and was started anew: nothing has changed, or `go-on` was asked for. */
  restarted?: true;
  /** A program was interrupted, and stays so: files have changed, and no restart was asked for. */
  stopped?: true;
}

/**
 * Throws 'bad-file-name' before the board is asked; then as `syncFiles`, `runFile` and `watchBoot`. What becomes of the
 * files is told whatever goes wrong: as `uploadFiles` does it, and by `changed` and `files` where they were all there.
 */
export async function syncBoard(
  board: Board,
  wanted: readonly OutgoingFile[],
  options: SyncJobOptions,
): Promise<SyncJobResult> {
  const files = wanted.map(({ path, content }) => ({ path: boardPath(path), content }));
  const mirror = options.mirror === undefined ? undefined : folderPath(options.mirror);
  const { after: wish } = options;
  const after = wish.kind === 'run' ? { ...wish, path: boardPath(wish.path) } : wish;
  let known: Record<string, unknown> = { kept: 'old', done: [] };
  const tell = (facts: Record<string, unknown>): void => {
    known = facts;
  };
  try {
    return await board.run({
      kind: 'upload',
      ...jobOptions(options),
      run: (lease) => syncAnd(lease, files, { ...options, after, mirror }, tell),
    });
  } catch (error) {
    throw own(error, known);
  }
}

/** One cancel ends many jobs, and what is told here is of this one. */
function own(error: unknown, facts: Record<string, unknown>): unknown {
  if (error instanceof BoardError)
    return new BoardError(error.code, error.message, { ...error.facts, ...facts }, error);
  return error instanceof CodedError ? (error as CodedError).tell({ ...facts, ...error.facts }) : error;
}

async function syncAnd(
  lease: Lease,
  wanted: readonly OutgoingFile[],
  options: SyncJobOptions,
  tell: (facts: Record<string, unknown>) => void,
): Promise<SyncJobResult> {
  const { onPhase } = options;
  const after: After = options.dryRun ? { kind: 'nothing' } : options.after;
  const restarts = after.kind === 'soft-reset' || after.kind === 'hard-reset';
  // What ran before goes on as long as nothing has changed, also after an error.
  let left: Left = 'go-on';
  /** By path; where the work begins again, it finds them there. */
  const written = new Map<string, SyncedFile>();
  const done: string[] = [];
  let isSynced = false;
  const onFile = (file: SyncedFile): void => {
    if (written.has(file.path)) return;
    if (isChange(file) && !options.dryRun) {
      written.set(file.path, file);
      done.push(file.path);
      if (after.kind !== 'go-on') left = 'keep';
    }
    options.onFile?.(file);
  };
  const inRepl = async (repl: RawRepl): Promise<SyncJobResult> => {
    onPhase?.('comparing');
    const onChange = (): void => tell({ done });
    const mayRestart = restarts || repl.hasToGoOn;
    const found = await syncFiles(repl, wanted, { ...options, onFile, onChange, mayRestart });
    const files = found.map((file) => written.get(file.path) ?? file);
    const changed = files.some(isChange);
    tell({ changed, files });
    isSynced = true;
    if (restarts) left = 'leave';
    if (after.kind === 'run') left = 'keep';
    const more = await afterwards(repl, lease, wanted, { ...options, after });
    return { changed, files, ...more, ...becomesOf(repl, left) };
  };
  const result = await withUploads(lease, wanted, inRepl, {
    after: () => left,
    mayRepeat: () => !isSynced,
    resetsLost: options.turbo === true,
  });
  if (!restarts) return result;
  onPhase?.('starting');
  const { onOutput } = heard(lease, options);
  const { transport, signal } = lease;
  const boot =
    after.kind === 'soft-reset'
      ? await softReset(transport, { timeoutMs: BOOT_MS, signal, onOutput })
      : await hardResetWith(
          { ...lease, repl: undefined },
          { timeoutMs: BOOT_MS, onOutput: options.onOutput },
        );
  return { ...result, ...boot };
}

/** What becomes of the program that was interrupted, if one was. */
function becomesOf({ hasToGoOn }: RawRepl, left: Left): Pick<SyncJobResult, 'restarted' | 'stopped'> {
  if (!hasToGoOn || left === 'leave') return {};
  return left === 'go-on' ? { restarted: true } : { stopped: true };
}

function isChange({ action }: SyncedFile): boolean {
  return action !== 'unchanged' && action !== 'kept';
}

/** What is done without a restart. */
async function afterwards(
  repl: RawRepl,
  lease: Lease,
  wanted: readonly OutgoingFile[],
  { after, ...options }: SyncJobOptions,
): Promise<Pick<SyncJobResult, 'check' | 'run'>> {
  if (after.kind === 'check') {
    options.onPhase?.('checking');
    const paths = wanted.map(({ path }) => path).filter((path) => path.endsWith('.py'));
    return { check: await checkFiles(repl, paths) };
  }
  if (after.kind !== 'run') return {};
  options.onPhase?.('running');
  const printed: Uint8Array[] = [];
  const { onOutput } = heard(lease, options);
  const error = await runFile(repl, after.path, {
    timeoutMs: after.timeoutMs,
    onOutput: (bytes) => {
      printed.push(bytes);
      onOutput(bytes);
    },
  });
  const stdout = Buffer.concat(printed).toString('utf8').replaceAll('\r\n', '\n');
  return { run: { path: after.path, stdout, ...(error ? { error } : {}) } };
}
