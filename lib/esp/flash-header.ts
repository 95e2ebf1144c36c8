/**
 * The flash settings in a loader's header: how the ROM reads the flash, how fast, and how large it is. Changed only
 * on wish and only where a loader lies. Source: ESP-IDF "App Image Format", values per chip from its ROM headers.
 */
import { createHash } from 'node:crypto';
import type { Chip } from './chips.ts';
import { EspError } from './errors.ts';
import type { Image } from './image.ts';

/** `keep` leaves what the image has; `detect` is the size of the flash found. */
export interface FlashSettings {
  mode?: string | undefined;
  frequency?: string | undefined;
  size?: string | undefined;
}

export const FLASH_MODES: readonly string[] = ['qio', 'qout', 'dio', 'dout'];

const FAST: Readonly<Record<string, number>> = { '80m': 0xf, '40m': 0, '26m': 1, '20m': 2 };
const HALF: Readonly<Record<string, number>> = { '48m': 0xf, '24m': 0, '16m': 1, '12m': 2 };
const NEWER: Readonly<Record<string, number>> = { '80m': 0xf, '40m': 0, '20m': 2 };
/** By chip; the others have those of the first ones. */
const FREQUENCIES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'ESP32-C2': { '60m': 0xf, '30m': 0, '20m': 1, '15m': 2 },
  'ESP32-C5': NEWER,
  'ESP32-C6': { '80m': 0, '40m': 0, '20m': 2 },
  'ESP32-C61': NEWER,
  'ESP32-H2': HALF,
  'ESP32-H4': HALF,
};
/** All that any chip has, for whoever asks before the chip is known. */
export const FLASH_FREQUENCIES: readonly string[] = [
  ...new Set([FAST, ...Object.values(FREQUENCIES)].flatMap((table) => Object.keys(table))),
];

const MB = 1024 * 1024;
const SIZES: Readonly<Record<string, number>> = {
  '1MB': 0,
  '2MB': 1,
  '4MB': 2,
  '8MB': 3,
  '16MB': 4,
  '32MB': 5,
  '64MB': 6,
  '128MB': 7,
};
const SIZES_ESP8266: Readonly<Record<string, number>> = {
  '256KB': 1,
  '512KB': 0,
  '1MB': 2,
  '2MB': 3,
  '4MB': 4,
  '8MB': 8,
  '16MB': 9,
};
export const FLASH_SIZES: readonly string[] = [...new Set(Object.keys({ ...SIZES_ESP8266, ...SIZES }))];

/**
 * A loader (and what follows it) with other settings; the same bytes where nothing changes. Its SHA-256 is made
 * anew. Throws `EspError` 'bad-flash-setting' for what this chip does not have.
 */
export function withFlashSettings(
  bytes: Uint8Array,
  image: Image,
  chip: Chip,
  settings: FlashSettings,
  flashSize: number | undefined,
): Uint8Array {
  const [mode = 0, sizeAndFrequency = 0] = bytes.subarray(2, 4);
  const sizes = chip.romIsMinimal ? SIZES_ESP8266 : SIZES;
  const found = settings.size === 'detect' ? sizeName(flashSize, sizes) : settings.size;
  const modes = Object.fromEntries(FLASH_MODES.map((name, i) => [name, i]));
  const size = valueOf('flashSize', found, sizes, sizeAndFrequency >> 4, chip);
  const frequencies = FREQUENCIES[chip.name] ?? FAST;
  const frequency = valueOf('flashFreq', settings.frequency, frequencies, sizeAndFrequency & 0xf, chip);
  const wanted = [valueOf('flashMode', settings.mode, modes, mode, chip), (size << 4) | frequency];
  if (wanted[0] === mode && wanted[1] === sizeAndFrequency) return bytes;
  const patched = Uint8Array.from(bytes);
  patched.set(wanted, 2);
  if (image.hashAt !== undefined) {
    const hash = createHash('sha256').update(patched.subarray(0, image.hashAt)).digest();
    patched.set(hash, image.hashAt);
  }
  return patched;
}

/** Bytes of a size that the user names; `undefined` for `keep` and `detect`. */
export function bytesOfSize(name = ''): number | undefined {
  const [, count, unit] = /^(\d+)([KM])B$/.exec(name) ?? [];
  return count === undefined ? undefined : Number(count) * (unit === 'M' ? MB : 1024);
}

/** A size that the header has no code for is left as it is. */
function sizeName(bytes: number | undefined, sizes: Readonly<Record<string, number>>): string {
  const name = bytes === undefined ? '' : bytes < MB ? `${bytes / 1024}KB` : `${bytes / MB}MB`;
  return name in sizes ? name : 'keep';
}

function valueOf(
  property: string,
  name = 'keep',
  table: Readonly<Record<string, number>>,
  now: number,
  chip: Chip,
): number {
  if (name === 'keep') return now;
  const value = table[name];
  if (value !== undefined) return value;
  const expected = Object.keys(table).join(' | ');
  throw new EspError('bad-flash-setting', `${chip.name} has no ${property} ${name}`, {
    chip: chip.name,
    property,
    found: name,
    expected,
  });
}
