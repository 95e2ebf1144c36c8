/** Jobs that steer what runs on a board: interrupt it, restart it. */
import { softReset, watchBoot } from '../micropython/boot.ts';
import type { Boot } from '../micropython/boot.ts';
import type { RunOptions } from '../micropython/raw-repl.ts';
import { HARD_RESET, runReset } from '../esp/reset.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';
import { heard } from './python-jobs.ts';
import { enterRawRepl, withRawRepl } from './repl-job.ts';

/** `timeoutMs`: how long a boot is watched; a main.py that runs for ever gives no prompt. */
export type ControlOptions = JobOptions & RunOptions;

/** Ends the running program, if there is one; the board is at its friendly prompt then. Throws as `RawRepl.enter`. */
export async function interrupt(board: Board, options: JobOptions): Promise<void> {
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: (lease) => withRawRepl(lease, () => Promise.resolve(), 'leave'),
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
        await withRawRepl(lease, (repl) => repl.softReset(heard(lease, options)), 'leave');
        return { started: 'prompt' };
      }
      await withRawRepl(lease, () => Promise.resolve(), 'leave');
      return softReset(transport, { signal, ...heard(lease, options) });
    },
  });
}

/**
 * Restarts the chip: by EN where the port has lines for it, else by MicroPython's `machine.reset()`, for which a
 * running program is interrupted. Throws as `watchBoot`, and without lines as `RawRepl.enter`.
 */
export async function hardReset(board: Board, options: ControlOptions): Promise<Boot> {
  return board.run({
    kind: 'run',
    ...jobOptions(options),
    run: async (lease) => {
      const { transport, signal } = lease;
      const watch = { signal, ...heard(lease, options) };
      if (!(await pressEn(lease))) watch.onOutput(await resetByCode(lease));
      return watchBoot(transport, watch);
    },
  });
}

/** EN low for a moment; `false` where the port has no lines. */
export async function pressEn({ transport, signal, idleLines }: Lease): Promise<boolean> {
  if (!transport.hasModemLines) return false;
  const isPressed = await runReset(transport, HARD_RESET, signal);
  if (isPressed && idleLines) await transport.setModemLines(idleLines);
  return isPressed;
}

/** The board restarts before the code ends, so nobody waits for its end. Returns what has come of the boot. */
async function resetByCode(lease: Lease): Promise<Uint8Array> {
  const repl = await enterRawRepl(lease);
  await repl.begin('import machine\nmachine.reset()');
  return repl.rest();
}
