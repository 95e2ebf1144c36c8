/**
 * Work in the loader that does not end with the first session: a bad line makes it go on more slowly, and a board that
 * was pulled and came back is gone on with.
 */
import type { Transport } from '../transport/transport.ts';
import { Attempts } from './attempts.ts';
import type { Again } from './attempts.ts';
import { EspError } from './errors.ts';
import { withSession } from './session.ts';
import type { Session, SessionEvent, SessionOptions } from './session.ts';

export interface AttemptOptions extends Omit<SessionOptions, 'onEvent'> {
  /** The rung of the ladder to begin on, 0 for `baudRate`: what did not bear that before is not tried with it again. */
  firstRung?: number | undefined;
  onEvent: (event: SessionEvent | Again) => void;
}

export interface Attempted<T> {
  result: T;
  /** Whether the board was reset into its program; else EN has to be pressed. */
  reset: boolean;
  /** The rung on which it went well; absent where a mask ROM did it, whose rate says nothing of the line. */
  rung?: number;
}

/** How long a board that was pulled is waited for. */
const COME_BACK_MS = 20_000;

/**
 * Runs `work` as `withSession` does, as often as it takes. `left`: how much an attempt that failed had still to do;
 * on the slowest line there is another one only where that gets less.
 * Throws `EspError`, 'board-changed' where another board is on the port than before; `PortError`; an abort.
 */
export async function withAttempts<T>(
  transport: Transport,
  options: AttemptOptions,
  work: (session: Session) => Promise<T>,
  left: () => number = () => Infinity,
): Promise<Attempted<T>> {
  const { hasRate } = transport;
  const wanted = hasRate ? options.baudRate : transport.baudRate;
  const attempts = new Attempts(wanted, options.firstRung ?? 0, transport.reopen !== undefined, hasRate);
  let mac: string | undefined;
  for (;;) {
    const { baudRate, flashBlock } = attempts.rung;
    const attempt = async (session: Session): Promise<{ value: T; byStub: boolean }> => {
      const { loader, facts } = session;
      mac ??= facts.mac;
      if (facts.mac !== mac) throw otherBoard(mac, facts.mac);
      loader.mode = { ...loader.mode, flashBlock: Math.min(loader.mode.flashBlock, flashBlock) };
      return { value: await work(session), byStub: loader.mode.name === 'stub' };
    };
    try {
      const { result, reset } = await withSession(transport, { ...options, baudRate }, attempt);
      const { value, byStub } = result;
      return { result: value, reset, ...(byStub ? { rung: attempts.at } : {}) };
    } catch (error) {
      const again = attempts.after(error, left());
      if (!again) throw error;
      options.onEvent(again);
      if (again.kind === 'coming-back') {
        await transport.reopen?.({ timeoutMs: COME_BACK_MS, signal: options.signal });
      }
    }
  }
}

function otherBoard(expected: string | undefined, found: string | undefined): EspError {
  return new EspError('board-changed', `another board is on the port: ${found}`, { expected, found });
}
