/**
 * A board that lets nobody in: its main.py sleeps, restarts the chip, or goes on after every Ctrl-C. The file is put
 * aside; where even that cannot be done, the partition of its files is erased, and nothing else.
 */
import type { BackupPart } from '../esp/backup.ts';
import { runScript } from '../micropython/board-script.ts';
import { softReset, watchBoot } from '../micropython/boot.ts';
import type { Boot } from '../micropython/boot.ts';
import { MicroPythonError } from '../micropython/errors.ts';
import { RawRepl } from '../micropython/raw-repl.ts';
import { jobOptions } from './board.ts';
import type { Board, Lease } from './board.ts';
import { eraseBoard, inspectBoard, readBoard } from './loader-jobs.ts';
import type { LoaderJobEvent, LoaderJobOptions } from './loader-jobs.ts';
import { pressEn } from './press-en.ts';
import { heard } from './python-jobs.ts';

/** What runs by itself, in the order in which it is suspected. */
const SUSPECTS = ['/main.py', '/boot.py'];
const BOOT_MS = 12_000;
const WATCH_MS = 10_000;
/** A watchdog that main.py has started goes on when main.py has ended, and may restart the board in the middle. */
const TRIES = 3;
const SCRIPT_MS = 10_000;
/** A person who has to press EN needs longer than the lines. */
const BY_HAND_MS = 30_000;

export interface RescueOptions extends LoaderJobOptions {
  /** Erase the board's files where nothing else helps. */
  erase: boolean;
  /** Is given what is about to be erased. */
  onBackup: (part: BackupPart) => void;
  onOutput?: ((bytes: Uint8Array) => void) | undefined;
  /** Each step as it begins; `press-en` asks a person to do so, where the port has no lines. */
  onStep: (name: string, facts?: { path: string }) => void;
}

export interface Rescue extends Boot {
  /** Files that do not run any more: what they were and what they are called now. */
  renamed: { from: string; to: string }[];
  /** The partition of the files, where it was erased. */
  erased?: { label: string; offset: number; size: number };
}

/**
 * Returns when the board stands at its prompt after a restart; that was seen. Throws 'no-prompt' where it cannot be
 * had and nothing may be erased, 'rescue-failed' where it does not come up even so, 'boot-failed' where its files are
 * not to blame, and as `eraseBoard`. All tell in `facts.renamed` what was done before.
 */
export async function rescueBoard(board: Board, options: RescueOptions): Promise<Rescue> {
  const renamed: Rescue['renamed'] = [];
  try {
    return { ...(await putAside(board, options, renamed)), renamed };
  } catch (error) {
    if (!(error instanceof MicroPythonError)) throw error;
    const told = new MicroPythonError(error.code, error.message, { ...error.facts, renamed }, error);
    if (!options.erase || !(await isLockedOut(board, error, options))) throw told;
  }
  options.onStep('erase-files');
  const erased = await eraseFiles(board, options);
  const boot = await board.run({
    kind: 'flash',
    ...jobOptions(options),
    run: (lease) => restarted(lease, options),
  });
  return { ...upOrThrow(boot), renamed, erased };
}

const LOCKED_OUT = new Set<string>(['no-prompt', 'rescue-failed', 'board-restarted']);

/**
 * Whether files can be to blame, and nothing but erasing them helps: not on a board without power or firmware, and not
 * on one that comes to its prompt when nothing is typed. Throws 'boot-failed'.
 */
async function isLockedOut(board: Board, error: MicroPythonError, options: RescueOptions): Promise<boolean> {
  if (!LOCKED_OUT.has(error.code)) return false;
  const boot = await board.run({
    kind: 'flash',
    ...jobOptions(options),
    run: async (lease) => {
      options.onStep('watch-start');
      if (!(await pressEn(lease))) options.onStep('press-en');
      const watch = heard(lease, { onOutput: options.onOutput });
      const timing = { timeoutMs: WATCH_MS, signal: lease.signal };
      return unlessRestarting(watchBoot(lease.transport, { ...timing, ...watch }));
    },
  });
  return boot?.started !== 'prompt';
}

