/**
 * Where a chip tells what it is: the eFuse fields with revision, package and memory in the package, and what
 * Espressif calls the values. Sources: eFuse tables of ESP-IDF (`esp_efuse_table.csv`), technical reference
 * manuals and data sheets; the wording of features is esptool's, which people know.
 */

/** Bits of registers, the lowest part of the number first: `[register, lowest bit, bits]`. */
export type Field = readonly (readonly [register: number, shift: number, bits: number])[];

/** Fields by name, read from a chip. */
export type Values = Readonly<Record<string, number>>;

type Words = Readonly<Record<number, string>>;

/** How RAM in the package is connected. */
export type PsramBus = 'quad' | 'octal';

export interface Sheet {
  fields: Readonly<Record<string, Field>>;
  /** Major and minor revision out of the fields; absent on the ESP8266, which has none. */
  revision?: (values: Values) => { major: number; minor: number };
  /** Chip and package as printed on it. */
  name: (values: Values) => string;
  features: (values: Values) => readonly string[];
  /** RAM in the package; nothing where there is none, or where it cannot be told. */
  psram?: (values: Values) => PsramBus | undefined;
  /** MHz; measured by the divider that the UART has at the rate of the connection where it may differ. */
  crystal: number | { divider: number; clocksPerTick: number; choices: readonly number[] };
  /** Set when the chip no longer encrypts what is written in download mode. */
  encryptionOff?: Field;
}

/** A word of a block of eFuses. */
const block =
  (base: number) =>
  (word: number, shift: number, bits: number): readonly [number, number, number] => [
    base + 4 * word,
    shift,
    bits,
  ];

const named =
  (names: Words, unknown: string) =>
  ({ package: value = 0 }: Values): string =>
    names[value] ?? unknown;
const always =
  (...features: string[]) =>
  (): string[] =>
    features;
/** `Embedded Flash 4MB (XMC)`; nothing for 0, which is none. */
const embedded = (what: string, value = 0, sizes: Words, vendor?: string): string | undefined => {
  if (value === 0) return undefined;
  const size = sizes[value] === undefined ? `Unknown Embedded ${what}` : `Embedded ${what} ${sizes[value]}`;
  return vendor === undefined ? size : `${size} (${vendor})`;
};
const revision = ({ major = 0, minor = 0 }: Values): { major: number; minor: number } => ({ major, minor });
const list = (...entries: (string | false | undefined)[]): string[] =>
  entries.filter((entry) => !!entry) as string[];

const UART = 0x60000014;
const VENDORS: Words = { 1: 'XMC', 2: 'GD', 3: 'FM', 4: 'TT' };
const S3_VENDORS: Words = { ...VENDORS, 5: 'BY' };
const S3_PSRAM_VENDORS: Words = { 1: 'AP_3v3', 2: 'AP_1v8' };
const C_VENDORS: Words = { ...VENDORS, 5: 'ZBIT' };
const C_FLASH: Words = { 1: '4MB', 2: '2MB', 3: '1MB', 4: '8MB' };

const esp32 = block(0x3ff5a000);
const s2 = block(0x3f41a044);
const s3 = block(0x60007044);
const c2 = block(0x60008840);
const c3 = block(0x60008844);
const c5 = block(0x600b4844);
const c6 = block(0x600b0844);
const h4 = block(0x600b1844);
const p4 = block(0x5012d044);
const s31 = block(0x20715050);

const ESP32_PACKAGES: Readonly<Record<number, (single: boolean, v3: boolean) => string>> = {
  0: (single, v3) => (single ? 'ESP32-S0WDQ6' : `ESP32-D0WDQ6${v3 ? '-V3' : ''}`),
  1: (single, v3) => (single ? 'ESP32-S0WD' : `ESP32-D0WD${v3 ? '-V3' : ''}`),
  2: () => 'ESP32-D2WD',
  4: () => 'ESP32-U4WDH',
  5: (_single, v3) => (v3 ? 'ESP32-PICO-V3' : 'ESP32-PICO-D4'),
  6: () => 'ESP32-PICO-V3-02',
  7: () => 'ESP32-D0WDR2-V3',
};
const ESP32_WITH_FLASH: readonly number[] = [2, 4, 5, 6];
/** Three bits in three places, which count like a thermometer. */
const ESP32_MAJOR: Readonly<Record<number, number>> = { 0b001: 1, 0b011: 2, 0b111: 3 };
const esp32Revision = ({ major = 0, minor = 0 }: Values): { major: number; minor: number } => ({
  major: ESP32_MAJOR[major] ?? 0,
  minor,
});
const CODING = ['None', '3/4', 'Repeat (UNSUPPORTED)', 'None (may contain encoding data)'];

