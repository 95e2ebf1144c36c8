/** The raw REPL for jobs: got hold of, kept for the next job, and left in order however the work ends. */
import { MicroPythonError } from '../micropython/errors.ts';
import { RawRepl } from '../micropython/raw-repl.ts';
import type { EnterOptions } from '../micropython/entry.ts';
import type { Lease } from './board.ts';
import { pressEn } from './press-en.ts';

/** The longest way back to the prompt after a job was cut off. */
const RECOVER_TIMEOUT_MS = 8000;
const RESET_TIMEOUT_MS = 40_000;
/** boot.py, which may wait for a Wi-Fi. */
const BOOT_MS = 10_000;

/**
 * Where a board is left: `keep` in the raw REPL for the next job, from where it goes to its friendly prompt when none
 * comes soon; `leave` at that prompt. A program that was interrupted goes on, as far as one can: it is started anew, by
 * boot.py and main.py; with `go-on` at once, with `go-on-soon` when no job comes. A board that was at its prompt is kept.
 */
export type Left = 'keep' | 'leave' | 'go-on' | 'go-on-soon';

export interface WorkOptions extends HoldOptions {
  /** Asked when the work has ended; default `keep`. */
  after?: Left | (() => Left);
  /** A board that cannot be got hold of after an error is reset. */
  resetsLost?: boolean;
  /**
   * Whether the work may begin again, with the board kept from its program: where it has restarted in the middle, as a
   * watchdog goes on when the program is interrupted that has started it, or where that has left no memory. Default: not.
   */
  mayRepeat?: () => boolean;
}

/** Kept from its program it is a matter of moments. */
const REPEATS = 2;

/**
 * The raw REPL for the time of `work`. After it the board is left as `after` says; after an error at its friendly
 * prompt, or to the program that goes on.
 */
export async function withRawRepl<T>(
  lease: Lease,
  work: (repl: RawRepl) => Promise<T>,
  { after = 'keep', resetsLost = false, mayRepeat = () => false, ...hold }: WorkOptions = {},
): Promise<T> {
  const repl = await enterRawRepl(lease, hold);
  return stay(lease, repl, work, { after, resetsLost, mayRepeat, repeats: REPEATS });
}

type StayOptions = Required<Pick<WorkOptions, 'after' | 'resetsLost' | 'mayRepeat'>> & { repeats: number };

async function stay<T>(
  lease: Lease,
  repl: RawRepl,
  work: (repl: RawRepl) => Promise<T>,
  options: StayOptions,
): Promise<T> {
  const { after, resetsLost, mayRepeat, repeats } = options;
  let result: T;
  try {
    result = await work(repl);
  } catch (error) {
    const fresh = repeats > 0 && mayRepeat() && (await freshFor(lease, repl, error));
    if (fresh) return stay(lease, fresh, work, { ...options, repeats: repeats - 1 });
    // An exception is how code may end; the REPL is as it was.
    if (hasEnded(error)) await done(lease, repl, leftBy(after));
    else await recover(lease, error, { resetsLost, goesOn: repl.hasToGoOn && isGoingOn(leftBy(after)) });
    throw error;
  }
  await done(lease, repl, leftBy(after));
  return result;
}

function leftBy(after: Left | (() => Left)): Left {
  return typeof after === 'function' ? after() : after;
}

function isGoingOn(left: Left): boolean {
  return left === 'go-on' || left === 'go-on-soon';
}

const ENDS = new Set<string>(['python-error', 'soft-reset', 'system-exit']);

/** Whether the code came to its end, and the raw REPL waits for the next. */
function hasEnded(error: unknown): boolean {
  return error instanceof MicroPythonError && ENDS.has(error.code);
}

const RESTARTS = new Set<string>(['board-restarted', 'panic']);

function hasRestarted(error: unknown): boolean {
  return error instanceof MicroPythonError && RESTARTS.has(error.code);
}

