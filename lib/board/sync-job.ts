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

type Facts = Record<string, unknown>;
/** Takes what is known of the files by now, for the case that something goes wrong. */
type Tell = (facts: Facts) => void;

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
  const after = afterIn(options);
  let known: Facts = { kept: 'old', done: [] };
  const tell: Tell = (facts) => {
    known = facts;
  };
  try {
    return await board.run({
      kind: 'upload',
      ...jobOptions(options),
      run: (lease) => syncAnd(lease, files, { ...options, after, mirror }, tell),
    });
  } catch (error) {
    throw told(error, known);
  }
}

/** Throws 'bad-file-name'. */
function afterIn({ after, dryRun }: SyncJobOptions): After {
  if (dryRun) return { kind: 'nothing' };
  return after.kind === 'run' ? { ...after, path: boardPath(after.path) } : after;
}

/** What is told already is told by whoever knows it better. */
function told(error: unknown, facts: Facts): unknown {
  if (error instanceof BoardError) return error.copy().tell(facts);
  return error instanceof CodedError ? (error as CodedError).tell({ ...facts, ...error.facts }) : error;
}

async function syncAnd(
  lease: Lease,
  wanted: readonly OutgoingFile[],
  options: SyncJobOptions,
  tell: Tell,
): Promise<SyncJobResult> {
  const work = new SyncWork(lease, wanted, options, tell);
  const result = await withUploads(lease, wanted, (repl) => work.run(repl), {
    after: () => work.left,
    mayRepeat: () => !work.isSynced,
    resetsLost: options.turbo === true,
  });
  if (!isRestart(options.after)) return result;
  options.onPhase?.('starting');
  return { ...result, ...(await restart(lease, options)) };
}

/** What is done in the raw REPL; it begins again where the board restarts in the middle. */
class SyncWork {
  /** What ran before goes on as long as nothing has changed, also after an error. */
  left: Left = 'go-on';
  isSynced = false;
  readonly #lease: Lease;
  readonly #wanted: readonly OutgoingFile[];
  readonly #options: SyncJobOptions;
  readonly #tell: Tell;
  /** By path; work that begins again finds them there. */
  readonly #written = new Map<string, SyncedFile>();
  readonly #done: string[] = [];

  constructor(lease: Lease, wanted: readonly OutgoingFile[], options: SyncJobOptions, tell: Tell) {
    this.#lease = lease;
    this.#wanted = wanted;
    this.#options = options;
    this.#tell = tell;
  }

  async run(repl: RawRepl): Promise<SyncJobResult> {
    const { after, onPhase } = this.#options;
    onPhase?.('comparing');
    const files = await this.#sync(repl);
    const changed = files.some(isChange);
    this.#tell({ changed, files });
    this.isSynced = true;
    if (isRestart(after)) this.left = 'leave';
    if (after.kind === 'run') this.left = 'keep';
    const more = await afterwards(repl, this.#lease, this.#wanted, this.#options);
    return { changed, files, ...more, ...becomesOf(repl, this.left) };
  }

  async #sync(repl: RawRepl): Promise<SyncedFile[]> {
    const found = await syncFiles(repl, this.#wanted, {
      ...this.#options,
      onFile: (file) => this.#note(file),
      onChange: () => this.#tell({ done: this.#done }),
      mayRestart: isRestart(this.#options.after) || repl.hasToGoOn,
    });
    return found.map((file) => this.#written.get(file.path) ?? file);
  }

  #note(file: SyncedFile): void {
    const { after, dryRun, onFile } = this.#options;
    if (this.#written.has(file.path)) return;
    if (isChange(file) && !dryRun) {
      this.#written.set(file.path, file);
      this.#done.push(file.path);
      if (after.kind !== 'go-on') this.left = 'keep';
    }
    onFile?.(file);
  }
}

function isRestart({ kind }: After): boolean {
  return kind === 'soft-reset' || kind === 'hard-reset';
}

function restart(lease: Lease, { after, ...options }: SyncJobOptions): Promise<Boot> {
  const { transport, signal } = lease;
  const { onOutput } = options;
  if (after.kind === 'hard-reset')
    return hardResetWith({ ...lease, repl: undefined }, { timeoutMs: BOOT_MS, onOutput });
  return softReset(transport, { timeoutMs: BOOT_MS, signal, onOutput: heard(lease, options).onOutput });
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
