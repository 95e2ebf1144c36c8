/**
 * One direction of the serial line: bytes leave it no faster than 10 bits each at the sender's rate.
 * What the receiver makes of them at its own rate is `sample()`.
 */

import type { Clock } from './clock.ts';

/**
 * Bytes that are handed over at once, at most, unless the line is so fast that a millisecond brings more: a timer that
 * is late must not fill a receiver that would have taken its bytes meanwhile.
 */
const MOST_AT_ONCE = 128;
const MOST_LATE_MS = 1.3;

/** Rates this close are read without error by every UART, so the bits need not be looked at. */
const SAME_RATE = 0.02;

interface Burst {
  bytes: Uint8Array;
  baudRate: number;
}

export class Lane {
  readonly #clock: Clock;
  readonly #deliver: (bytes: Uint8Array, baudRate: number) => void;
  #queue: Burst[] = [];
  #taken = 0;
  /** When the line is free for the next byte. */
  #freeAt = 0;
  #cancel: (() => void) | undefined;
  #idleWaiters: (() => void)[] = [];
  paused = false;

  constructor(clock: Clock, deliver: (bytes: Uint8Array, baudRate: number) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  /** Puts bytes at the end of the line; `baudRate` is the sender's at this moment. */
  send(bytes: Uint8Array, baudRate: number): void {
    if (bytes.length === 0) return;
    if (this.#queue.length === 0) this.#freeAt = Math.max(this.#freeAt, this.#clock.now());
    this.#queue.push({ bytes, baudRate });
    this.#schedule();
  }

  get pending(): number {
    return this.#queue.reduce((sum, burst) => sum + burst.bytes.length, 0) - this.#taken;
  }

  /** Resolves when everything sent has left. */
  drained(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Drops what has not left yet (power cut, purge, reset of the sender). */
  clear(): void {
    this.#queue = [];
    this.#taken = 0;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wakeIdle();
  }

  /** What has not left yet leaves at another rate: the sender's clock is changed under it. */
  retime(baudRate: number): void {
    this.#queue = this.#queue.map(({ bytes }) => ({ bytes, baudRate }));
  }

  /** Holds the line still for `ms` (a fault, or an adapter that hangs). */
  stall(ms: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#clock.now()) + ms;
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#queue.length > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#cancel) return;
    const first = this.#queue[0];
    if (!first) return;
    // A lump about every millisecond: timers are no finer, and one byte at a time would cost a core.
    const left = first.bytes.length - this.#taken;
    const byteMs = 10_000 / first.baudRate;
    const lumpMs = Math.max(byteMs, Math.min(1, left * byteMs));
    const wait = Math.max(0, this.#freeAt + lumpMs - this.#clock.now());
    this.#cancel = this.#clock.after(wait, () => {
      this.#cancel = undefined;
      this.#flow();
    });
  }

  #flow(): void {
    const now = this.#clock.now();
    for (let handed = 0; ;) {
      const burst = this.#queue[0];
      if (!burst) break;
      const byteMs = 10_000 / burst.baudRate;
      const room = Math.max(MOST_AT_ONCE, Math.floor(MOST_LATE_MS / byteMs)) - handed;
      const due = Math.min(room, Math.floor((now - this.#freeAt) / byteMs + 1e-6));
      if (due <= 0) break;
      const count = Math.min(due, burst.bytes.length - this.#taken);
      const lump = burst.bytes.subarray(this.#taken, this.#taken + count);
      this.#freeAt += count * byteMs;
      this.#taken += count;
      handed += count;
      if (this.#taken >= burst.bytes.length) {
        this.#queue.shift();
        this.#taken = 0;
      }
      this.#deliver(lump, burst.baudRate);
    }
    if (this.#queue.length === 0) this.#wakeIdle();
    else this.#schedule();
  }

  #wakeIdle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const wake of waiters) wake();
  }
}

/**
 * What a UART at `receiverBaud` reads when these bytes are sent at `senderBaud`: start bit, eight
 * data bits, stop bit, each sampled in the middle of the receiver's bit. At the same rate these are
 * the bytes; at another rate the garbage that a real line shows, and as many bytes of it.
 */
export function sample(bytes: Uint8Array, senderBaud: number, receiverBaud: number): Uint8Array {
  const bit = senderBaud / receiverBaud;
  if (Math.abs(bit - 1) <= SAME_RATE) return bytes;
  const level = (time: number): number => {
    const index = Math.floor(time);
    const byte = bytes[Math.floor(index / 10)];
    if (byte === undefined || index < 0) return 1;
    const position = index % 10;
    if (position === 0) return 0;
    return position === 9 ? 1 : (byte >> (position - 1)) & 1;
  };
  const out: number[] = [];
  const end = bytes.length * 10;
  let time = 0;
  while (time < end) {
    if (level(time) === 1) {
      // Waiting for a falling edge, which can only lie on a bit border of the sender.
      time = Math.floor(time) + 1;
      continue;
    }
    if (level(time + bit / 2) === 1) {
      // Half a bit later the line is high again: a glitch, not a start bit.
      time = Math.floor(time + bit / 2) + 1;
      continue;
    }
    let byte = 0;
    for (let i = 0; i < 8; i++) byte |= level(time + bit * (1.5 + i)) << i;
    out.push(byte);
    // The stop bit is not waited out; a low line there (framing error, break) is no new start bit.
    time += bit * 9.5;
    while (time < end && level(time) === 0) time = Math.floor(time) + 1;
  }
  return Uint8Array.from(out);
}