const S2_SIZES = { 1: '2MB', 2: '4MB' };
const S2_CALIBRATION: Words = {
  0: 'No calibration in BLK2 of efuse',
  1: 'ADC and temperature sensor calibration in BLK2 of eFuse V1',
  2: 'ADC and temperature sensor calibration in BLK2 of eFuse V2',
};

const S3_FLASH = { 1: '8MB', 2: '4MB' };
const S3_PSRAM = { 1: '8MB', 2: '2MB', 3: '16MB', 4: '4MB' };
const S3_BUS: Readonly<Record<number, PsramBus>> = { 1: 'octal', 2: 'quad', 3: 'octal' };
/** The first chips were made before the field of the major revision had its meaning. */
const s3Revision = (values: Values): { major: number; minor: number } => {
  const { minor = 0, blockMajor, blockMinor } = values;
  return (minor & 7) === 0 && blockMajor === 1 && blockMinor === 1
    ? { major: 0, minor: 0 }
    : revision(values);
};

/** Megabytes of flash in an ESP8285, by bits 25 to 27 of word 3 and, first, bit 4 of word 0. */
const ESP8285: Words = { 0b0001: '08', 0b0101: '16', 0b0010: '16' };
const esp8285 = ({ early = 0, late = 0 }: Values): boolean => early === 1 || late === 1;

