/**
 * A loader session on a board: into the loader, faster by the stub and a higher rate, and out of it again
 * so that the board runs its program, whatever happened in between.
 */
import { isLost } from '../transport/errors.ts';
import type { ModemLines, Transport } from '../transport/transport.ts';
import type { Chip } from './chips.ts';
import { connect, SYNC_BAUD } from './connect.ts';
import type { ConnectEvent, ConnectOptions } from './connect.ts';
import { changeBaud, changeRomBaud } from './baud.ts';
import { describeChip } from './describe.ts';
import type { ChipDescription } from './describe.ts';
import { identify } from './identify.ts';
import type { Identity, SecurityDetails, SecurityInfo } from './identify.ts';
import { isLineFault } from './ladder.ts';
import { EspError, isEspError } from './errors.ts';
import { jedecText, readFlashId } from './flash-id.ts';
import { Loader, romMode } from './loader.ts';
import { readMac } from './mac.ts';
import { BY_HAND, HARD_RESET, HARD_RESET_OTG, isOwnUsb, LEAVE_BUS_MS, runReset, usbKind } from './reset.ts';
import { startStub, stubFor } from './stub.ts';
import { allowProgram, isHeldInLoader, restartByWatchdog, silenceWatchdogs } from './watchdogs.ts';
import { attachFlash, readFlashPins, setFlashSize } from './write.ts';

export interface SessionOptions extends Omit<ConnectOptions, 'onEvent'> {
  /** Bits per second once the stub runs. */
  baudRate: number;
  /** How the port is left. */
  after: AfterSession;
  /** `avoid`: speak to the mask ROM only, which is slower, most of all at reading. */
  stub?: 'use' | 'avoid' | undefined;
  /** Bytes of flash to go by where the flash chip does not tell. */
  flashSize?: number | undefined;
  onEvent: (event: SessionEvent) => void;
}

export type SessionEvent =
  | ConnectEvent
  /** The stub does not start or must not; it goes on more slowly without. */
  | { kind: 'no-stub' }
  | ({ kind: 'board' } & BoardFacts);

/** What a person knows a board by. In Secure Download Mode a chip tells neither MAC nor size, nor may some flashes. */
export interface BoardFacts {
  chip: string;
  /** Factory MAC as `aa:bb:cc:dd:ee:ff`. */
  mac?: string;
  /** Bytes. */
  flashSize?: number;
}

export interface Session {
  loader: Loader;
  chip: Chip;
  facts: BoardFacts;
  /** Name of the reset strategy that reached the loader. */
  strategy: string;
  description: ChipDescription;
  /** JEDEC id of the flash chip, manufacturer first, hex; absent in Secure Download Mode. */
  flashId?: string;
  /** Bytes of flash that can be reached: all there is, where its size is known. Asked for by `reachOf`. */
  reach?: number;
  /** Absent on the ESP8266, which has nothing. */
  security?: SecurityInfo;
  /** Absent also on the ESP32, whose ROM does not tell. */
  details?: SecurityDetails;
}

/**
 * Throws `EspError` 'flash-not-found' where nobody knows how large the flash is, or whether there is one;
 * 'stub-needed' where only the stub could use it.
 */
export function reachOf({ reach, flashId: id = 'none', chip, loader }: Session): number {
  if (reach !== undefined) return reach;
  if (isHelpless(chip, loader)) {
    throw new EspError('stub-needed', `the ${chip.name} needs the stub for its flash`, { chip: chip.name });
  }
  throw new EspError('flash-not-found', `the flash chip answers with the id ${id}`, { id });
}

/** How a port is left. */
export interface AfterSession {
  /** Bits per second of the program. */
  baudRate: number;
  /** Lines after the reset; absent: both released. */
  idleLines: ModemLines | undefined;
  /** Stay in the loader, rather than run the program. */
  stay?: boolean;
}

/** The longest time the way out of the loader may take, also after a cancel. */
const LEAVE_TIMEOUT_MS = 5000;

