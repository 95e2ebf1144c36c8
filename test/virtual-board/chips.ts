/**
 * What tells one chip from another, as data. The loader, the boot and the registers are the same code
 * for all of them.
 *
 * Facts: esptool's and ESP-IDF's documentation of the serial protocol, the technical reference manuals
 * (register addresses) and recordings of real boards (boot texts).
 */

import { NEWER_CHIPS } from './newer-chips.ts';
import type { NewerChip, NewerChipName } from './newer-chips.ts';

export type ChipName = 'esp32' | 'esp32s2' | 'esp32s3' | 'esp32c3' | 'esp32c6' | 'esp8266' | NewerChipName;

export type ResetReason =
  'power-on' | 'software' | 'deep-sleep' | 'cpu' | 'watchdog' | 'brown-out' | 'rtc-watchdog';

export interface SpiRegisters {
  base: number;
  usr: number;
  usr1: number;
  usr2: number;
  w0: number;
  /** Addresses are sent from the register's top (older peripheral) or from its low bits. */
  addressAtTop: boolean;
  /** ESP8266 has no registers for the lengths: both lie in USR1. */
  lengths: { mosi: number; miso: number } | { inUsr1: { mosiShift: number; misoShift: number } };
}

/** The RTC watchdog, the super watchdog, and what outlives a reset. Addresses as in the reference manuals. */
export interface UsbRegisters {
  /** Product id of the mask ROM's USB-OTG; chips without it have USB-Serial/JTAG only. */
  otgRom?: string;
  watchdog: { config: number; timeout: number; protect: number };
  superWatchdog?: { config: number; protect: number; key: number; autoFeedBit: number };
  forceDownload?: { register: number; mask: number };
  straps?: { register: number; ioHighMask: number };
}
export type Bit = readonly [register: number, shift: number];

export interface ChipFacts {
  name: ChipName;
  /** Chip id in image headers and in GET_SECURITY_INFO; the ESP8266 has none. */
  imageChipId: number | undefined;
  /** The word at 0x40001000. */
  magic: number;
  bootloaderOffset: number;
  crystalHz: number;
  /** How the divider in the UART's CLKDIV register follows from the crystal. */
  uart: { clkdiv: number; clockHz: number };
  /** The ROM measures the crystal against an inaccurate RC oscillator and sets rates by that. */
  calibration: { register: number; value: number; ck8m: number } | undefined;
  /** What the ROM takes the crystal for, where that is fixed. */
  romCrystalHz?: number;
  rom: {
    /** Rate of the boot text. */
    bootBaud: number;
    statusLength: 2 | 4;
    /** BEGIN commands carry a fifth word (encrypted or not). */
    encryptedWord: boolean;
    md5: 'ascii' | 'none';
    /** Length of GET_SECURITY_INFO's answer; 0: unknown command. */
    securityInfo: 0 | 12 | 20;
    compressed: boolean;
    readFlash: boolean;
    changeBaud: boolean;
    setParams: boolean;
    /** The ESP8266 connects its flash in FLASH_BEGIN. */
    attach: 'command' | 'flash-begin';
    /** The ESP8266's erase counts the sectors up to the first 64 KB border twice. */
    eraseCountsHeadTwice: boolean;
    /** The largest frame its buffer takes: a RAM block with its headers. */
    maxFrame: number;
  };
  spi: SpiRegisters;
  /** Chips with USB of their own: what of it a host reaches through registers. */
  usb?: UsbRegisters;
  /** Fuses that protect the chip, as `[register, lowest bit]`; the ESP8266 has none. */
  protection?: Record<'secureBoot' | 'cryptCount' | 'noDownloadEncryption', Bit>;
  /** A bug of the ROM: with Secure Boot it does not start code in RAM. */
  noCodeWithSecureBoot?: boolean;
  /** The stub doubles the UART's clock before it sets its rate anew, while the ROM's answer is still on the wire. */
  stubChangesClock?: boolean;
  /** In Secure Download Mode the rate stays as it is. */
  fixedRateWhenSecured?: boolean;
  boot: {
    head: string[];
    /** `%r` is the reset reason, `%b` the boot mode. */
    resetLine: string;
    reasons: Record<ResetReason, string>;
    flashMode: string;
    downloadMode: string;
    downloadPrompt: string;
    /** Lines before `load:`; `%m` is the flash mode, `%d` the divider. */
    loading: string[];
    segmentLength: 'decimal' | 'hex';
    /** What the ROM adds after the first segment. */
    afterFirstSegment: string | undefined;
  };
  /** Fixed registers: eFuse words with the MAC address, straps. */
  registers(mac: Uint8Array): [address: number, value: number][];
}

