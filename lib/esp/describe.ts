/** What a chip tells of itself by its registers: revision, package, features, crystal (`chip-sheets.ts`). */
import { SHEETS } from './chip-sheets.ts';
import type { Field, PsramBus, Values } from './chip-sheets.ts';
import type { Chip } from './chips.ts';
import type { Loader } from './loader.ts';

export interface ChipDescription {
  /** Major * 100 + minor, as image headers count; absent on the ESP8266. */
  revision?: number;
  /** Chip and package as printed on it, `ESP32-D0WD-V3`. */
  package: string;
  /** In esptool's words: radios, cores, clock, memory in the package. */
  features: string[];
  /** RAM in the package; absent where there is none, or where it cannot be told. */
  psram?: PsramBus;
  /** MHz; absent where it cannot be measured, as over the chip's own USB. */
  crystal?: number;
}

/** Reads and puts into words what the eFuses hold. Not in Secure Download Mode, which reads no register. */
export async function describeChip(loader: Loader, chip: Chip): Promise<ChipDescription> {
  const sheet = SHEETS[chip.name];
  if (!sheet) return { package: chip.name, features: [] };
  const values = await readFields(loader, sheet.fields);
  const { major, minor } = sheet.revision?.(values) ?? {};
  const psram = sheet.psram?.(values);
  const crystal = await readCrystal(loader, chip);
  return {
    ...(major === undefined || minor === undefined ? {} : { revision: major * 100 + minor }),
    package: sheet.name(values),
    features: [...sheet.features(values)],
    ...(psram ? { psram } : {}),
    ...(crystal === undefined ? {} : { crystal }),
  };
}

/** `v3.1` of 301. */
export function revisionText(revision: number): string {
  return `v${Math.floor(revision / 100)}.${revision % 100}`;
}

/** The divider's whole part; the bits above are fractions. */
const DIVIDER_MASK = 0xfffff;
/** MHz that a measured crystal may be off: the rates of the two sides differ, dividers are whole. */
const CRYSTAL_TOLERANCE = 2;

/**
 * MHz of the crystal; `undefined` where it is measured and the measure is of none that these chips have. Only the ROM
 * can be measured: the stub may run its UART from a clock that is not the crystal's.
 */
export async function readCrystal(loader: Loader, chip: Chip): Promise<number | undefined> {
  const crystal = SHEETS[chip.name]?.crystal;
  if (crystal === undefined || typeof crystal === 'number') return crystal;
  if (loader.mode.name !== 'ROM') return undefined;
  const divider = (await loader.readRegister(crystal.divider)) & DIVIDER_MASK;
  const measured = (divider * loader.transport.baudRate) / 1e6 / crystal.clocksPerTick;
  return crystal.choices.find((choice) => Math.abs(choice - measured) <= CRYSTAL_TOLERANCE);
}

/** Whether the chip would still encrypt what is written in download mode. */
export async function encryptsInDownload(loader: Loader, chip: Chip): Promise<boolean> {
  const field = SHEETS[chip.name]?.encryptionOff;
  return field !== undefined && (await readFields(loader, { off: field }))['off'] === 0;
}

/** Each register is read once. */
async function readFields(loader: Loader, fields: Readonly<Record<string, Field>>): Promise<Values> {
  const registers = new Map<number, number>();
  const values: Record<string, number> = {};
  for (const [name, parts] of Object.entries(fields)) {
    let value = 0;
    let bits = 0;
    for (const [register, shift, count] of parts) {
      const word = registers.get(register) ?? (await loader.readRegister(register));
      registers.set(register, word);
      value += ((word >>> shift) & (2 ** count - 1)) * 2 ** bits;
      bits += count;
    }
    values[name] = value;
  }
  return values;
}
