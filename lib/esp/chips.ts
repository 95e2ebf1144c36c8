/**
 * What differs from chip to chip, as one table. Sources: Espressif's technical reference manuals,
 * register headers of ESP-IDF, and the chip ids of the image format.
 */

/** Where the flash controller's registers lie that send a command of our own to the flash chip. */
export interface SpiRegisters {
  base: number;
  usr: number;
  usr1: number;
  usr2: number;
  w0: number;
  /** Length registers of the data phases; ESP8266 keeps the lengths in USR1 instead. */
  mosiLength?: number;
  misoLength?: number;
}

/** Watchdogs that would reset a chip on USB-Serial/JTAG in the middle of flashing. */
export interface WatchdogRegisters {
  base: number;
  config: number;
  protect: number;
  superConfig: number;
  superProtect: number;
  superKey: number;
  superAutoFeedBit: number;
}

/** Registers by which a host restarts a chip without lines: its RTC watchdog bites. All addresses are whole. */
export interface RestartRegisters {
  config: number;
  timeout: number;
  protect: number;
  /** Keeps the chip in its loader through every reset until it is cleared; and where IO0 was high at the last one. */
  forceDownload?: { register: number; mask: number };
  straps?: { register: number; ioHighMask: number };
}

/**
 * MHz; a register that holds them (bits 24 to 30); or the two parts of a measurement against the RC oscillator:
 * cycles (bits 7 to 31 of a register) and the oscillator's frequency (bits 0 to 7 of a fuse).
 */
export type RomClock = number | { register: number } | { cycles: number; oscillator: number };

export interface Chip {
  /** As people write it: `ESP32-C3`. */
  name: string;
  /** Stub file of esptool-js, without its ending. */
  stub: string;
  /** Chips below this revision (major * 100 + minor) run another stub, or none. */
  olderStub?: { below: number; stub: string | undefined };
  /** Secure Boot keeps the ROM from starting code out of RAM. */
  noStubWithSecureBoot?: boolean;
  /** Words with the pins of a flash in the package, which the ROM is to be told; elsewhere it knows them. */
  flashPins?: { clkQDCs: number; hd: number };
  /** What the ROM takes its crystal for when it sets a baud rate; absent: for what it is. */
  romClock?: RomClock;
  /** Chip id in image headers and GET_SECURITY_INFO; ESP8266 images carry none. */
  imageId?: number;
  /** What READ_REG 0x40001000 gives; only on chips too old to tell their id. */
  magic?: number;
  /** Where the mask ROM expects the second-stage loader, and so where a merged image begins. */
  loaderOffset: number;
  /** Register pair holding the factory MAC: low word, then high word. */
  macRegister: number;
  spi: SpiRegisters;
  /** Whether *_BEGIN of the ROM takes the fifth word "encrypted". */
  romTakesEncrypted: boolean;
  /** Status bytes at the end of a ROM answer (2 or 4); a stub always sends 2. */
  romStatusLength: number;
  /** ESP8266's ROM cannot inflate, compute an MD5 or attach the flash. */
  romIsMinimal?: boolean;
  watchdogs?: WatchdogRegisters;
  /** Absent where a watchdog's reset is not to be had, or freezes the chip (C6). */
  restart?: RestartRegisters;
}

const SPI_ESP32: Omit<SpiRegisters, 'base'> = {
  usr: 0x1c,
  usr1: 0x20,
  usr2: 0x24,
  mosiLength: 0x28,
  misoLength: 0x2c,
  w0: 0x80,
};
const SPI_LATER: Omit<SpiRegisters, 'base'> = {
  usr: 0x18,
  usr1: 0x1c,
  usr2: 0x20,
  mosiLength: 0x24,
  misoLength: 0x28,
  w0: 0x58,
};

/** The low-power watchdogs of the chips since the C6. */
function lowPowerWatchdogs(base: number): WatchdogRegisters {
  const superKey = 0x50d83aa1;
  return {
    base,
    config: 0x00,
    protect: 0x18,
    superConfig: 0x1c,
    superProtect: 0x20,
    superKey,
    superAutoFeedBit: 18,
  };
}

/** The first of them, which bites. */
function lowPowerRestart(base: number): RestartRegisters {
  return { config: base, timeout: base + 0x04, protect: base + 0x18 };
}

function chip(
  entry: Partial<Chip> & Pick<Chip, 'name' | 'stub' | 'loaderOffset' | 'macRegister' | 'spi'>,
): Chip {
  return { romTakesEncrypted: true, romStatusLength: 4, ...entry };
}

export const ESP8266 = chip({
  name: 'ESP8266',
  stub: 'esp8266',
  magic: 0xfff0c101,
  loaderOffset: 0,
  macRegister: 0x3ff00050,
  spi: { base: 0x60000200, usr: 0x1c, usr1: 0x20, usr2: 0x24, w0: 0x40 },
  romTakesEncrypted: false,
  romStatusLength: 2,
  romIsMinimal: true,
});

