/** The parts of a board that stay what they are when the chip is reset. */

import type { BoardOptions } from './board-options.ts';
import type { ChipFacts } from './chips.ts';
import { CHIPS } from './chips.ts';
import type { Clock } from './clock.ts';
import { realClock } from './clock.ts';
import { Faults } from './faults.ts';
import { DATASHEET, FlashChip, NO_TIME } from './flash-chip.ts';
import { Rtc } from './rtc.ts';
import { OfficialStubs } from './stub-images.ts';
import { Uart } from './uart.ts';

/** What full-speed USB carries of a serial port, as a rate. */
const USB_BITS = 4_000_000;
const DEFAULT_MAC = Uint8Array.of(0x24, 0x0a, 0xc4, 0x12, 0x34, 0x56);
const P4_REVISION = 0x5012d04c;

/** What the parts do to the chip. */
export interface HardwareEvents {
  /** Bytes as they are on the wire, at the host's rate. */
  hear: (bytes: Uint8Array, hostBaud: number) => void;
  /** A watchdog of the RTC has run out. */
  bite: () => void;
}

function withCrystal(chip: ChipFacts, mhz: number | undefined): ChipFacts {
  if (mhz === undefined) return chip;
  return { ...chip, crystalHz: mhz * 1e6, uart: { ...chip.uart, clockHz: mhz * 1e6 } };
}

/** The ESP32-P4 runs another one below revision 3. */
function stubName({ chip, registers = [] }: BoardOptions): string {
  const major = ((registers.find(([address]) => address === P4_REVISION)?.[1] ?? 3 << 4) >> 4) & 3;
  return chip === 'esp32p4' && major < 3 ? 'esp32p4-rev1' : chip;
}

export class Hardware {
  readonly options: BoardOptions;
  readonly chip: ChipFacts;
  readonly clock: Clock;
  readonly mac: Uint8Array;
  readonly flash: FlashChip;
  readonly faults: Faults;
  readonly uart: Uart;
  /** The rate of the ROM. */
  readonly bootBaud: number;
  /** Of chips with USB of their own. */
  readonly rtc: Rtc | undefined;
  readonly stubs: OfficialStubs;

  constructor(options: BoardOptions, { hear, bite }: HardwareEvents) {
    this.options = options;
    this.chip = withCrystal(CHIPS[options.chip], options.crystalMhz);
    this.clock = options.clock ?? realClock;
    this.mac = options.mac ?? DEFAULT_MAC;
    this.flash = new FlashChip(options.flash, options.timing === 'none' ? NO_TIME : DATASHEET);
    this.faults = new Faults(options.seed ?? 1);
    this.bootBaud = options.usb ? USB_BITS : this.chip.rom.bootBaud;
    this.uart = new Uart(this.clock, this.faults, options.latencyMs ?? 1, this.bootBaud, hear);
    this.rtc = this.chip.usb && new Rtc(this.chip.usb, this.clock, bite);
    this.stubs = new OfficialStubs(stubName(options), options.stubFolders ?? []);
  }

  /** For the log: what happened on the board. */
  event(name: string, facts: Record<string, unknown> = {}): void {
    this.options.onEvent?.({ at: this.clock.now(), name, facts });
  }
}
