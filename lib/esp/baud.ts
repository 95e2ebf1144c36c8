/** Another rate for a conversation that has begun: the loader is told first, then the port. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../transport/transport.ts';
import type { Chip } from './chips.ts';
import { SYNC_BAUD } from './connect.ts';
import { readCrystal } from './describe.ts';
import { EspError } from './errors.ts';
import { Loader } from './loader.ts';
import { isOwnUsb } from './reset.ts';
import { words } from './protocol.ts';

/** The stub takes 5 ms before and after it sets its divider (esp-stub-lib `uart.c`), adapters a few for theirs. */
const SETTLE_MS = 15;
/** A question that meets the change of rate is lost: so long its answer is waited for, and so often it is asked. */
const HEARD_MS = 100;
const HEARD_ATTEMPTS = 5;

/**
 * Tells the stub and then the port; native USB has no rate and ignores both. Nothing is said where the port has no say:
 * the stub would go on alone.
 */
export async function changeBaud(loader: Loader, baudRate: number): Promise<void> {
  const { transport } = loader;
  if (!transport.hasRate || transport.baudRate === baudRate) return;
  await change(loader, baudRate, words(baudRate, transport.baudRate));
}

/** The fastest rate that a ROM was recorded to follow. */
const MAX_ROM_BAUD = 460800;

/**
 * The same with a mask ROM. It computes its divider from the crystal frequency that it assumes, which may be wrong; the
 * rate it is asked for is scaled so that the error cancels out. Where the error is not known, the rate stays. Returns
 * the way back to the first rate. Throws `EspError` 'command-timeout' when the ROM is not heard at a new rate.
 */
export async function changeRomBaud(
  loader: Loader,
  chip: Chip,
  wanted: number,
): Promise<() => Promise<void>> {
  const baudRate = Math.min(wanted, MAX_ROM_BAUD);
  const stays = (): Promise<void> => Promise.resolve();
  // Without lines there is no reset that would bring the ROM back to the rate at which it is looked for.
  if (chip.romIsMinimal || baudRate <= SYNC_BAUD || !loader.transport.hasModemLines) return stays;
  if (isOwnUsb(loader.transport)) return stays;
  const error = await clockError(loader, chip);
  if (error === undefined) return stays;
  const changeTo = (rate: number): Promise<void> => change(loader, rate, words(Math.floor(rate * error), 0));
  await changeTo(baudRate);
  return () => changeTo(SYNC_BAUD);
}

/** A measured error larger than this is a failed measurement. */
const MAX_CLOCK_ERROR = 0.15;

/** The crystal frequency that the ROM assumes, divided by the real one; `undefined` where it cannot be told. */
async function clockError(loader: Loader, chip: Chip): Promise<number | undefined> {
  if (chip.romClock === undefined) return 1;
  const crystal = await readCrystal(loader, chip);
  if (crystal === undefined) return undefined;
  if (typeof chip.romClock === 'number') return chip.romClock / crystal;
  if ('register' in chip.romClock) {
    return (((await loader.readRegister(chip.romClock.register)) >>> 24) & 0x7f) / crystal;
  }
  const cycles = (await loader.readRegister(chip.romClock.cycles)) >>> 7;
  const oscillator = (await loader.readRegister(chip.romClock.oscillator)) & 0xff;
  const error = (cycles * 15_625 * oscillator) / 40e6 / crystal;
  return Math.abs(error - 1) <= MAX_CLOCK_ERROR ? error : undefined;
}

async function change(loader: Loader, baudRate: number, request: Uint8Array): Promise<void> {
  const { transport } = loader;
  await loader.command('CHANGE_BAUDRATE', request);
  await transport.setBaudRate(baudRate);
  await sleep(SETTLE_MS, undefined, { signal: loader.signal });
  await transport.discardInput();
  await untilHeard(loader);
}

/** Any word that every loader reads. */
const SOME_REGISTER = 0x40001000;

async function untilHeard(loader: Loader): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await loader.command('READ_REG', words(SOME_REGISTER), { timeoutMs: HEARD_MS });
      // Answers to the questions before may only be late.
      if (attempt > 1) await loader.drain();
      return;
    } catch (error) {
      if (!(error instanceof EspError) || attempt === HEARD_ATTEMPTS) throw error;
    }
  }
}

/**
 * Whether a loader still answers at the rate of its session: then no reset has reached the chip. It is brought back to
 * the rate at which the next session looks for it. Throws `PortError`, or the abort's reason.
 */
export async function isStillThere(
  transport: Transport,
  baudRate: number,
  signal: AbortSignal,
): Promise<boolean> {
  const before = transport.baudRate;
  await transport.setBaudRate(baudRate);
  try {
    const loader = new Loader(transport, signal);
    await untilHeard(loader);
    await changeBaud(loader, SYNC_BAUD);
    return true;
  } catch (error) {
    if (!(error instanceof EspError)) throw error;
    return false;
  } finally {
    await transport.setBaudRate(before);
  }
}
