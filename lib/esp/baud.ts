/** Another rate for a conversation that has begun: the loader is told first, then the port. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chip } from './chips.ts';
import { SYNC_BAUD } from './connect.ts';
import { readCrystal } from './describe.ts';
import type { Loader } from './loader.ts';
import { words } from './protocol.ts';

/** Garbage of the change itself is over by then. */
const SETTLE_MS = 50;

/** Tells the stub and then the port; native USB has no rate and ignores both. */
export async function changeBaud(loader: Loader, baudRate: number): Promise<void> {
  const { transport } = loader;
  if (transport.baudRate === baudRate) return;
  await change(loader, baudRate, words(baudRate, transport.baudRate));
}

/** The fastest at which a ROM was recorded to follow. */
const MAX_ROM_BAUD = 460800;

/**
 * The same with a mask ROM, which divides the clock it believes in: what it is asked for is scaled by that error.
 * Where anything about it is in doubt the rate stays. Throws what a question at the new rate throws when the ROM
 * is not heard there.
 */
export async function changeRomBaud(loader: Loader, chip: Chip, wanted: number): Promise<void> {
  const baudRate = Math.min(wanted, MAX_ROM_BAUD);
  // Without lines there is no reset that would bring the ROM back to the rate at which it is looked for.
  if (chip.romIsMinimal || baudRate <= SYNC_BAUD || !loader.transport.hasModemLines) return;
  const error = await clockError(loader, chip);
  if (error === undefined) return;
  await change(loader, baudRate, words(Math.floor(baudRate * error), 0));
  await loader.readRegister(chip.macRegister);
}

/** A measurement further off than this is none. */
const MAX_CLOCK_ERROR = 0.15;

/** What the ROM takes its crystal for, by what it is; `undefined` where that cannot be told. */
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
}
