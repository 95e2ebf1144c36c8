/**
 * UART0's clock as its registers say it: a divider of 12 or 20 bits and 4 of fraction, and what it divides. The
 * firmware runs it from the 1 MHz reference where the chip has one (8.625 of it are 115942 baud), else from the
 * crystal. Source: technical reference manuals, UART_CLKDIV_REG, UART_CONF0_REG, UART_REG_UPDATE_REG.
 */

interface Wiring {
  divider: number;
  dividerAtBoot: number;
  slowHz: number;
  /** A bit that gives it another clock. */
  fast?: { register: number; bit: number; hz: number; atBoot: number };
  /** Written with bit 0 set: only then the divider is in force. */
  latch?: number;
}

const REF_TICK = { dividerAtBoot: 0xa00008, slowHz: 1e6 };
const CRYSTAL = { dividerAtBoot: 347 | (3 << 20), slowHz: 40e6 };
const apb = (register: number): NonNullable<Wiring['fast']> => ({
  register,
  bit: 27,
  hz: 80e6,
  atBoot: 0x1c,
});

const WIRINGS: Readonly<Record<string, Wiring>> = {
  ESP32: { divider: 0x3ff40014, ...REF_TICK, fast: apb(0x3ff40020) },
  ESP32S2: { divider: 0x3f400014, ...REF_TICK, fast: apb(0x3f400020) },
  ESP32S3: { divider: 0x60000014, ...CRYSTAL },
  ESP32C3: { divider: 0x60000014, ...CRYSTAL },
  ESP32C6: { divider: 0x60000014, ...CRYSTAL, latch: 0x60000098 },
};

export class UartClock {
  readonly #wiring: Wiring | undefined;
  readonly #registers = new Map<number, number>();
  #divider: number;

  /** `machine`: as in the banner; the chip is its last word. */
  constructor(machine: string) {
    this.#wiring = WIRINGS[machine.split(' ').at(-1) ?? ''];
    this.#divider = this.#wiring?.dividerAtBoot ?? 0;
    if (!this.#wiring) return;
    this.#registers.set(this.#wiring.divider, this.#divider);
    if (this.#wiring.fast) this.#registers.set(this.#wiring.fast.register, this.#wiring.fast.atBoot);
  }

  read(address: number): number {
    return this.#registers.get(address) ?? 0;
  }

  /** The rate from now on, where this write has changed it. */
  write(address: number, value: number): number | undefined {
    const { divider, fast, latch } = this.#wiring ?? {};
    this.#registers.set(address, address === latch ? 0 : value);
    const isLatched = latch !== undefined && address === latch && (value & 1) === 1;
    if (isLatched || (latch === undefined && address === divider)) this.#divider = this.read(divider ?? 0);
    else if (address !== fast?.register) return undefined;
    const whole = (this.#divider & 0xfffff) + ((this.#divider >>> 20) & 0xf) / 16;
    return whole === 0 ? undefined : Math.round(this.#clockHz / whole);
  }

  get #clockHz(): number {
    const { fast, slowHz = 0 } = this.#wiring ?? {};
    return fast && ((this.read(fast.register) >>> fast.bit) & 1) === 1 ? fast.hz : slowHz;
  }
}
