/**
 * The board: one chip with its flash, behind a reset circuit and a serial line. What is on the other
 * side of the line (an RFC 2217 server, a pty) sees a `BoardPort`.
 */

import type { BoardOptions } from './board-options.ts';
import type { ChipFacts, ResetReason } from './chips.ts';
import { CHIPS } from './chips.ts';
import type { Clock } from './clock.ts';
import { realClock, sleep } from './clock.ts';
import { ascii } from './bytes.ts';
import { bootFlash, resetText } from './boot.ts';
import type { Fault } from './faults.ts';
import { Faults } from './faults.ts';
import { DATASHEET, FlashChip, NO_TIME } from './flash-chip.ts';
import type { Inbox, LoaderLink } from './loader-link.ts';
import { RomInbox, StubInbox } from './loader-link.ts';
import type { ChipRequest, Program, ProgramHost } from './program.ts';
import { UNPROTECTED } from './protection.ts';
import { Ram, Registers } from './registers.ts';
import { ResetCircuit } from './reset-circuit.ts';
import type { LoaderChip, LoaderExit } from './rom-loader.ts';
import { RomLoader } from './rom-loader.ts';
import { Rtc } from './rtc.ts';
import { slipEncode } from './slip.ts';
import { OfficialStubs } from './stub-images.ts';
import { StubLoader } from './stub-loader.ts';
import { Uart } from './uart.ts';

function withCrystal(chip: ChipFacts, mhz: number | undefined): ChipFacts {
  if (mhz === undefined) return chip;
  return { ...chip, crystalHz: mhz * 1e6, uart: { ...chip.uart, clockHz: mhz * 1e6 } };
}

const P4_REVISION = 0x5012d04c;

/** The ESP32-P4 runs another one below revision 3. */
function stubName({ chip, registers = [] }: BoardOptions): string {
  const major = ((registers.find(([address]) => address === P4_REVISION)?.[1] ?? 3 << 4) >> 4) & 3;
  return chip === 'esp32p4' && major < 3 ? 'esp32p4-rev1' : chip;
}

/** Why code that waits in the chip ends: it was reset. */
class ChipReset extends Error {
  override name = 'ChipReset';
}

/** What full-speed USB carries of a serial port, as a rate. */
const USB_BITS = 4_000_000;
const DEFAULT_MAC = Uint8Array.of(0x24, 0x0a, 0xc4, 0x12, 0x34, 0x56);
/** The console driver's receive ring: what is typed while the chip boots waits here. */
const RECEIVE_RING = 260;

export class Board {
  readonly chip: ChipFacts;
  readonly flash: FlashChip;
  readonly faults: Faults;
  readonly circuit: ResetCircuit;
  readonly uart: Uart;
  readonly #options: BoardOptions;
  readonly #clock: Clock;
  readonly #mac: Uint8Array;
  readonly #stubs: OfficialStubs;
  #power = new AbortController();
  #downloadStrap = false;
  #inbox: Inbox | undefined;
  /** The ROM starts the stub while it still answers. */
  #isHasty = false;
  #autobaud: 'off' | 'armed' | 'trained' = 'off';
  #program: Program | undefined;
  #typedAhead: number[] = [];
  readonly #bootBaud: number;
  /** Of chips with USB of their own. */
  readonly #rtc: Rtc | undefined;
  /** While the ROM measures the host's rate it reads nothing: until this time of the clock. */
  #deafUntil = 0;

