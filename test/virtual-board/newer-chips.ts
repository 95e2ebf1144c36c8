/** Chips that differ from the C3 and the C6 in nothing but data: one row each. See `chips.ts` for the meaning. */

import type { ChipFacts } from './chips.ts';

export type NewerChipName = 'esp32c2' | 'esp32c5' | 'esp32c61' | 'esp32h2' | 'esp32p4';

export interface NewerChip {
  imageChipId: number;
  magic: number;
  bootloaderOffset: number;
  crystalHz: number;
  romCrystalHz?: number;
  /** The UART's divider; default that of the C3. */
  uart?: number;
  /** Base of the SPI peripheral. */
  spi: number;
  head: string[];
  flashMode: string;
  downloadMode: string;
  /** The block of eFuses with MAC and revision, and its words from 2 on (1: the upper half). */
  macBlock: number;
  fuses: Record<number, number>;
  registers?: [address: number, value: number][];
  protection: NonNullable<ChipFacts['protection']>;
  fixedRateWhenSecured?: boolean;
}

export const NEWER_CHIPS: Record<NewerChipName, NewerChip> = {
  // Revision 1.2 with 4 MB of flash in the package. Its ROM takes the crystal for one of 40 MHz, which it is here.
  esp32c2: {
    imageChipId: 12,
    magic: 0x6f51306f,
    bootloaderOffset: 0,
    crystalHz: 40e6,
    romCrystalHz: 40e6,
    spi: 0x60002000,
    head: ['ESP-ROM:esp8684-api2-20220127', 'Build:Jan 27 2022'],
    flashMode: '0xc (SPI_FAST_FLASH_BOOT)',
    downloadMode: '0x4 (DOWNLOAD(UART0))',
    macBlock: 0x60008840,
    fuses: { 1: (1 << 20) | (2 << 16), 7: ((1 << 29) | (1 << 24)) >>> 0 },
    protection: {
      secureBoot: [0x60008830, 21],
      cryptCount: [0x60008830, 7],
      noDownloadEncryption: [0x60008830, 6],
    },
    fixedRateWhenSecured: true,
  },
  // Revision 1.0; the ROM reads from a register what crystal it is.
  esp32c5: {
    imageChipId: 23,
    magic: 0x1101406f,
    bootloaderOffset: 0x2000,
    crystalHz: 48e6,
    romCrystalHz: 48e6,
    spi: 0x60003000,
    head: ['ESP-ROM:esp32c5-eco2-20250121', 'Build:Jan 21 2025'],
    flashMode: '0x18 (SPI_FAST_FLASH_BOOT)',
    downloadMode: '0x10 (DOWNLOAD(USB/UART0))',
    macBlock: 0x600b4844,
    fuses: { 2: 1 << 4 },
    registers: [[0x60096110, (48 << 24) >>> 0]],
    protection: {
      secureBoot: [0x600b4838, 25],
      cryptCount: [0x600b4834, 16],
      noDownloadEncryption: [0x600b4830, 20],
    },
    fixedRateWhenSecured: true,
  },
  esp32c61: {
    imageChipId: 20,
    magic: 0x7211606f,
    bootloaderOffset: 0,
    crystalHz: 40e6,
    spi: 0x60003000,
    head: ['ESP-ROM:esp32c61-20240730', 'Build:Jul 30 2024'],
    flashMode: '0xc (SPI_FAST_FLASH_BOOT)',
    downloadMode: '0x4 (DOWNLOAD(USB/UART0))',
    macBlock: 0x600b4844,
    fuses: { 2: 1 << 4 },
    protection: {
      secureBoot: [0x600b4834, 26],
      cryptCount: [0x600b4830, 23],
      noDownloadEncryption: [0x600b4830, 14],
    },
  },
  esp32h2: {
    imageChipId: 16,
    magic: 0xd7b73e80,
    bootloaderOffset: 0,
    crystalHz: 32e6,
    spi: 0x60003000,
    head: ['ESP-ROM:esp32h2-20221101', 'Build:Nov  1 2022'],
    flashMode: '0xc (SPI_FAST_FLASH_BOOT)',
    downloadMode: '0x4 (DOWNLOAD(USB/UART0))',
    macBlock: 0x600b0844,
    fuses: { 1: 0xfffe << 16, 3: 2 << 18 },
    protection: {
      secureBoot: [0x600b0838, 20],
      cryptCount: [0x600b0834, 18],
      noDownloadEncryption: [0x600b0830, 20],
    },
  },
  // Revision 3.0. Below, a chip runs another stub.
  esp32p4: {
    imageChipId: 18,
    magic: 0x0addbad0,
    bootloaderOffset: 0x2000,
    crystalHz: 40e6,
    uart: 0x500ca014,
    spi: 0x5008d000,
    head: ['ESP-ROM:esp32p4-eco5-20250224', 'Build:Feb 24 2025'],
    flashMode: '0xf (SPI_FAST_FLASH_BOOT)',
    downloadMode: '0x7 (DOWNLOAD(USB/UART0/SPI))',
    macBlock: 0x5012d044,
    fuses: { 2: 3 << 4 },
    protection: {
      secureBoot: [0x5012d038, 20],
      cryptCount: [0x5012d034, 18],
      noDownloadEncryption: [0x5012d030, 20],
    },
  },
};
