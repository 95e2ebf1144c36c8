/**
 * The registers a host reaches with READ_REG and WRITE_REG: eFuse words, the UART's divider, and the
 * SPI peripheral through which hosts ask the flash for its id. Anything else reads as it was written.
 */

import type { ChipFacts } from './chips.ts';
import type { FlashChip } from './flash-chip.ts';
import { u32 } from './bytes.ts';
import type { Protection } from './protection.ts';
import { protectionFuses, UNPROTECTED } from './protection.ts';

const CHIP_MAGIC_ADDRESS = 0x40001000;
const SPI_CMD_USR = 1 << 18;
const USR_ADDR = 1 << 30;
const USR_MISO = 1 << 28;

/** Registers with a life of their own, see `rtc.ts`. */
export interface RtcRegisters {
  read(address: number): number | undefined;
  /** Whether the address is one of these. */
  write(address: number, value: number): boolean;
}

export interface RegisterOptions {
  rtc?: RtcRegisters;
  protection?: Protection;
  /** Other values than the chip's own: fuses of another revision, say. */
  registers?: readonly (readonly [address: number, value: number])[];
}

export class Registers {
  readonly #values = new Map<number, number>();
  readonly #chip: ChipFacts;
  readonly #flash: FlashChip;
  readonly #baudRate: () => number;
  /** Registers that do something when they are written, or that outlive the chip's reset. */
  readonly #rtc: RtcRegisters | undefined;
  /** Until the pins are connected the bus floats and every answer is ones. */
  flashAttached = false;

  constructor(
    chip: ChipFacts,
    flash: FlashChip,
    mac: Uint8Array,
    baudRate: () => number,
    { rtc, protection = UNPROTECTED, registers = [] }: RegisterOptions = {},
  ) {
    this.#chip = chip;
    this.#rtc = rtc;
    this.#flash = flash;
    this.#baudRate = baudRate;
    this.#values.set(CHIP_MAGIC_ADDRESS, chip.magic);
    for (const [address, value] of chip.registers(mac)) this.#values.set(address, value >>> 0);
    for (const [address, bits] of protectionFuses(chip, protection)) {
      this.#values.set(address, (this.read(address) | bits) >>> 0);
    }
    if (chip.calibration) this.#values.set(chip.calibration.register, chip.calibration.value << 7);
    for (const [address, value] of registers) this.#values.set(address, value >>> 0);
  }

  read(address: number): number {
    if (address === this.#chip.uart.clkdiv) return Math.round(this.#chip.uart.clockHz / this.#baudRate());
    return this.#rtc?.read(address) ?? this.#values.get(address) ?? 0;
  }

  write(address: number, value: number, mask = 0xffffffff): void {
    const merged = ((value & mask) | (this.read(address) & ~mask)) >>> 0;
    if (address === this.#chip.spi.base && merged & SPI_CMD_USR) {
      this.#runSpi();
      // The bit clears itself when the transfer is done.
      this.#values.set(address, (merged & ~SPI_CMD_USR) >>> 0);
      return;
    }
    if (this.#rtc?.write(address, merged)) return;
    this.#values.set(address, merged);
  }

  #runSpi(): void {
    const { base, usr, usr1, usr2, w0, lengths } = this.#chip.spi;
    const flags = this.read(base + usr);
    const command = this.read(base + usr2) & 0xff;
    const answerBits =
      'inUsr1' in lengths
        ? ((this.read(base + usr1) >>> lengths.inUsr1.misoShift) & 0x1ff) + 1
        : (this.read(base + lengths.miso) & 0x3ff) + 1;
    if (!(flags & USR_MISO)) return;
    const address = flags & USR_ADDR ? this.#address(this.read(base + 4)) : 0;
    const length = Math.min(64, Math.ceil(answerBits / 8));
    const answer = new Uint8Array(64);
    if (this.flashAttached) answer.set(this.#flash.transfer(command, address, length));
    else answer.fill(0xff, 0, length);
    for (let i = 0; i < length; i += 4) this.#values.set(base + w0 + i, u32(answer, i));
  }

  #address(register: number): number {
    return this.#chip.spi.addressAtTop ? register >>> 8 : register & 0xffffff;
  }
}

/** RAM as far as it matters: what was uploaded, in 4 KB pages. */
export class Ram {
  readonly #pages = new Map<number, Uint8Array>();

  write(address: number, data: Uint8Array): void {
    for (let i = 0; i < data.length; i++) {
      const at = address + i;
      this.#page(at)[at % 4096] = data[i] ?? 0;
    }
  }

  read(address: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => this.#page(address + i)[(address + i) % 4096] ?? 0);
  }

  #page(address: number): Uint8Array {
    const number = Math.floor(address / 4096);
    let page = this.#pages.get(number);
    if (!page) this.#pages.set(number, (page = new Uint8Array(4096)));
    return page;
  }
}
