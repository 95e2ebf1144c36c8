/**
 * The flash chip on the board: the cells (NorFlash), what it answers to commands on its SPI bus, how
 * long erasing and programming take by a datasheet of a 4 MB part (typical values), and sectors that
 * do not erase any more.
 */

import { NorFlash, SECTOR_SIZE } from './nor-flash.ts';

export const BLOCK_SIZE = 0x10000;
const PAGE_SIZE = 256;

export interface FlashTiming {
  sectorEraseMs: number;
  blockEraseMs: number;
  /** Whole chip, per 64 KB. */
  chipEraseMsPerBlock: number;
  pageProgramMs: number;
  /** Reading and hashing, per byte. */
  hashMsPerByte: number;
}

export const DATASHEET: FlashTiming = {
  sectorEraseMs: 45,
  blockEraseMs: 150,
  chipEraseMsPerBlock: 100,
  pageProgramMs: 0.5,
  hashMsPerByte: 0.0004,
};

export const NO_TIME: FlashTiming = {
  sectorEraseMs: 0,
  blockEraseMs: 0,
  chipEraseMsPerBlock: 0,
  pageProgramMs: 0,
  hashMsPerByte: 0,
};

export class FlashChip {
  readonly cells: NorFlash;
  readonly timing: FlashTiming;
  /** Sectors (by number) whose cells no longer erase. */
  readonly wornOut = new Set<number>();

  constructor(cells: NorFlash, timing: FlashTiming) {
    this.cells = cells;
    this.timing = timing;
  }

  get size(): number {
    return this.cells.size;
  }

  /** JEDEC id: Winbond, SPI NOR, 2^n bytes. */
  get jedecId(): Uint8Array {
    return Uint8Array.of(0xef, 0x40, Math.round(Math.log2(this.size)));
  }

  /** Erases one sector; returns the milliseconds it takes. */
  eraseSector(offset: number): number {
    const sector = Math.floor(offset / SECTOR_SIZE);
    if (!this.wornOut.has(sector)) this.cells.erase(sector * SECTOR_SIZE, SECTOR_SIZE);
    return this.timing.sectorEraseMs;
  }

  eraseBlock(offset: number): number {
    for (let at = offset; at < offset + BLOCK_SIZE; at += SECTOR_SIZE) this.eraseSector(at);
    return this.timing.blockEraseMs;
  }

  eraseChip(): number {
    for (let at = 0; at < this.size; at += SECTOR_SIZE) this.eraseSector(at);
    return (this.size / BLOCK_SIZE) * this.timing.chipEraseMsPerBlock;
  }

  /** Whole sectors, by 64 KB blocks where they fit; returns the milliseconds. */
  eraseRange(offset: number, length: number): number {
    let ms = 0;
    let at = offset - (offset % SECTOR_SIZE);
    const end = offset + length;
    while (at < end && at < this.size) {
      const block = at % BLOCK_SIZE === 0 && end - at >= BLOCK_SIZE;
      ms += block ? this.eraseBlock(at) : this.eraseSector(at);
      at += block ? BLOCK_SIZE : SECTOR_SIZE;
    }
    return ms;
  }

  program(offset: number, data: Uint8Array): number {
    this.cells.program(offset, data);
    return Math.ceil(data.length / PAGE_SIZE) * this.timing.pageProgramMs;
  }

  isBlank(offset: number): boolean {
    return this.cells.bytes.subarray(offset, offset + SECTOR_SIZE).every((byte) => byte === 0xff);
  }

  /** One command on the SPI bus: command byte, address, then up to 64 bytes of answer. */
  transfer(command: number, address: number, answerLength: number): Uint8Array {
    const answer = new Uint8Array(answerLength);
    const source = this.#answer(command, address, answerLength);
    answer.set(source.subarray(0, answerLength));
    return answer;
  }

  #answer(command: number, address: number, length: number): Uint8Array {
    switch (command) {
      case 0x9f:
        return this.jedecId;
      case 0x03:
        return this.cells.read(address, length);
      case 0x5a: // SFDP: only its signature and revision
        return Uint8Array.of(0x53, 0x46, 0x44, 0x50, 0x06, 0x01, 0x00, 0xff).subarray(address);
      default:
        // Status registers read 0 (idle, unprotected); write enable, reset, wake-up answer nothing.
        return new Uint8Array(length);
    }
  }
}