const byte = (mac: Uint8Array, index: number): number => mac[index] ?? 0;
const macLow = (mac: Uint8Array): number =>
  ((byte(mac, 2) << 24) | (byte(mac, 3) << 16) | (byte(mac, 4) << 8) | byte(mac, 5)) >>> 0;
const macHigh = (mac: Uint8Array): number => (byte(mac, 0) << 8) | byte(mac, 1);

/** The eFuse block with the MAC of S2 and later, plus the words the chip's revision is made of. */
const macBlock =
  (block1: number, words: Record<number, number>) =>
  (mac: Uint8Array): [number, number][] => [
    [block1, macLow(mac)],
    // The upper half of word 1 is not the MAC's.
    ...Object.entries({ 1: 0, ...words }).map(([word, value]): [number, number] => [
      block1 + 4 * Number(word),
      word === '1' ? value | macHigh(mac) : value,
    ]),
  ];

const spiSince = (base: number): SpiRegisters => ({
  base,
  usr: 0x18,
  usr1: 0x1c,
  usr2: 0x20,
  lengths: { mosi: 0x24, miso: 0x28 },
  w0: 0x58,
  addressAtTop: false,
});

const ESP32_REASONS: Record<ResetReason, string> = {
  'power-on': '0x1 (POWERON_RESET)',
  software: '0x3 (SW_RESET)',
  'deep-sleep': '0x5 (DEEPSLEEP_RESET)',
  watchdog: '0x7 (TG0WDT_SYS_RESET)',
  cpu: '0xc (SW_CPU_RESET)',
  'brown-out': '0xf (RTCWDT_BROWN_OUT_RESET)',
  'rtc-watchdog': '0x10 (RTCWDT_RTC_RESET)',
};

const LATER_REASONS: Record<ResetReason, string> = {
  'power-on': '0x1 (POWERON)',
  software: '0x3 (RTC_SW_SYS_RST)',
  'deep-sleep': '0x5 (DSLEEP)',
  watchdog: '0x7 (TG0WDT_SYS_RST)',
  cpu: '0xc (RTC_SW_CPU_RST)',
  'brown-out': '0xf (BROWNOUT_RST)',
  'rtc-watchdog': '0x10 (RTCWDT_RTC_RST)',
};

const ESP32_ROM: ChipFacts['rom'] = {
  bootBaud: 115200,
  statusLength: 4,
  encryptedWord: false,
  md5: 'ascii',
  securityInfo: 0,
  compressed: true,
  readFlash: true,
  changeBaud: true,
  setParams: true,
  attach: 'command',
  eraseCountsHeadTwice: false,
  maxFrame: 8 + 16 + 0x1800,
};

const LATER_ROM: ChipFacts['rom'] = { ...ESP32_ROM, encryptedWord: true, securityInfo: 20 };

const laterBoot = (head: string[], flashMode: string, downloadMode: string): ChipFacts['boot'] => ({
  head,
  resetLine: 'rst:%r,boot:%b',
  reasons: LATER_REASONS,
  flashMode,
  downloadMode,
  downloadPrompt: 'waiting for download',
  loading: ['SPIWP:0xee', 'mode:%m, clock div:%d'],
  segmentLength: 'hex',
  afterFirstSegment: undefined,
});

/** Where most chips since the C3 keep them. */
const protectionSince = (fuses: number): NonNullable<ChipFacts['protection']> => ({
  secureBoot: [fuses + 0x38, 20],
  cryptCount: [fuses + 0x34, 18],
  noDownloadEncryption: [fuses + 0x30, 20],
});

const newer = (name: NewerChipName, chip: NewerChip): ChipFacts => ({
  name,
  imageChipId: chip.imageChipId,
  magic: chip.magic,
  bootloaderOffset: chip.bootloaderOffset,
  crystalHz: chip.crystalHz,
  uart: { clkdiv: chip.uart ?? 0x60000014, clockHz: chip.crystalHz },
  calibration: undefined,
  rom: LATER_ROM,
  spi: spiSince(chip.spi),
  protection: chip.protection,
  ...(chip.romCrystalHz !== undefined && { romCrystalHz: chip.romCrystalHz }),
  ...(chip.fixedRateWhenSecured && { fixedRateWhenSecured: true }),
  boot: laterBoot(chip.head, chip.flashMode, chip.downloadMode),
  registers: (mac) => [...macBlock(chip.macBlock, chip.fuses)(mac), ...(chip.registers ?? [])],
});