export const SHEETS: Readonly<Record<string, Sheet>> = {
  ESP8266: {
    fields: {
      early: [[0x3ff00050, 4, 1]],
      late: [[0x3ff00058, 16, 1]],
      hot: [[0x3ff00050, 5, 1]],
      size: [
        [0x3ff00050, 4, 1],
        [0x3ff0005c, 25, 3],
      ],
    },
    name: (values) => {
      if (!esp8285(values)) return 'ESP8266EX';
      const size = ESP8285[values['size'] ?? 0];
      return size === undefined ? 'ESP8285' : `ESP8285${values['hot'] ? 'H' : 'N'}${size}`;
    },
    features: (values) => list('Wi-Fi', '160MHz', esp8285(values) && 'Embedded Flash'),
    crystal: { divider: UART, clocksPerTick: 2, choices: [40, 26] },
  },

  ESP32: {
    fields: {
      major: [esp32(3, 15, 1), esp32(5, 20, 1), [0x3ff6607c, 31, 1]],
      minor: [esp32(5, 24, 2)],
      package: [esp32(3, 9, 3), esp32(3, 2, 1)],
      single: [esp32(3, 0, 1)],
      noBluetooth: [esp32(3, 1, 1)],
      rated: [esp32(3, 13, 1)],
      slow: [esp32(3, 12, 1)],
      partlyReserved: [esp32(3, 14, 1)],
      reference: [esp32(4, 8, 5)],
      coding: [esp32(6, 0, 2)],
    },
    revision: esp32Revision,
    name: (values) =>
      ESP32_PACKAGES[values['package'] ?? 0]?.(values['single'] === 1, esp32Revision(values).major === 3) ??
      'Unknown ESP32',
    features: (values) =>
      list(
        'Wi-Fi',
        !values['noBluetooth'] && 'BT',
        values['single'] ? 'Single Core + LP Core' : 'Dual Core + LP Core',
        values['rated'] === 1 && (values['slow'] ? '160MHz' : '240MHz'),
        ESP32_WITH_FLASH.includes(values['package'] ?? 0) && 'Embedded Flash',
        values['package'] === 6 && 'Embedded PSRAM',
        !!values['reference'] && 'Vref calibration in eFuse',
        values['partlyReserved'] === 1 && 'BLK3 partially reserved',
        `Coding Scheme ${CODING[values['coding'] ?? 0]}`,
      ),
    psram: ({ package: value = 0 }) => (value === 6 || value === 7 ? 'quad' : undefined),
    crystal: { divider: 0x3ff40014, clocksPerTick: 1, choices: [40, 26] },
    encryptionOff: [esp32(6, 7, 1)],
  },

  'ESP32-S2': {
    fields: {
      major: [s2(3, 18, 2)],
      minor: [s2(4, 4, 3), s2(3, 20, 1)],
      flash: [s2(3, 21, 4)],
      psram: [s2(3, 28, 4)],
      calibration: [[0x3f41a06c, 4, 3]],
    },
    revision,
    name: ({ flash = 0, psram = 0 }) =>
      ({ 0: 'ESP32-S2', 1: 'ESP32-S2FH2', 2: 'ESP32-S2FH4', 102: 'ESP32-S2FNR2', 100: 'ESP32-S2R2' })[
        flash + 100 * psram
      ] ?? 'Unknown ESP32-S2',
    features: ({ flash, psram, calibration = 0 }) => [
      'Wi-Fi',
      'Single Core',
      '240MHz',
      embedded('Flash', flash, S2_SIZES) ?? 'No Embedded Flash',
      embedded('PSRAM', psram, S2_SIZES) ?? 'No Embedded PSRAM',
      S2_CALIBRATION[calibration] ?? 'Unknown calibration in BLK2',
    ],
    psram: ({ psram }) => (psram ? 'quad' : undefined),
    crystal: 40,
    encryptionOff: [[0x3f41a030, 19, 1]],
  },

  'ESP32-S3': {
    fields: {
      major: [s3(5, 24, 2)],
      minor: [s3(3, 18, 3), s3(5, 23, 1)],
      blockMajor: [[0x6000706c, 0, 2]],
      blockMinor: [s3(3, 24, 3)],
      package: [s3(3, 21, 3)],
      flash: [s3(3, 27, 3)],
      flashVendor: [s3(4, 0, 3)],
      psram: [s3(4, 3, 2), s3(5, 19, 1)],
      psramVendor: [s3(4, 7, 2)],
    },
    revision: s3Revision,
    name: named({ 0: 'ESP32-S3 (QFN56)', 1: 'ESP32-S3-PICO-1 (LGA56)' }, 'Unknown ESP32-S3'),
    features: ({ flash, flashVendor = 0, psram, psramVendor = 0 }) =>
      list(
        'Wi-Fi',
        'BT 5 (LE)',
        'Dual Core + LP Core',
        '240MHz',
        embedded('Flash', flash, S3_FLASH, S3_VENDORS[flashVendor] ?? ''),
        embedded('PSRAM', psram, S3_PSRAM, S3_PSRAM_VENDORS[psramVendor] ?? ''),
      ),
    psram: ({ psram = 0 }) => S3_BUS[psram],
    crystal: 40,
    encryptionOff: [[0x60007030, 20, 1]],
  },

  'ESP32-C2': {
    fields: {
      major: [c2(1, 20, 2)],
      minor: [c2(1, 16, 4)],
      package: [c2(1, 22, 3)],
      flash: [c2(7, 29, 3)],
      flashVendor: [c2(7, 24, 3)],
    },
    revision,
    name: named({ 0: 'ESP32-C2', 1: 'ESP8684H' }, 'Unknown ESP32-C2'),
    features: ({ flash, flashVendor = 0 }) =>
      list(
        'Wi-Fi',
        'BT 5 (LE)',
        'Single Core',
        '120MHz',
        embedded('Flash', flash, C_FLASH, C_VENDORS[flashVendor] ?? ''),
      ),
    crystal: { divider: UART, clocksPerTick: 1, choices: [40, 26] },
    encryptionOff: [[0x60008830, 6, 1]],
  },

  'ESP32-C3': {
    fields: {
      major: [c3(5, 24, 2)],
      minor: [c3(3, 18, 3), c3(5, 23, 1)],
      package: [c3(3, 21, 3)],
      flash: [c3(3, 27, 3)],
      flashVendor: [c3(4, 0, 3)],
    },
    revision,
    name: named(
      { 0: 'ESP32-C3 (QFN32)', 1: 'ESP8685 (QFN28)', 2: 'ESP32-C3 AZ (QFN32)', 3: 'ESP8686 (QFN24)' },
      'Unknown ESP32-C3',
    ),
    features: ({ flash, flashVendor = 0 }) =>
      list(
        'Wi-Fi',
        'BT 5 (LE)',
        'Single Core',
        '160MHz',
        embedded('Flash', flash, C_FLASH, C_VENDORS[flashVendor] ?? ''),
      ),
    crystal: 40,
    encryptionOff: [[0x60008830, 20, 1]],
  },

  'ESP32-C5': {
    fields: { major: [c5(2, 4, 2)], minor: [c5(2, 0, 4)], package: [c5(2, 26, 3)] },
    revision,
    name: named({ 0: 'ESP32-C5' }, 'Unknown ESP32-C5'),
    features: always('Wi-Fi 6 (dual-band)', 'BT 5 (LE)', 'IEEE802.15.4', 'Single Core + LP Core', '240MHz'),
    crystal: { divider: UART, clocksPerTick: 1, choices: [48, 40] },
    encryptionOff: [[0x600b4830, 20, 1]],
  },

  'ESP32-C6': {
    fields: {
      major: [c6(3, 22, 2)],
      minor: [c6(3, 18, 4)],
      package: [c6(3, 24, 3)],
      flash: [c6(4, 0, 3)],
    },
    revision,
    name: ({ package: value = 0, flash = 0 }) =>
      value === 0
        ? 'ESP32-C6 (QFN40)'
        : value === 1 && (flash === 1 || flash === 2)
          ? `ESP32-C6FH${4 * flash} (QFN32)`
          : 'Unknown ESP32-C6',
    features: ({ flash }) =>
      list(
        'Wi-Fi 6',
        'BT 5 (LE)',
        'IEEE802.15.4',
        'Single Core + LP Core',
        '160MHz',
        embedded('Flash', flash, { 1: '4MB', 2: '8MB' }),
      ),
    crystal: 40,
    encryptionOff: [[0x600b0830, 20, 1]],
  },

  'ESP32-C61': {
    fields: { major: [c5(2, 4, 2)], minor: [c5(2, 0, 4)], package: [c5(2, 26, 3)] },
    revision,
    name: named({ 0: 'ESP32-C61' }, 'Unknown ESP32-C61'),
    features: always('Wi-Fi 6', 'BT 5 (LE)', 'Single Core', '160MHz'),
    crystal: 40,
    encryptionOff: [[0x600b4830, 14, 1]],
  },

  'ESP32-H2': {
    fields: { major: [c6(3, 21, 2)], minor: [c6(3, 18, 3)], package: [c6(4, 0, 3)] },
    revision,
    name: named({ 0: 'ESP32-H2' }, 'Unknown ESP32-H2'),
    features: always('BT 5 (LE)', 'IEEE802.15.4', 'Single Core', '96MHz'),
    crystal: 32,
    encryptionOff: [[0x600b0830, 20, 1]],
  },

  'ESP32-H4': {
    fields: { major: [h4(3, 22, 2)], minor: [h4(3, 18, 4)], package: [h4(4, 12, 3)] },
    revision,
    name: named({ 0: 'ESP32-H4 (QFN40)' }, 'Unknown ESP32-H4'),
    features: always('BT 5 (LE)', 'IEEE802.15.4', 'Dual Core', '96MHz'),
    crystal: 32,
    encryptionOff: [[0x600b1830, 14, 1]],
  },

  'ESP32-P4': {
    fields: { major: [p4(2, 4, 2), p4(2, 23, 1)], minor: [p4(2, 0, 4)], package: [p4(2, 20, 3)] },
    revision,
    name: named({ 0: 'ESP32-P4' }, 'Unknown ESP32-P4'),
    features: always('Dual Core + LP Core', '400MHz'),
    crystal: 40,
    encryptionOff: [[0x5012d030, 20, 1]],
  },

  'ESP32-S31': {
    fields: { major: [s31(3, 22, 2)], minor: [s31(3, 18, 4)], package: [s31(4, 6, 2)] },
    revision,
    name: named({ 0: 'ESP32-S31' }, 'Unknown ESP32-S31'),
    features: always('Wi-Fi 6', 'BT 5.4 (LE)', 'IEEE802.15.4', 'Dual Core + LP Core', '300MHz'),
    crystal: 40,
    encryptionOff: [[0x20715030, 20, 1]],
  },
};
