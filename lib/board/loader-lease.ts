/** The board, held for a job in its loader: how it is reached there, and what was learned of it the last time. */
import type { FlashEvent, FlashOptions } from '../esp/flash.ts';
import { isOwnUsb, parseSequence, strategiesFor } from '../esp/reset.ts';
import type { ResetStrategy } from '../esp/reset.ts';
import type { Session, SessionOptions } from '../esp/session.ts';
import { withAttempts } from '../esp/with-attempts.ts';
import { askProgram } from './ask-program.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions, Lease } from './board.ts';

export type LoaderJobEvent =
  | FlashEvent
  | { kind: 'reading'; done: number; total: number }
  | { kind: 'starting' }
  /** The job is done, but the port has no lines to reset the board by: it stays in its loader until EN is pressed. */
  | { kind: 'press-en' };

export interface LoaderJobOptions extends JobOptions {
  /** Bits per second in the loader. */
  baudRate: number;
  /** `avoid` Espressif's stub, see `SessionOptions`. */
  stub?: 'use' | 'avoid' | undefined;
  /** Milliseconds to get hold of the loader. */
  connectTimeoutMs: number;
  onEvent: (event: LoaderJobEvent) => void;
}

/** All that a session needs of a job. */
export type JobSession = Omit<SessionOptions, 'onEvent'> & Pick<FlashOptions, 'onEvent' | 'firstRung'>;

/** A job in the loader that needs no more of the board. `left`: as `withAttempts` has it. */
export async function withLoader<T>(
  board: Board,
  options: LoaderJobOptions,
  work: (session: Session) => Promise<T>,
  left?: () => number,
): Promise<T> {
  return runInLoader(board, options, async (session, { transport }) => {
    const { result, reset, rung } = await withAttempts(transport, session, work, left);
    board.memory.lines.wentWell({ rung, first: session.firstRung ?? 0, much: false });
    if (!reset) options.onEvent({ kind: 'press-en' });
    return result;
  });
}

/** Runs a job with all that a session needs: what worked last time first. */
export async function runInLoader<T>(
  board: Board,
  options: LoaderJobOptions,
  work: (session: JobSession, lease: Lease) => Promise<T>,
): Promise<T> {
  return board.run({
    kind: 'flash',
    ...jobOptions(options),
    run: async (lease) => {
      const { signal, baudRate, idleLines } = lease;
      const session: JobSession = {
        strategies: knownFirst(strategiesOf(lease), board.memory.strategy),
        timeoutMs: options.connectTimeoutMs,
        baudRate: options.baudRate,
        firstRung: board.memory.lines.rung,
        after: { baudRate, idleLines },
        stub: options.stub,
        signal,
        onEvent: (event) => {
          if (event.kind === 'connected') board.memory.strategy = event.strategy;
          if (event.kind === 'board') board.memory.lines.meet(event.mac);
          options.onEvent(event);
        },
      };
      return work(session, lease);
    },
  });
}

function strategiesOf({ transport, resetSequence, baudRate }: Lease): readonly ResetStrategy[] {
  const { kind, hasModemLines, usb } = transport;
  if (resetSequence !== undefined) return [parseSequence(resetSequence)];
  const byLines = strategiesFor({ kind, hasModemLines, platform: process.platform, usb });
  return isOwnUsb(transport) ? [...byLines, askProgram(baudRate)] : byLines;
}

function knownFirst(strategies: readonly ResetStrategy[], known: string | undefined): ResetStrategy[] {
  const isKnown = ({ name }: ResetStrategy): boolean => name === known;
  return [...strategies.filter(isKnown), ...strategies.filter((strategy) => !isKnown(strategy))];
}