/**
 * Runs `work` in a session and leaves the board running its program, however that ends. `reset` tells whether
 * it was reset into it; a port without lines cannot, and a person has to press EN.
 * Throws `EspError`, `PortError`, or the reason of the abort.
 */
export async function withSession<T>(
  transport: Transport,
  options: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<{ result: T; reset: boolean }> {
  let session: Session | undefined;
  let result: T;
  try {
    session = await openSession(transport, options);
    options.onEvent({ kind: 'board', ...session.facts });
    result = await work(session);
  } catch (error) {
    await leaveAfter(error, transport, options.after, session);
    throw error;
  }
  return { result, reset: options.after.stay ? false : await leave(transport, options.after, session) };
}

/** In Secure Download Mode nobody knows the size of the flash; what the ROM can address at most. */
const UNKNOWN_FLASH_SIZE = 16 * 1024 * 1024;

/** How a session is tried to be opened. */
interface Way {
  stub: boolean;
  /** Bits per second at which the ROM takes the stub or, without one, everything. */
  romBaud: number;
}

/**
 * The stub is what makes flashing fast and reading possible; but where it does not start (bad RAM transfer,
 * odd chip), the mask ROM can still write. A ROM that is not heard at another rate keeps its first one.
 */
async function openSession(transport: Transport, options: SessionOptions): Promise<Session> {
  const romBauds = [options.baudRate, SYNC_BAUD];
  for (const romBaud of options.stub === 'avoid' ? [] : romBauds) {
    try {
      return await openOnce(transport, options, { stub: true, romBaud });
    } catch (error) {
      if (!isEspError(error, 'stub-silent')) throw error;
      if (error.facts['romIsMinimal'] === true) throw error;
    }
  }
  try {
    return await openOnce(transport, options, { stub: false, romBaud: options.baudRate });
  } catch (error) {
    if (!isLineFault(error)) throw error;
    return openOnce(transport, options, { stub: false, romBaud: SYNC_BAUD });
  }
}

async function openOnce(transport: Transport, options: SessionOptions, way: Way): Promise<Session> {
  let strategy = '';
  const loader = await connect(transport, {
    ...options,
    onEvent: (event) => {
      if (event.kind === 'connected') strategy = event.strategy;
      options.onEvent(event);
    },
  });
  const identity = await identify(loader);
  const { chip, security } = identity;
  // Lines that did not bring it here would not bring it back from another rate.
  const romBaud = strategy === BY_HAND.name ? SYNC_BAUD : way.romBaud;
  if (security?.secureDownload) return openSecured(loader, { ...identity, strategy }, options);
  const description = await describeChip(loader, chip);
  if (loader.mode.name === 'ROM') {
    // The chip's own port: its watchdogs go on through the reset.
    if (usbKind(transport) === 'usb-jtag') await silenceWatchdogs(loader, chip);
    const stub = way.stub ? stubFor(chip, description, security) : undefined;
    if (stub !== undefined) await startStub(loader, chip, stub, romBaud);
  }
  if (loader.mode.name === 'stub') await changeBaud(loader, options.baudRate);
  else await goOnInRom(loader, chip, romBaud, options);
  const mac = await readMac(loader, chip);
  if (isHelpless(chip, loader)) {
    return { loader, ...identity, strategy, facts: { chip: chip.name, mac }, description };
  }
  const { id, size = options.flashSize } = await readFlashId(loader, chip);
  if (size !== undefined) await setFlashSize(loader, size);
  const facts = { chip: chip.name, mac, ...(size === undefined ? {} : { flashSize: size }) };
  const flash = { flashId: jedecText(id), ...(size === undefined ? {} : { reach: size }) };
  return { loader, ...identity, strategy, facts, description, ...flash };
}

/** In Secure Download Mode the ROM answers little more than writes: no register, no code, no MD5. */
async function openSecured(
  loader: Loader,
  found: Identity & Pick<Session, 'strategy'>,
  options: SessionOptions,
): Promise<Session> {
  const { chip } = found;
  options.onEvent({ kind: 'no-stub' });
  loader.mode = { ...romMode(chip), inflates: false };
  await attachFlash(loader);
  await setFlashSize(loader, UNKNOWN_FLASH_SIZE);
  const description = { package: chip.name, features: [] };
  return { loader, ...found, facts: { chip: chip.name }, description, reach: UNKNOWN_FLASH_SIZE };
}

/** A mask ROM that cannot attach, read or compare a flash. */
function isHelpless({ romIsMinimal }: Chip, { mode }: Loader): boolean {
  return romIsMinimal === true && mode.name === 'ROM';
}

async function goOnInRom(
  loader: Loader,
  chip: Chip,
  baudRate: number,
  options: SessionOptions,
): Promise<void> {
  options.onEvent({ kind: 'no-stub' });
  loader.mode = romMode(chip);
  if (isHelpless(chip, loader)) return;
  await changeRomBaud(loader, chip, baudRate);
  await attachFlash(loader, await readFlashPins(loader, chip));
}

/**
 * Leaves the loader so that the board runs its program. Returns whether it was reset; without lines the stub
 * is left at the rate at which the next session looks for it. Over USB-OTG the port is gone afterwards, and over
 * USB-Serial/JTAG it may be: it comes back with the program (`Transport.reopen`).
 */
async function leave(
  transport: Transport,
  after: AfterSession,
  session: Session | undefined,
): Promise<boolean> {
  // Its own time limit: the signal of the work may be what ended it.
  const signal = AbortSignal.timeout(LEAVE_TIMEOUT_MS);
  if (session && (await leaveOwnUsb(transport, session, signal))) return true;
  if (transport.hasModemLines) {
    await transport.setBaudRate(after.baudRate);
    if (await runReset(transport, HARD_RESET, signal)) {
      if (after.idleLines) await transport.setModemLines(after.idleLines);
      return true;
    }
  }
  if (transport.baudRate !== SYNC_BAUD) await slowDown(transport, signal);
  return false;
}

/**
 * The chip's own USB has ways of its own to stay in the loader: an order to do so that survives resets, and IO0 that
 * a reset over USB does not read anew. Returns false where a reset by the lines does it.
 */
async function leaveOwnUsb(
  transport: Transport,
  { loader: { mode }, chip: { restart }, strategy, security }: Session,
  signal: AbortSignal,
): Promise<boolean> {
  const kind = usbKind(transport);
  if (!restart || !isOwnUsb(transport)) return false;
  const loader = new Loader(transport, signal);
  loader.mode = mode;
  // In Secure Download Mode there are no registers to do it by.
  const isOpen = !security?.secureDownload;
  try {
    if (isOpen) await allowProgram(loader, restart);
    // On USB-Serial/JTAG a reset by the lines shows in the straps as well: who pressed BOOT is known by the way here.
    const readsStraps = isOpen && kind !== 'usb-jtag';
    const isHeld = readsStraps ? await isHeldInLoader(loader, restart) : strategy === BY_HAND.name;
    if (isOpen && (isHeld || !transport.hasModemLines)) await restartByWatchdog(loader, restart);
    else if (kind === 'usb-rom') await runReset(transport, HARD_RESET_OTG, signal);
    else return false;
    await loader.untilLost(LEAVE_BUS_MS);
  } catch (error) {
    if (!isLost(error)) throw error;
  }
  return true;
}

/** The first error is the one that counts; leaving may fail for the same reason and adds nothing. */
async function leaveAfter(
  error: unknown,
  transport: Transport,
  after: AfterSession,
  session: Session | undefined,
): Promise<void> {
  try {
    await leave(transport, after, session);
  } catch (second) {
    if (error instanceof Error && error.cause === undefined) error.cause = second;
  }
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
