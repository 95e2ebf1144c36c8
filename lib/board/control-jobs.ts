/** Jobs that steer what runs on a board: interrupt it, restart it. */
import { isOwnUsb } from '../esp/reset.ts';
import { bootFailed, softReset, watchBoot } from '../micropython/boot.ts';
import type { Boot, WatchOptions } from '../micropython/boot.ts';
import { isLost } from '../transport/errors.ts';
import type { Transport } from '../transport/transport.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';
import { pressEn } from './press-en.ts';
import { heard } from './python-jobs.ts';
import { enterRawRepl, withRawRepl } from './repl-job.ts';

export type { Boot };

/** How long a board may stay away from the bus. */
const COME_BACK_MS = 10_000;
/** A board that goes on leaving restarts again and again. */
const RETURNS = 3;

export interface ControlOptions extends JobOptions {
  /** How long a boot is watched; a main.py that runs for ever gives no prompt. */
  timeoutMs: number;
  /** What the board prints meanwhile. */
  onOutput?: ((bytes: Uint8Array) => void) | undefined;
}

/**
 * Ends the running program, if there is one; the board is at its friendly prompt then, and was not restarted.
 * Throws as `RawRepl.enter`.
 */
export async function interrupt(board: Board, options: JobOptions): Promise<void> {
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: (lease) => withRawRepl(lease, () => Promise.resolve(), { mayRestart: false, after: 'leave' }),
  });
}

/**
 * A fresh heap, then boot.py; then main.py, or with `runMain` false the prompt. A running program is interrupted.
 * Throws as `RawRepl.enter` and `watchBoot`.
 */
export async function softResetBoard(
  board: Board,
  options: ControlOptions & { runMain: boolean },
): Promise<Boot> {
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: async (lease) => {
      const { transport, signal } = lease;
      if (!options.runMain) {
        await withRawRepl(lease, (repl) => repl.softReset(heard(lease, options)), { after: 'leave' });
        return { started: 'prompt' };
      }
      await withRawRepl(lease, () => Promise.resolve(), { after: 'leave' });
      return softReset(transport, { signal, ...heard(lease, options) });
    },
  });
}

/**
 * Restarts the chip: by EN where the port has lines for it, else by MicroPython's `machine.reset()`, for which a
 * running program is interrupted. Throws as `watchBoot`, and without lines as `RawRepl.enter`, and
 * `PortError` 'port-not-back'.
 */
export async function hardReset(board: Board, options: ControlOptions): Promise<Boot> {
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: (lease) => hardResetWith(lease, options),
  });
}

/** The same by whoever has the port. The board is at its prompt, or in a raw REPL that is kept. */
export async function hardResetWith(
  lease: Lease,
  options: Pick<ControlOptions, 'timeoutMs' | 'onOutput'>,
): Promise<Boot> {
  const { transport, signal } = lease;
  const watch = { signal, ...heard(lease, options) };
  try {
    if (await pressEn(lease)) return await watchBoot(transport, watch);
    const repl = await enterRawRepl(lease);
    // The board restarts before the code ends, so nobody waits for its end.
    await repl.begin('import machine\nmachine.reset()');
    watch.onOutput(repl.rest());
    return await watchBoot(transport, watch);
  } catch (error) {
    if (!isLost(error) || !isOwnUsb(transport)) throw error;
    return watchReturn(transport, watch, error);
  }
}

/** The chip's own USB leaves with it, and once more where its boot.py restarts it. Throws as `watchBoot`. */
async function watchReturn(transport: Transport, watch: WatchOptions, lost: unknown): Promise<Boot> {
  if (!transport.reopen) throw lost;
  for (let returns = 0; returns < RETURNS; returns++) {
    await transport.reopen({ timeoutMs: COME_BACK_MS, signal: watch.signal });
    try {
      // What it printed before its port was open again is lost: it is asked.
      return await watchBoot(transport, { ...watch, asks: true });
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  }
  throw bootFailed('comes-and-goes');
}