/** The raw REPL in which the work may come to its end that has failed; nothing where there is none. */
async function freshFor(lease: Lease, repl: RawRepl, error: unknown): Promise<RawRepl | undefined> {
  if (hasRestarted(error)) return enterAnew(lease);
  // What was interrupted is over, and begins anew after this.
  if (!repl.hasToGoOn || !(error instanceof MicroPythonError) || !/^MemoryError/m.test(error.message))
    return undefined;
  await repl.softReset({ timeoutMs: BOOT_MS, onOutput: lease.printed });
  return repl;
}

/** By a reset; nothing where that is not to be had. */
async function enterAnew(lease: Lease): Promise<RawRepl | undefined> {
  const { transport, signal, link, printed, onStep } = lease;
  const repl = new RawRepl(transport, signal, link);
  try {
    onStep?.('hard-reset');
    await repl.enterByReset({ onOutput: printed, onStep, hardReset: () => pressEn(lease) });
  } catch (error) {
    if (error instanceof MicroPythonError && error.code === 'no-prompt') return undefined;
    throw error;
  }
  repl.hasToGoOn = true;
  return repl;
}

/** How a board is got hold of. */
export interface HoldOptions extends Pick<EnterOptions, 'interrupt'> {
  /** `false`: the last step, a restart of the chip, is left out. */
  mayRestart?: boolean;
}

/**
 * The raw REPL, wherever the job before left the board. Whoever calls this leaves it, or resets the board. Each step
 * is told to the job's `onStep`. Throws as `RawRepl.enter`.
 */
export async function enterRawRepl(
  lease: Lease,
  { mayRestart = true, ...hold }: HoldOptions = {},
): Promise<RawRepl> {
  const { transport, signal, onStep, repl: kept, printed, baudRate, link } = lease;
  if (kept) {
    kept.resume(signal);
    return kept;
  }
  if (transport.baudRate !== baudRate) await transport.setBaudRate(baudRate);
  const repl = new RawRepl(transport, signal, link);
  const { mayBeAtPrompt } = link;
  const restart = mayRestart ? { hardReset: () => pressEn(lease) } : {};
  try {
    repl.hasToGoOn = await repl.enter({ onOutput: printed, onStep, mayBeAtPrompt, ...restart, ...hold });
  } catch (error) {
    // Nothing was done yet, so nothing shall be left of what was typed.
    if (signal.aborted) await recover(lease, error, wayBack(repl));
    throw error;
  }
  return repl;
}

function wayBack({ mayHaveInterrupted }: RawRepl): WayBack {
  return mayHaveInterrupted ? { goesOn: true } : { enters: false };
}

async function done({ keep, printed }: Lease, repl: RawRepl, left: Left): Promise<void> {
  repl.hasToGoOn &&= isGoingOn(left);
  if (left === 'leave') printed(await repl.leave());
  else if (left === 'go-on' && repl.hasToGoOn) printed(await repl.restart());
  else keep(repl);
}

/** How a board is left whose job was cut off. */
interface WayBack {
  /** `false`: it was asked for the raw REPL and no more, which a program that runs does not notice. Default `true`. */
  enters?: boolean;
  /** As `WorkOptions.resetsLost`. */
  resetsLost?: boolean;
  /** The program is started anew. */
  goesOn?: boolean;
}

/** Only the first error counts; that the way back failed too is kept as its cause. */
async function recover(
  lease: Lease,
  reason: unknown,
  { enters = true, resetsLost = false, goesOn = false }: WayBack,
): Promise<void> {
  const { transport, printed, baudRate } = lease;
  try {
    const signal = AbortSignal.timeout(resetsLost ? RESET_TIMEOUT_MS : RECOVER_TIMEOUT_MS);
    if (transport.baudRate !== baudRate) await transport.setBaudRate(baudRate);
    const repl = new RawRepl(transport, signal);
    const restart = resetsLost ? { hardReset: () => pressEn({ ...lease, signal }) } : {};
    if (enters) await repl.enter(restart);
    printed(await (goesOn ? repl.restart() : repl.leave()));
  } catch (error) {
    if (reason instanceof Error && reason.cause === undefined) reason.cause = error;
  }
}
