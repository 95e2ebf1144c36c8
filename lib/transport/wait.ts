/** Waiting that always ends: by the thing itself, by its deadline, or by an abort signal. */

export interface Limit {
  /** Milliseconds from now. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** What is thrown when the time is over. */
  onTimeout: () => Error;
}

/**
 * Waits for `promise` within a limit. Throws the error of `onTimeout` when the time is over and the
 * signal's reason when it is aborted. The promise itself goes on: who gives up on it must clean up
 * what it may still bring (a port that opens late, say).
 */
export async function within<T>(promise: Promise<T>, limit: Limit): Promise<T> {
  const { signal } = limit;
  let undo: () => void = () => undefined;
  const end = new Promise<never>((_resolve, reject) => {
    const timer = timerFor(() => reject(limit.onTimeout()), limit.timeoutMs);
    const aborted = (): void => reject(abortReason(signal));
    if (signal?.aborted) aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    undo = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    undo();
  }
}

/** Sleeps; throws the signal's reason when it is aborted meanwhile. */
export async function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  await new Promise<void>((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(abortReason(signal));
    };
    const timer = timerFor(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}

/**
 * Does work under a signal that is aborted when any of these is, and lets go of them when it has ended.
 * `AbortSignal.any` never does: each use leaves something behind in a signal that lives on.
 */
export async function underAny<T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const any = new AbortController();
  const undo = signals.map((signal) => {
    const abort = (): void => any.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    return () => signal.removeEventListener('abort', abort);
  });
  try {
    return await work(any.signal);
  } finally {
    for (const letGo of undo) letGo();
  }
}

/** The longest a timer waits; a longer one would be over at once. Source: Node.js, `setTimeout`. */
const LONGEST_MS = 2 ** 31 - 1;

/** As `setTimeout`, for any number of milliseconds: what is longer than 24 days is for ever. */
export function timerFor(done: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(done, Math.min(Math.max(0, ms), LONGEST_MS));
}

/** Why a signal was aborted, always as an Error. */
export function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException('The operation was aborted', 'AbortError');
}
