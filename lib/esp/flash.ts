/** The whole of flashing: connect, know the board, refuse what does not fit, erase, write, check, run. */
import type { Transport } from '../transport/transport.ts';
import type { ConnectEvent } from './connect.ts';
import { placeFirmware } from './firmware.ts';
import type { Firmware } from './firmware.ts';
import type { ResetStrategy } from './reset.ts';
import { endSession, openSession } from './session.ts';
import type { AfterSession, Session } from './session.ts';
import { eraseChip, verifyRegion, writeRegion } from './write.ts';

export interface FlashOptions {
  strategies: readonly ResetStrategy[];
  /** Milliseconds to get hold of the loader. */
  connectTimeoutMs: number;
  /** Bits per second while writing. */
  baudRate: number;
  /** How the port is left. */
  after: Omit<AfterSession, 'signal'>;
  /** `all` erases everything first, files included; `needed` erases only what is written over. */
  erase: 'needed' | 'all';
  /** Where to write, for images that do not say; and whether to write against the image's own word. */
  offset?: number | undefined;
  force?: boolean | undefined;
  signal: AbortSignal;
  onEvent: (event: FlashEvent) => void;
}

export type FlashEvent =
  | ConnectEvent
  | { kind: 'board'; chip: string; mac: string; flashSize: number }
  | { kind: 'erasing' }
  | { kind: 'writing'; done: number; total: number }
  | { kind: 'verifying' };

export interface FlashResult {
  chip: string;
  mac: string;
  /** Bytes. */
  flashSize: number;
  offset: number;
  /** Bytes written and found equal by the chip's own MD5. */
  bytes: number;
  /** Whether the board was reset into its program; else EN has to be pressed. */
  reset: boolean;
}

/** The longest time the way out of the loader may take, also after a cancel. */
const LEAVE_TIMEOUT_MS = 5000;

/**
 * Flashes checked firmware. Nothing is erased before it is known to fit this board.
 * On every way out the board is reset into its program where the port can.
 * Throws `EspError`, `PortError`, or the reason of the abort.
 */
export async function flash(
  transport: Transport,
  firmware: Firmware,
  options: FlashOptions,
): Promise<FlashResult> {
  let outcome: Omit<FlashResult, 'reset'>;
  try {
    const session = await openSession(transport, {
      strategies: options.strategies,
      timeoutMs: options.connectTimeoutMs,
      baudRate: options.baudRate,
      signal: options.signal,
      onEvent: options.onEvent,
    });
    outcome = await write(session, firmware, options);
  } catch (error) {
    await leaveAfter(error, transport, options);
    throw error;
  }
  const reset = await leave(transport, options);
  return { ...outcome, reset };
}

async function write(
  session: Session,
  firmware: Firmware,
  options: FlashOptions,
): Promise<Omit<FlashResult, 'reset'>> {
  const { loader, chip, mac, flashSize } = session;
  options.onEvent({ kind: 'board', chip: chip.name, mac, flashSize });
  const offset = placeFirmware(firmware, session, options);
  if (options.erase === 'all') {
    options.onEvent({ kind: 'erasing' });
    await eraseChip(loader);
  }
  const { bytes } = firmware;
  const region = { offset, bytes };
  await writeRegion(loader, region, (progress) => options.onEvent({ kind: 'writing', ...progress }));
  options.onEvent({ kind: 'verifying' });
  await verifyRegion(loader, region);
  return { chip: chip.name, mac, flashSize, offset, bytes: bytes.length };
}

/** The way out has its own time limit: it is gone after a cancel as well. */
function leave(transport: Transport, { after }: FlashOptions): Promise<boolean> {
  return endSession(transport, { ...after, signal: AbortSignal.timeout(LEAVE_TIMEOUT_MS) });
}

/** The first error is the one that counts; leaving may fail for the same reason and adds nothing. */
async function leaveAfter(error: unknown, transport: Transport, options: FlashOptions): Promise<void> {
  try {
    await leave(transport, options);
  } catch (second) {
    if (error instanceof Error && error.cause === undefined) error.cause = second;
  }
}