  constructor(options: BoardOptions) {
    this.#options = options;
    this.chip = withCrystal(CHIPS[options.chip], options.crystalMhz);
    this.#clock = options.clock ?? realClock;
    this.#mac = options.mac ?? DEFAULT_MAC;
    this.#bootBaud = options.usb ? USB_BITS : this.chip.rom.bootBaud;
    this.#rtc = this.chip.usb && new Rtc(this.chip.usb, this.#clock, () => this.#bitten());
    this.#stubs = new OfficialStubs(stubName(options), options.stubFolders ?? []);
    this.flash = new FlashChip(options.flash, options.timing === 'none' ? NO_TIME : DATASHEET);
    this.faults = new Faults(options.seed ?? 1);
    this.uart = new Uart(this.#clock, this.faults, options.latencyMs ?? 1, this.#bootBaud, (bytes, baud) => {
      this.#hear(bytes, baud);
    });
    this.circuit = new ResetCircuit(
      this.#clock,
      {
        reset: () => {
          this.#stop('en');
        },
        release: (io0Low) => {
          this.#readStraps(io0Low);
          this.#start('power-on');
        },
      },
      options.enRiseMs ?? 5,
    );
  }

  /** Plugs the board in: straps as they stand, reset by power. */
  powerOn(): void {
    this.#readStraps(this.circuit.io0Low);
    this.#start('power-on');
  }

  get mac(): Uint8Array {
    return this.#mac;
  }

  /** A reset by power or EN: IO0 counts, and nothing is left of what outlives others. */
  #readStraps(io0Low: boolean): void {
    this.#downloadStrap = io0Low;
    if (!this.#rtc) return;
    this.#rtc.ioWasHigh = !io0Low;
    this.#rtc.forceDownload = false;
    this.#rtc.stopWatchdogs();
  }

  /** The host resets the chip over its USB: IO0 is not read anew. */
  resetOverUsb(download: boolean): void {
    const stays = download || this.#staysInLoader;
    // The straps read as the reset wants them.
    if (this.#rtc) this.#rtc.ioWasHigh = !stays;
    this.#start('software', stays);
    if (this.#options.usb === 'jtag') this.#rtc?.startWatchdogs();
  }

  /** The program, or the host through it, orders the chip into its loader. */
  enterLoader(): void {
    if (this.#rtc) this.#rtc.forceDownload = true;
    this.#start('cpu', true);
  }

  /** The RTC watchdog resets all of the chip, which then looks at IO0. */
  #bitten(): void {
    const io0Low = this.circuit.io0Low;
    this.#downloadStrap = io0Low;
    if (this.#rtc) this.#rtc.ioWasHigh = !io0Low;
    this.#rtc?.stopWatchdogs();
    this.#start('rtc-watchdog', io0Low || this.#rtc?.forceDownload === true);
  }

  powerOff(): void {
    this.#stop('power');
  }

  fault(fault: Fault): void {
    this.#event('fault', { ...fault });
    if (fault.kind === 'worn-sector') this.flash.wornOut.add(Math.floor(fault.offset / 4096));
    else if (fault.kind === 'stall') this.uart.stall(fault.ms, fault.direction ?? 'both');
    else if (fault.kind === 'sag') this.#sag();
    else this.faults.add(fault);
  }

  #sag(): void {
    this.#readStraps(this.circuit.io0Low);
    this.#start('brown-out');
  }

  clearFaults(): void {
    this.faults.clear();
    this.flash.wornOut.clear();
  }

  #event(name: string, facts: Record<string, unknown> = {}): void {
    this.#options.onEvent?.({ at: this.#clock.now(), name, facts });
  }

  #stop(cause: string): void {
    this.#power.abort(new ChipReset(cause));
    this.#program?.stop();
    this.#program = undefined;
    this.#inbox = undefined;
    this.#autobaud = 'off';
    this.#typedAhead = [];
    this.uart.reset(this.#bootBaud);
    this.#event('stop', { cause });
  }

  get #staysInLoader(): boolean {
    return this.#downloadStrap || this.#rtc?.forceDownload === true;
  }

  #start(reason: ResetReason, download = this.#staysInLoader): void {
    this.#stop('restart');
    this.#power = new AbortController();
    this.#event('reset', { reason, download });
    void this.#life(reason, download, this.#power.signal).catch((error: unknown) => {
      if (!(error instanceof ChipReset)) throw error;
    });
  }

  async #life(reason: ResetReason, download: boolean, signal: AbortSignal): Promise<void> {
    if (this.faults.find('silent')) return;
    const noise = this.faults.find('boot-noise');
    if (noise) this.uart.print(this.faults.noise(noise.bytes));
    this.uart.print(ascii(resetText(this.chip, reason, download)));
    if (download) await this.#download(signal);
    else await this.#bootFromFlash(reason, signal);
  }

  async #bootFromFlash(reason: ResetReason, signal: AbortSignal): Promise<void> {
    const { text, outcome } = bootFlash(this.chip, this.flash.cells.bytes, this.#options.protection);
    this.uart.print(ascii(text));
    this.#event('boot', { outcome: outcome.kind });
    if (outcome.kind === 'loop') {
      await this.uart.drained();
      await sleep(this.#clock, outcome.afterMs, signal);
      this.#start(outcome.reason);
      return;
    }
    if (this.faults.find('brown-out')) {
      await this.uart.drained();
      await sleep(this.#clock, 60, signal);
      this.uart.print(ascii('\r\nBrownout detector was triggered\r\n\r\n'));
      await this.uart.drained();
      this.#start('cpu');
      return;
    }
    await this.uart.drained();
    // A chip sets up its clocks, RAM and drivers in this time; what comes in meanwhile is kept.
    await sleep(this.#clock, this.#options.bootMs ?? 300, signal);
    const host: ProgramHost = {
      readable: () => {
        if (!signal.aborted) this.uart.kick();
      },
      request: (request) => {
        if (!signal.aborted) void this.#request(request, signal);
      },
    };
    const { flash } = this.#options;
    const program = this.#options.createProgram(host, {
      ...outcome,
      flash,
      mac: this.#mac,
      chip: this.chip,
      reason,
    });
    this.#program = program;
    this.uart.baudRate = this.#options.replBaud ?? this.uart.baudRate;
    this.uart.attach(program);
    const kept = Uint8Array.from(this.#typedAhead);
    this.#typedAhead = [];
    if (kept.length > 0) program.receive(kept);
    this.#event('program', { project: outcome.descriptor?.project });
  }

  async #request(request: ChipRequest, signal: AbortSignal): Promise<void> {
    this.#event('request', { ...request });
    if (request.kind === 'uart-baud') {
      if (this.#options.usb) return;
      this.uart.baudRate = request.baudRate;
      return;
    }
    if (request.kind === 'watchdog') {
      this.#start('watchdog');
      return;
    }
    await this.uart.flush();
    if (signal.aborted) return;
    if (request.kind === 'deep-sleep') this.#deepSleep(request.ms);
    else if (request.kind === 'bootloader') this.enterLoader();
    else this.#start('cpu');
  }

  #deepSleep(ms: number): void {
    this.#stop('deep-sleep');
    this.#power = new AbortController();
    sleep(this.#clock, ms, this.#power.signal).then(
      () => {
        this.#start('deep-sleep');
      },
      () => undefined,
    );
  }

  /** The loader: ROM first, then whatever code the host starts. */
  async #download(signal: AbortSignal): Promise<void> {
    const { protection = UNPROTECTED, registers: others } = this.#options;
    let clockFactor = 1;
    const divisor = (): number => this.uart.baudRate / clockFactor;
    const registers = new Registers(this.chip, this.flash, this.#mac, divisor, {
      ...(this.#rtc && { rtc: this.#rtc }),
      protection,
      ...(others && { registers: others }),
    });
    // Whether the answer is out in time is a matter of microseconds: every other time it is not.
    this.#isHasty = !this.#isHasty && this.chip.stubChangesClock === true;
    const chip: LoaderChip = {
      facts: this.chip,
      flash: this.flash,
      registers,
      ram: new Ram(),
      protection,
      isHasty: this.#isHasty,
    };
    this.#autobaud = this.#options.firstSync === 'answered' ? 'trained' : 'armed';
    let exit = await new RomLoader(
      chip,
      this.#link(new RomInbox(this.#maxFrame ?? this.chip.rom.maxFrame), signal),
    ).run();
    while (exit.kind === 'entry') {
      const barred = protection.secureBoot && this.chip.noCodeWithSecureBoot;
      const runs = this.faults.find('bad-ram') === undefined && !barred;
      const started = runs && this.#stubs.isLoaded(chip.ram, exit.address);
      this.#event('run-code', { address: exit.address, stub: started });
      if (!started) return this.#crash(signal);
      this.#autobaud = 'off';
      if (this.chip.stubChangesClock) {
        clockFactor = 2;
        this.uart.changeClock(clockFactor);
      }
      exit = await new StubLoader(chip, this.#link(new StubInbox(this.#maxFrame), signal)).run();
    }
    this.#leaveLoader(exit);
  }

  #leaveLoader(exit: LoaderExit): void {
    // Straps are latched at power-on and EN: without those a reboot ends in the loader again.
    if (exit.kind === 'reboot') this.#start('software');
    else this.#start('software', false);
  }

  /** Code that is no stub: the chip jumps into what is there, and the watchdog gets it out. */
  async #crash(signal: AbortSignal): Promise<void> {
    this.#inbox = undefined;
    this.uart.print(ascii('Fatal exception (0): \r\nepc1=0x00000000, epc2=0x00000000, epc3=0x00000000\r\n'));
    await sleep(this.#clock, 1000, signal);
    this.#start('watchdog');
  }

  /** Buffers of the mask ROM's USB are small, and the stub keeps them. */
  get #maxFrame(): number | undefined {
    return this.#options.usb === 'otg' ? 8 + 16 + 0x800 : undefined;
  }

  #link(inbox: Inbox, signal: AbortSignal): LoaderLink {
    this.#inbox = inbox;
    return {
      receive: () => inbox.next(signal),
      send: (frame) => {
        if (!signal.aborted) this.uart.print(slipEncode(frame));
      },
      drained: async () => {
        await this.uart.drained();
        signal.throwIfAborted();
      },
      sleep: (ms) => (ms > 0 ? sleep(this.#clock, ms, signal) : Promise.resolve()),
      setBaudRate: (baudRate) => {
        if (this.#options.usb) return;
        this.#event('baud', { baudRate: Math.round(baudRate) });
        this.#autobaud = 'off';
        this.uart.baudRate = baudRate;
      },
      event: (name, facts) => {
        // A sync that came through ends the measuring of the host's rate.
        if (facts['op'] === 'SYNC') this.#autobaud = 'off';
        this.#event(name, facts);
      },
    };
  }

  /** Bytes as they are on the wire, at the host's rate. */
  #hear(bytes: Uint8Array, hostBaud: number): void {
    if (this.faults.find('silent')) return;
    if (this.#autobaud !== 'off' && this.#inbox) {
      // The ROM measures the host's bits until a sync has come through; what it measured on is lost.
      const learns = this.#autobaud === 'armed' || Math.abs(hostBaud / this.uart.baudRate - 1) > 0.02;
      this.uart.baudRate = hostBaud;
      this.#autobaud = 'trained';
      if (learns && this.#options.firstSync !== 'answered') {
        this.#deafUntil = this.#clock.now() + (40 * 10_000) / hostBaud;
      }
      if (this.#clock.now() < this.#deafUntil) return;
    }
    const heard = this.uart.hear(bytes, hostBaud);
    if (this.#program) this.#program.receive(heard);
    else if (this.#inbox) this.#inbox.receive(heard);
    else this.#typeAhead(heard);
  }

  #typeAhead(bytes: Uint8Array): void {
    for (const byte of bytes) if (this.#typedAhead.length < RECEIVE_RING) this.#typedAhead.push(byte);
  }
}
