/**
 * A loader session on a board: into the loader, faster by the stub and a higher rate, and out of it again
 * so that the board runs its program, whatever happened in between.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModemLines, Transport } from '../transport/transport.ts';
import type { Chip } from './chips.ts';
import { connect, identify, SYNC_BAUD } from './connect.ts';
import type { ConnectOptions, SecurityInfo } from './connect.ts';
import { EspError } from './errors.ts';
import { readFlashId } from './flash-id.ts';
import { Loader } from './loader.ts';
import { readMac } from './mac.ts';
import { words } from './protocol.ts';
import { HARD_RESET, runReset } from './reset.ts';
import { startStub } from './stub.ts';
import { stubImage } from './stub-images.ts';
import { attachFlash, setFlashSize } from './write.ts';

export interface SessionOptions extends ConnectOptions {
  /** Bits per second once the stub runs. */
  baudRate: number;
}

export interface Session {
  loader: Loader;
  chip: Chip;
  /** Factory MAC as `aa:bb:cc:dd:ee:ff`. */
  mac: string;
  /** Bytes. */
  flashSize: number;
}

/** Garbage of the change itself is over by then. */
const BAUD_SETTLE_MS = 50;

/**
 * Opens a session. The caller ends it with `endSession`, also when this throws.
 * Throws `EspError` and `PortError` of every step.
 */
export async function openSession(transport: Transport, options: SessionOptions): Promise<Session> {
  const loader = await connect(transport, options);
  const { chip, security } = await identify(loader);
  refuseSecured(chip, security);
  if (loader.mode.name === 'ROM') await startStub(loader, await stubImage(chip.stub));
  await changeBaud(loader, options.baudRate);
  const mac = await readMac(loader, chip);
  await attachFlash(loader);
  const { size } = await readFlashId(loader, chip);
  await setFlashSize(loader, size);
  return { loader, chip, mac, flashSize: size };
}

/** Plain images on such a chip may make it useless for ever; it is left alone. */
function refuseSecured(chip: Chip, security: SecurityInfo | undefined): void {
  if (!security) return;
  const { secureBoot, secureDownload, flashEncryption } = security;
  if (!secureBoot && !secureDownload && !flashEncryption) return;
  throw new EspError('chip-secured', `the ${chip.name} has security features on`, { security });
}

/** Tells the stub and then the port; native USB has no rate and ignores both. */
async function changeBaud(loader: Loader, baudRate: number): Promise<void> {
  const { transport } = loader;
  if (transport.baudRate === baudRate) return;
  await loader.command('CHANGE_BAUDRATE', words(baudRate, transport.baudRate));
  await transport.setBaudRate(baudRate);
  await sleep(BAUD_SETTLE_MS, undefined, { signal: loader.signal });
  await transport.discardInput();
}

/** How a port is left. */
export interface AfterSession {
  /** Bits per second of the program. */
  baudRate: number;
  /** Lines after the reset; absent: both released. */
  idleLines: ModemLines | undefined;
  signal: AbortSignal;
}

/**
 * Leaves the loader so that the board runs its program. Returns whether it was reset: a port without lines
 * cannot do that and a person has to press EN; the stub is then left at the rate at which the next session
 * looks for it.
 */
export async function endSession(transport: Transport, after: AfterSession): Promise<boolean> {
  if (transport.hasModemLines) {
    await transport.setBaudRate(after.baudRate);
    if (await runReset(transport, HARD_RESET, after.signal)) {
      if (after.idleLines) await transport.setModemLines(after.idleLines);
      return true;
    }
  }
  if (transport.baudRate !== SYNC_BAUD) await slowDown(transport, after.signal);
  return false;
}

/** Best effort: a stub that was cut off in the middle of a block may not hear it before its next EN. */
async function slowDown(transport: Transport, signal: AbortSignal): Promise<void> {
  try {
    await changeBaud(new Loader(transport, signal), SYNC_BAUD);
  } catch (error) {
    if (!(error instanceof EspError)) throw error;
    await transport.setBaudRate(SYNC_BAUD);
  }
}