export const CHIPS: readonly Chip[] = [
  ESP8266,
  chip({
    name: 'ESP32',
    stub: 'esp32',
    imageId: 0,
    magic: 0x00f01d83,
    loaderOffset: 0x1000,
    macRegister: 0x3ff5a004,
    spi: { base: 0x3ff42000, ...SPI_ESP32 },
    flashPins: { clkQDCs: 0x3ff5a014, hd: 0x3ff5a00c },
    romClock: { cycles: 0x3ff5f06c, oscillator: 0x3ff5a010 },
    romTakesEncrypted: false,
  }),
  chip({
    name: 'ESP32-S2',
    stub: 'esp32s2',
    imageId: 2,
    magic: 0x000007c6,
    loaderOffset: 0x1000,
    macRegister: 0x3f41a044,
    spi: { base: 0x3f402000, ...SPI_LATER },
    restart: {
      config: 0x3f408094,
      timeout: 0x3f408098,
      protect: 0x3f4080ac,
      forceDownload: { register: 0x3f408128, mask: 1 },
      straps: { register: 0x3f404038, ioHighMask: 8 },
    },
  }),
  chip({
    name: 'ESP32-S3',
    stub: 'esp32s3',
    imageId: 9,
    loaderOffset: 0,
    macRegister: 0x60007044,
    noStubWithSecureBoot: true,
    spi: { base: 0x60002000, ...SPI_LATER },
    watchdogs: {
      base: 0x60008000,
      config: 0x98,
      protect: 0xb0,
      superConfig: 0xb4,
      superProtect: 0xb8,
      superKey: 0x8f1d312a,
      superAutoFeedBit: 31,
    },
    restart: {
      config: 0x60008098,
      timeout: 0x6000809c,
      protect: 0x600080b0,
      forceDownload: { register: 0x6000812c, mask: 1 },
      straps: { register: 0x60004038, ioHighMask: 8 },
    },
  }),
  chip({
    name: 'ESP32-C2',
    stub: 'esp32c2',
    olderStub: { below: 1, stub: undefined },
    romClock: 40,
    imageId: 12,
    loaderOffset: 0,
    macRegister: 0x60008840,
    spi: { base: 0x60002000, ...SPI_LATER },
  }),
  chip({
    name: 'ESP32-C3',
    stub: 'esp32c3',
    imageId: 5,
    loaderOffset: 0,
    macRegister: 0x60008844,
    noStubWithSecureBoot: true,
    spi: { base: 0x60002000, ...SPI_LATER },
    watchdogs: {
      base: 0x60008000,
      config: 0x90,
      protect: 0xa8,
      superConfig: 0xac,
      superProtect: 0xb0,
      superKey: 0x8f1d312a,
      superAutoFeedBit: 31,
    },
    restart: { config: 0x60008090, timeout: 0x60008094, protect: 0x600080a8 },
  }),
  chip({
    name: 'ESP32-C5',
    stub: 'esp32c5',
    romClock: { register: 0x60096110 },
    imageId: 23,
    loaderOffset: 0x2000,
    macRegister: 0x600b4844,
    spi: { base: 0x60003000, ...SPI_LATER },
    watchdogs: lowPowerWatchdogs(0x600b1c00),
    restart: lowPowerRestart(0x600b1c00),
  }),
  chip({
    name: 'ESP32-C6',
    stub: 'esp32c6',
    imageId: 13,
    loaderOffset: 0,
    macRegister: 0x600b0844,
    spi: { base: 0x60003000, ...SPI_LATER },
    watchdogs: lowPowerWatchdogs(0x600b1c00),
  }),
  chip({
    name: 'ESP32-C61',
    stub: 'esp32c61',
    imageId: 20,
    loaderOffset: 0,
    macRegister: 0x600b4844,
    spi: { base: 0x60003000, ...SPI_LATER },
    watchdogs: lowPowerWatchdogs(0x600b1c00),
    restart: lowPowerRestart(0x600b1c00),
  }),
  chip({
    name: 'ESP32-H2',
    stub: 'esp32h2',
    imageId: 16,
    loaderOffset: 0,
    macRegister: 0x600b0844,
    spi: { base: 0x60003000, ...SPI_LATER },
    watchdogs: {
      base: 0x600b1c00,
      config: 0x00,
      protect: 0x1c,
      superConfig: 0x20,
      superProtect: 0x24,
      superKey: 0x50d83aa1,
      superAutoFeedBit: 18,
    },
  }),
  chip({
    name: 'ESP32-H4',
    stub: 'esp32h4',
    imageId: 28,
    loaderOffset: 0x2000,
    macRegister: 0x600b1844,
    spi: { base: 0x60099000, ...SPI_LATER },
    watchdogs: lowPowerWatchdogs(0x600b5400),
  }),
  chip({
    name: 'ESP32-P4',
    stub: 'esp32p4',
    olderStub: { below: 300, stub: 'esp32p4-rev1' },
    imageId: 18,
    loaderOffset: 0x2000,
    macRegister: 0x5012d044,
    spi: { base: 0x5008d000, ...SPI_LATER },
    watchdogs: lowPowerWatchdogs(0x50116000),
    restart: {
      ...lowPowerRestart(0x50116000),
      forceDownload: { register: 0x50110008, mask: 4 },
      straps: { register: 0x500e0038, ioHighMask: 8 },
    },
  }),
  chip({
    name: 'ESP32-S31',
    stub: 'esp32s31',
    imageId: 32,
    loaderOffset: 0x2000,
    macRegister: 0x20715050,
    spi: { base: 0x20501000, ...SPI_LATER },
  }),
];

export function chipByImageId(id: number): Chip | undefined {
  return CHIPS.find((entry) => entry.imageId === id);
}

export function chipByMagic(magic: number): Chip | undefined {
  return CHIPS.find((entry) => entry.magic === magic);
}
