/** A board coming up after it was flashed, also when its port goes away and comes back meanwhile. */
import type { FlashEvent } from '../esp/flash.ts';
import { watchBoot } from '../micropython/boot.ts';
import type { Boot } from '../micropython/boot.ts';
import { MicroPythonError } from '../micropython/errors.ts';
import { isLost, PortError } from '../transport/errors.ts';
import { isOwnUsb } from './ask-program.ts';
import type { Lease } from './board.ts';

/** `unseen`: it was restarted and has no port any more, as programs without USB of their own. */
export type Start = Omit<Boot, 'started'> & { started: Boot['started'] | 'unseen' };

/** The first boot of MicroPython formats its disk; an application that is none is given a shorter look. */
const MICROPYTHON_BOOT_MS = 20_000;
const OTHER_BOOT_MS = 2000;
/** How long a board may stay away from the bus. */
const COME_BACK_MS = 10_000;
/** From the loader to the program is one; a board that goes on leaving restarts again and again. */
const RETURNS = 4;

/**
 * Watches the start. Throws `MicroPythonError` 'boot-failed', `PortError` 'port-not-back' for MicroPython that
 * does not come back, or the reason of an abort.
 */
export async function watchStart(
  { transport, signal, printed }: Lease,
  isMicroPython: boolean,
  onEvent: (event: Extract<FlashEvent, { kind: 'coming-back' }>) => void,
): Promise<Start> {
  const timeoutMs = isMicroPython ? MICROPYTHON_BOOT_MS : OTHER_BOOT_MS;
  for (let returns = 0; returns < RETURNS; returns++) {
    try {
      // What it printed before its port was open again is lost: it is asked.
      const asks = isMicroPython && isOwnUsb(transport);
      return await watchBoot(transport, { timeoutMs, signal, asks, onOutput: printed });
    } catch (error) {
      if (!isLost(error) || !transport.reopen) throw error;
    }
    onEvent({ kind: 'coming-back' });
    try {
      await transport.reopen({ timeoutMs: COME_BACK_MS, signal });
    } catch (error) {
      const isAway = error instanceof PortError && error.code === 'port-not-back';
      if (!isAway || isMicroPython) throw error;
      return { started: 'unseen' };
    }
  }
  const facts = { heard: 'boot-loop', tail: '' };
  throw new MicroPythonError('boot-failed', 'the board restarts again and again', facts);
}