export const CHIPS: Record<ChipName, ChipFacts> = {
  ...(Object.fromEntries(
    Object.entries(NEWER_CHIPS).map(([name, chip]) => [name, newer(name as NewerChipName, chip)]),
  ) as Record<NewerChipName, ChipFacts>),
  esp32: {
    name: 'esp32',
    imageChipId: 0,
    magic: 0x00f01d83,
    bootloaderOffset: 0x1000,
    crystalHz: 40e6,
    uart: { clkdiv: 0x3ff40014, clockHz: 40e6 },
    calibration: { register: 0x3ff5f06c, value: 824, ck8m: 128 },
    stubChangesClock: true,
    rom: ESP32_ROM,
    spi: {
      base: 0x3ff42000,
      usr: 0x1c,
      usr1: 0x20,
      usr2: 0x24,
      lengths: { mosi: 0x28, miso: 0x2c },
      w0: 0x80,
      addressAtTop: true,
    },
    protection: {
      secureBoot: [0x3ff5a018, 5],
      cryptCount: [0x3ff5a000, 20],
      noDownloadEncryption: [0x3ff5a018, 7],
    },
    boot: {
      head: ['ets Jul 29 2019 12:21:46', ''],
      resetLine: 'rst:%r,boot:%b',
      reasons: ESP32_REASONS,
      flashMode: '0x13 (SPI_FAST_FLASH_BOOT)',
      downloadMode: '0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))',
      downloadPrompt: 'waiting for download',
      loading: [
        'configsip: 0, SPIWP:0xee',
        'clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00',
        'mode:%m, clock div:%d',
      ],
      segmentLength: 'decimal',
      afterFirstSegment: 'ho 0 tail 12 room 4',
    },
    // Revision 3.0 in three places (word 3 bit 15, word 5 bit 20, SYSCON date bit 31); package D0WD.
    registers: (mac) => [
      [0x3ff5a004, macLow(mac)],
      [0x3ff5a008, (0x5a << 16) | macHigh(mac)],
      [0x3ff5a00c, 0x8200],
      [0x3ff5a010, 0x0b00 | 128],
      [0x3ff5a014, 1 << 20],
      [0x3ff6607c, 0x96042000],
      [0x3ff44038, 0x13],
    ],
  },
  esp32s2: {
    name: 'esp32s2',
    imageChipId: 2,
    magic: 0x000007c6,
    bootloaderOffset: 0x1000,
    crystalHz: 40e6,
    uart: { clkdiv: 0x3f400014, clockHz: 40e6 },
    calibration: undefined,
    rom: { ...LATER_ROM, securityInfo: 12 },
    spi: spiSince(0x3f402000),
    usb: {
      otgRom: '0002',
      watchdog: { config: 0x3f408094, timeout: 0x3f408098, protect: 0x3f4080ac },
      forceDownload: { register: 0x3f408128, mask: 1 },
      straps: { register: 0x3f404038, ioHighMask: 8 },
    },
    protection: { ...protectionSince(0x3f41a000), noDownloadEncryption: [0x3f41a030, 19] },
    boot: laterBoot(
      ['ESP-ROM:esp32s2-rc4-20191025', 'Build:Oct 25 2019'],
      '0x8 (SPI_FAST_FLASH_BOOT)',
      '0x0 (DOWNLOAD(USB/UART0/1/SPI))',
    ),
    // Revision 1.0, nothing in the package.
    registers: macBlock(0x3f41a044, { 3: 1 << 18 }),
  },
  esp32s3: {
    name: 'esp32s3',
    imageChipId: 9,
    magic: 0x00000009,
    bootloaderOffset: 0,
    crystalHz: 40e6,
    uart: { clkdiv: 0x60000014, clockHz: 40e6 },
    calibration: undefined,
    rom: LATER_ROM,
    spi: spiSince(0x60002000),
    usb: {
      otgRom: '0009',
      watchdog: { config: 0x60008098, timeout: 0x6000809c, protect: 0x600080b0 },
      superWatchdog: { config: 0x600080b4, protect: 0x600080b8, key: 0x8f1d312a, autoFeedBit: 31 },
      forceDownload: { register: 0x6000812c, mask: 1 },
      straps: { register: 0x60004038, ioHighMask: 8 },
    },
    protection: protectionSince(0x60007000),
    noCodeWithSecureBoot: true,
    boot: laterBoot(
      ['ESP-ROM:esp32s3-20210327', 'Build:Mar 27 2021'],
      '0x8 (SPI_FAST_FLASH_BOOT)',
      '0x0 (DOWNLOAD(USB/UART0))',
    ),
    // Revision 0.2 with 8 MB of octal RAM in the package, as on most modules.
    registers: macBlock(0x60007044, { 3: 2 << 18, 4: (2 << 7) | (1 << 3) }),
  },
  esp32c3: {
    name: 'esp32c3',
    imageChipId: 5,
    magic: 0x1b31506f,
    bootloaderOffset: 0,
    crystalHz: 40e6,
    uart: { clkdiv: 0x60000014, clockHz: 40e6 },
    calibration: undefined,
    rom: LATER_ROM,
    spi: spiSince(0x60002000),
    usb: {
      watchdog: { config: 0x60008090, timeout: 0x60008094, protect: 0x600080a8 },
      superWatchdog: { config: 0x600080ac, protect: 0x600080b0, key: 0x8f1d312a, autoFeedBit: 31 },
    },
    protection: protectionSince(0x60008800),
    noCodeWithSecureBoot: true,
    boot: laterBoot(
      ['ESP-ROM:esp32c3-api1-20210207', 'Build:Feb  7 2021'],
      '0xc (SPI_FAST_FLASH_BOOT)',
      '0x4 (DOWNLOAD(USB/UART0/1))',
    ),
    // Revision 0.4 with 4 MB of flash in the package.
    registers: macBlock(0x60008844, { 3: (1 << 27) | (4 << 18), 4: 1 }),
  },
  esp32c6: {
    name: 'esp32c6',
    imageChipId: 13,
    magic: 0x2ce0806f,
    bootloaderOffset: 0,
    crystalHz: 40e6,
    uart: { clkdiv: 0x60000014, clockHz: 40e6 },
    calibration: undefined,
    rom: LATER_ROM,
    spi: spiSince(0x60003000),
    protection: protectionSince(0x600b0800),
    boot: laterBoot(
      ['ESP-ROM:esp32c6-20220919', 'Build:Sep 19 2022'],
      '0xc (SPI_FAST_FLASH_BOOT)',
      '0x4 (DOWNLOAD(USB/UART0/SDIO_FEI_FEO))',
    ),
    registers: macBlock(0x600b0844, { 1: 0xfffe << 16, 3: 1 << 18, 4: 1 }),
  },
  esp8266: {
    name: 'esp8266',
    imageChipId: undefined,
    magic: 0xfff0c101,
    bootloaderOffset: 0,
    crystalHz: 26e6,
    uart: { clkdiv: 0x60000014, clockHz: 52e6 },
    calibration: undefined,
    rom: {
      ...ESP32_ROM,
      bootBaud: 74880,
      statusLength: 2,
      md5: 'none',
      compressed: false,
      readFlash: false,
      changeBaud: false,
      setParams: false,
      attach: 'flash-begin',
      eraseCountsHeadTwice: true,
    },
    spi: {
      base: 0x60000200,
      usr: 0x1c,
      usr1: 0x20,
      usr2: 0x24,
      lengths: { inUsr1: { mosiShift: 17, misoShift: 8 } },
      w0: 0x40,
      addressAtTop: true,
    },
    boot: {
      head: [''],
      resetLine: ' ets Jan  8 2013,rst cause:%r, boot mode:%b',
      reasons: {
        'power-on': '2',
        software: '2',
        'deep-sleep': '2',
        cpu: '2',
        watchdog: '4',
        'brown-out': '1',
        'rtc-watchdog': '4',
      },
      flashMode: '(3,6)',
      downloadMode: '(1,6)',
      downloadPrompt: '',
      loading: [''],
      segmentLength: 'decimal',
      afterFirstSegment: undefined,
    },
    registers: (mac) => [
      [0x3ff00050, (byte(mac, 5) << 24) >>> 0],
      [0x3ff00054, (byte(mac, 3) << 8) | byte(mac, 4)],
      [0x3ff00058, 0],
      [0x3ff0005c, (byte(mac, 0) << 16) | (byte(mac, 1) << 8) | byte(mac, 2)],
    ],
  },
};
