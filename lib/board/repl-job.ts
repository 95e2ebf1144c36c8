/** The raw REPL for jobs: got hold of, kept for the next job, and left in order however the work ends. */
import { MicroPythonError } from '../micropython/errors.ts';
import { RawRepl } from '../micropython/raw-repl.ts';
import type { EnterOptions } from '../micropython/entry.ts';
import type { Lease } from './board.ts';
import { pressEn } from './press-en.ts';

/** The longest way back to the prompt after a job was cut off. */
const RECOVER_TIMEOUT_MS = 8000;
const RESET_TIMEOUT_MS = 40_000;

export interface WorkOptions extends HoldOptions {
  after?: 'keep' | 'leave';
  /** A board that cannot be got hold of after an error is reset. */
  resetsLost?: boolean;
}

/**
 * The raw REPL for the time of `work`. After it the board stays there for the next job (and goes to its friendly
 * prompt when none comes soon), or is `left` at the friendly prompt; after an error it always is.
 */
export async function withRawRepl<T>(
  lease: Lease,
  work: (repl: RawRepl) => Promise<T>,
  { after = 'keep', resetsLost = false, ...hold }: WorkOptions = {},
): Promise<T> {
  const repl = await enterRawRepl(lease, hold);
  let result: T;
  try {
    result = await work(repl);
  } catch (error) {
    // An exception is how code may end; the REPL is as it was.
    if (hasEnded(error)) await done(lease, repl, after);
    else await recover(lease, error, resetsLost);
    throw error;
  }
  await done(lease, repl, after);
  return result;
}

const ENDS = new Set<string>(['python-error', 'soft-reset', 'system-exit']);

/** Whether the code came to its end, and the raw REPL waits for the next. */
function hasEnded(error: unknown): boolean {
  return error instanceof MicroPythonError && ENDS.has(error.code);
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
  await repl.enter({ onOutput: printed, onStep, mayBeAtPrompt, ...restart, ...hold });
  return repl;
}

async function done({ keep, printed }: Lease, repl: RawRepl, after: 'keep' | 'leave'): Promise<void> {
  if (after === 'keep') keep(repl);
  else printed(await repl.leave());
}

/** Only the first error counts; that the way back failed too is kept as its cause. */
async function recover(lease: Lease, reason: unknown, resetsLost: boolean): Promise<void> {
  const { transport, printed, baudRate } = lease;
  try {
    const signal = AbortSignal.timeout(resetsLost ? RESET_TIMEOUT_MS : RECOVER_TIMEOUT_MS);
    if (transport.baudRate !== baudRate) await transport.setBaudRate(baudRate);
    const repl = new RawRepl(transport, signal);
    await repl.enter(resetsLost ? { hardReset: () => pressEn({ ...lease, signal }) } : {});
    printed(await repl.leave());
  } catch (error) {
    if (reason instanceof Error && reason.cause === undefined) reason.cause = error;
  }
}
