/**
 * The chip's UART and the USB adapter on the other end of its pins: two lanes, two rates, and the
 * adapter's habit of keeping bytes for a while.
 */

import type { Clock } from './clock.ts';
import type { Direction, Faults } from './faults.ts';
import type { Program } from './program.ts';
import { Lane, sample } from './wire.ts';

/** The UART's transmit FIFO: no more than this has left the program but not the chip. */
const FIFO_SIZE = 128;
/** A program that goes on printing is not waited for beyond this. */
const FLUSH_LIMIT = 4096;
/** Bytes of payload in one USB packet of an FTDI-like adapter. */
const USB_PACKET = 62;
const DEFAULT_HOST_BAUD = 115200;

export interface HostSide {
  /** Bytes from the board for the host. */
  data(bytes: Uint8Array): void;
}

export class Uart {
  /** The chip's own rate. */
  baudRate: number;
  /** The rate the host has set on its adapter. */
  hostBaudRate = DEFAULT_HOST_BAUD;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #latencyMs: number;
  readonly #toHost: Lane;
  readonly #toChip: Lane;
  #host: HostSide | undefined;
  #program: Program | undefined;
  #packet: number[] = [];
  #cancelPacket: (() => void) | undefined;
  #held: Uint8Array[] = [];
  #suspended = false;
  readonly stats = { toHost: 0, toChip: 0 };

  constructor(
    clock: Clock,
    faults: Faults,
    latencyMs: number,
    baudRate: number,
    hear: (bytes: Uint8Array, hostBaud: number) => void,
  ) {
    this.#clock = clock;
    this.#faults = faults;
    this.#latencyMs = latencyMs;
    this.baudRate = baudRate;
    this.#toChip = new Lane(clock, (bytes, hostBaud) => {
      this.stats.toChip += bytes.length;
      hear(this.#faults.onWire(bytes, 'to-chip', hostBaud), hostBaud);
    });
    this.#toHost = new Lane(clock, (bytes, chipBaud) => {
      this.stats.toHost += bytes.length;
      this.#collect(sample(this.#faults.onWire(bytes, 'to-host', chipBaud), chipBaud, this.hostBaudRate));
      this.#refill();
    });
  }

  // The chip's side.

  /** What the chip reads of bytes that were sent at the host's rate. */
  hear(bytes: Uint8Array, hostBaud: number): Uint8Array {
    return sample(bytes, hostBaud, this.baudRate);
  }

  print(bytes: Uint8Array): void {
    this.#toHost.send(bytes, this.baudRate);
  }

  drained(): Promise<void> {
    return this.#toHost.drained();
  }

  /** Sends what the program has already said, as a chip does before it restarts itself. */
  async flush(): Promise<void> {
    for (let sent = 0; sent < FLUSH_LIMIT;) {
      sent += this.#refill();
      if (this.#toHost.pending === 0) return;
      await this.#toHost.drained();
    }
  }

  /** From now on the program's output goes out. */
  attach(program: Program): void {
    this.#program = program;
    this.#refill();
  }

  /** The program has something to say. */
  kick(): void {
    this.#refill();
  }

  /** The clock of the UART is changed while the FIFO still has something to send. */
  changeClock(factor: number): void {
    this.#toHost.retime(this.baudRate * factor);
  }

  /** Chip reset: the FIFO is lost, the rate is the ROM's. */
  reset(baudRate: number): void {
    this.#program = undefined;
    this.#toHost.clear();
    this.baudRate = baudRate;
  }

  stall(ms: number, direction: Direction): void {
    if (direction !== 'to-host') this.#toChip.stall(ms);
    if (direction !== 'to-chip') this.#toHost.stall(ms);
  }

  // The host's side.

  connect(host: HostSide): void {
    this.#host = host;
    this.#packet = [];
    this.#held = [];
    this.#suspended = false;
  }

  disconnect(): void {
    this.#host = undefined;
    this.#cancelPacket?.();
    this.#cancelPacket = undefined;
  }

  write(bytes: Uint8Array): void {
    this.#toChip.send(bytes, this.hostBaudRate);
  }

  /** Bytes the host wrote that are not on the wire yet. */
  get toChipPending(): number {
    return this.#toChip.pending;
  }

  toChipDrained(): Promise<void> {
    return this.#toChip.drained();
  }

  purge(what: 'receive' | 'transmit'): void {
    if (what === 'transmit') {
      this.#toChip.clear();
    } else {
      this.#packet = [];
      this.#held = [];
    }
  }

  /** The host asks the far end to keep what comes (RFC 2217 suspend); the chip itself is not stopped. */
  suspend(suspended: boolean): void {
    this.#suspended = suspended;
    if (suspended) return;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#host?.data(bytes);
  }

  /** Moves output from program to FIFO; returns how much. */
  #refill(): number {
    const room = FIFO_SIZE - this.#toHost.pending;
    if (!this.#program || room <= 0) return 0;
    const bytes = this.#program.read(room);
    if (bytes.length > 0) this.#toHost.send(bytes, this.baudRate);
    return bytes.length;
  }

  #collect(bytes: Uint8Array): void {
    if (!this.#host) return;
    if (this.#latencyMs === 0) {
      this.#give(bytes);
      return;
    }
    for (const byte of bytes) {
      this.#packet.push(byte);
      if (this.#packet.length >= USB_PACKET) this.#sendPacket();
    }
    if (this.#packet.length > 0) {
      this.#cancelPacket ??= this.#clock.after(this.#latencyMs, () => {
        this.#sendPacket();
      });
    }
  }

  #sendPacket(): void {
    this.#cancelPacket?.();
    this.#cancelPacket = undefined;
    const bytes = Uint8Array.from(this.#packet);
    this.#packet = [];
    if (bytes.length > 0) this.#give(bytes);
  }

  #give(bytes: Uint8Array): void {
    if (this.#suspended) this.#held.push(bytes);
    else this.#host?.data(bytes);
  }
}
