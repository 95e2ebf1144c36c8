/** A board coming up after it was flashed or reset, also when its port goes away and comes back meanwhile. */
import { isStillThere } from '../esp/baud.ts';
import { BY_HAND, isOwnUsb, usbKind } from '../esp/reset.ts';
import { withSession } from '../esp/session.ts';
import { bootFailed, watchBoot } from '../micropython/boot.ts';
import type { Boot } from '../micropython/boot.ts';
import { MicroPythonError } from '../micropython/errors.ts';
import { isLost, PortError } from '../transport/errors.ts';
import type { Lease } from './board.ts';
import type { JobSession } from './loader-lease.ts';

/**
 * `unseen`: it was restarted and then not heard, or has no port any more, as programs without USB of their own.
 * `press-en`: the port cannot reset the board, as it has no lines or they do not reach the chip. `unwatched`: nobody
 * wanted to know. `other`: not what was flashed.
 */
export interface Started extends Omit<Boot, 'started'> {
  started: 'prompt' | 'program' | 'unseen' | 'press-en' | 'unwatched' | 'other';
}

/** What is expected to run; `anything` where nobody knows. */
export type Expected = 'micropython' | 'other' | 'anything';

/** Milliseconds. MicroPython formats its disk when it first boots; any other program is only looked at for a moment. */
const LOOK_MS: Readonly<Record<Expected, number>> = { micropython: 20_000, other: 2000, anything: 5000 };
/** On a UART the mask ROM prints at once: a board that is silent for so long stays so. */
const SILENT_MS = 4000;
/** How long a board may stay away from the bus. */
const COME_BACK_MS = 10_000;
/** From the loader to the program is one; a board that goes on leaving restarts again and again. */
const RETURNS = 4;

/**
 * Watches the start after a session at `session.baudRate`. A chip on USB-Serial/JTAG whose BOOT was held at its last
 * reset by EN stays in its loader when the lines reset it, and is restarted by its watchdog then.
 * Throws `MicroPythonError` 'boot-failed', `PortError` 'port-not-back' for MicroPython that does not come back, or
 * the reason of an abort.
 */
export async function watchStart(lease: Lease, session: JobSession, expected: Expected): Promise<Started> {
  const { transport } = lease;
  try {
    return await watchOnce(lease, session, expected);
  } catch (error) {
    const isInLoader = error instanceof MicroPythonError && error.facts['heard'] === 'loader';
    if (!isInLoader || usbKind(transport) !== 'usb-jtag') throw error;
  }
  const byWatchdog: JobSession = { ...session, strategies: [BY_HAND], stub: 'avoid' };
  await withSession(transport, byWatchdog, () => Promise.resolve());
  return watchOnce(lease, session, expected);
}

async function watchOnce(
  { transport, signal, printed }: Lease,
  { onEvent, baudRate }: JobSession,
  expected: Expected,
): Promise<Started> {
  const timeoutMs = LOOK_MS[expected];
  const isMicroPython = expected === 'micropython';
  for (let returns = 0; returns < RETURNS; returns++) {
    try {
      // What it printed before its port was open again is lost: it is asked.
      const asks = isMicroPython && isOwnUsb(transport);
      const silentMs = isOwnUsb(transport) ? timeoutMs : Math.min(timeoutMs, SILENT_MS);
      const boot = await watchBoot(transport, { timeoutMs, silentMs, signal, asks, onOutput: printed });
      if (boot.started === 'silent' && isMicroPython && !isOwnUsb(transport)) {
        // An adapter takes orders also for lines that are not wired.
        if (await isStillThere(transport, baudRate, signal)) return { started: 'press-en' };
        throw bootFailed('nothing');
      }
      return { ...boot, started: seen(boot, transport) };
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
  throw bootFailed('comes-and-goes');
}

/** What silence means: a port that the program makes shows that it runs. */
function seen({ started }: Boot, transport: Lease['transport']): Started['started'] {
  if (started !== 'silent') return started;
  return usbKind(transport) === 'usb-app' ? 'program' : 'unseen';
}