/** `undefined` for a board that restarts again and again though it has power and firmware: its files do that. */
async function unlessRestarting(boot: Promise<Boot>): Promise<Boot | undefined> {
  return boot.catch((error: unknown) => {
    if (error instanceof MicroPythonError && error.facts['heard'] === 'restarts') return undefined;
    throw error;
  });
}

/** One stay on the board: nobody else gets in between. */
async function putAside(board: Board, options: RescueOptions, renamed: Rescue['renamed']): Promise<Boot> {
  return board.run({
    kind: 'flash',
    ...jobOptions(options),
    run: async (lease) => {
      let boot: Boot | undefined;
      for (const from of SUSPECTS) {
        const to = await renamedDespiteRestarts(lease, from, options);
        if (to) renamed.push({ from, to });
        boot = await unlessRestarting(restarted(lease, options));
        if (boot?.started === 'prompt') return boot;
      }
      return upOrThrow(boot);
    },
  });
}

async function renamedDespiteRestarts(
  lease: Lease,
  path: string,
  options: RescueOptions,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(lease, path, options);
    } catch (error) {
      const hasRestarted = error instanceof MicroPythonError && error.code === 'board-restarted';
      if (!hasRestarted || attempt === TRIES) throw error;
    }
  }
}

/** Throws 'no-prompt'. Returns the new name; `undefined` where there is no such file. */
async function rename(
  lease: Lease,
  path: string,
  { onStep, onOutput }: RescueOptions,
): Promise<string | undefined> {
  const repl = new RawRepl(lease.transport, lease.signal);
  let isAsked = false;
  const hardReset = async (): Promise<boolean> => {
    if ((await pressEn(lease)) || isAsked) return true;
    isAsked = true;
    onStep('press-en');
    return true;
  };
  const { hasModemLines } = lease.transport;
  const how = { ...heard(lease, { onOutput }), onStep, hardReset };
  if (hasModemLines) await repl.enterByReset(how);
  else await repl.enter({ ...how, windowMs: BY_HAND_MS });
  onStep('rename', { path });
  const { value } = await runScript(repl, 'rescue', [path], { timeoutMs: SCRIPT_MS });
  lease.printed(await repl.leave());
  return typeof value === 'string' ? value : undefined;
}

/** From EN, or where there are no lines by a soft reset from the prompt. */
async function restarted(lease: Lease, options: RescueOptions): Promise<Boot> {
  options.onStep('restart');
  const watch = { timeoutMs: BOOT_MS, signal: lease.signal, ...heard(lease, { onOutput: options.onOutput }) };
  return (await pressEn(lease)) ? watchBoot(lease.transport, watch) : softReset(lease.transport, watch);
}

async function eraseFiles(board: Board, rescue: RescueOptions): Promise<Required<Rescue>['erased']> {
  // Between these jobs the board had better stay in its loader.
  const onEvent = (event: LoaderJobEvent): void => {
    if (event.kind !== 'press-en') rescue.onEvent(event);
  };
  const options = { ...rescue, onEvent };
  const { micropython, partitions } = await inspectBoard(board, options);
  const files = micropython && partitions.find(({ label }) => label === 'vfs' || label === 'ffat');
  if (!files) {
    const facts = { case: 'partition' };
    throw new MicroPythonError('rescue-failed', 'no partition of MicroPython files is known', facts);
  }
  const { label, offset, size } = files;
  const data = Buffer.from(await readBoard(board, { offset, size }, options));
  options.onBackup({ label, offset, data });
  await eraseBoard(board, { offset, size }, options);
  return { label, offset, size };
}

function upOrThrow(boot: Boot | undefined): Boot {
  if (boot?.started === 'prompt') return boot;
  throw new MicroPythonError('rescue-failed', 'the board does not come to its prompt', { case: 'prompt' });
}
