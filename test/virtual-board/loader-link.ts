/**
 * What a loader (mask ROM or stub) has of the world: frames in, frames out, the UART's rate, time.
 *
 * The two differ in how they hear while they work. The ROM only has the UART's FIFO of 128 bytes: what
 * does not fit while it erases is lost. The stub receives by interrupt into two buffers: one frame may
 * wait while the one before is being written, a third finds no room.
 */

import { SlipReader } from './slip.ts';

export interface LoaderLink {
  /** The next frame from the host; rejects when the chip is reset. */
  receive(): Promise<Uint8Array>;
  /** Queues a SLIP frame for the host. */
  send(frame: Uint8Array): void;
  /** The last bit of what was sent is on the wire. */
  drained(): Promise<void>;
  sleep(ms: number): Promise<void>;
  setBaudRate(baudRate: number): void;
  /** For the log: what happened in the loader. */
  event(name: string, facts: Record<string, unknown>): void;
}

/** Collects what the wire brings and hands out frames one at a time. */
export interface Inbox {
  receive(bytes: Uint8Array): void;
  next(signal: AbortSignal): Promise<Uint8Array>;
}

abstract class WaitingInbox {
  #waiter: ((frame: Uint8Array) => void) | undefined;

  protected get waiting(): boolean {
    return this.#waiter !== undefined;
  }

  protected hand(frame: Uint8Array): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(frame);
  }

  protected wait(signal: AbortSignal): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiter = undefined;
        reject(signal.reason as Error);
      };
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      this.#waiter = (frame) => {
        signal.removeEventListener('abort', abort);
        resolve(frame);
      };
    });
  }
}

const FIFO_SIZE = 128;

export class RomInbox extends WaitingInbox implements Inbox {
  readonly #slip: SlipReader;
  #fifo: number[] = [];

  constructor(maxFrame: number) {
    super();
    this.#slip = new SlipReader(maxFrame);
  }

  receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.waiting) {
        const frame = this.#slip.take(byte);
        if (frame) this.hand(frame);
      } else if (this.#fifo.length < FIFO_SIZE) {
        this.#fifo.push(byte);
      }
    }
  }

  next(signal: AbortSignal): Promise<Uint8Array> {
    const kept = this.#fifo;
    this.#fifo = [];
    const frame = this.wait(signal);
    this.receive(Uint8Array.from(kept));
    return frame;
  }
}

/** The stub's receive buffer: a 16 KB block with its headers and some slack. */
const STUB_FRAME_SIZE = 8 + 0x4000 + 0xff;

export class StubInbox extends WaitingInbox implements Inbox {
  readonly #slip: SlipReader;
  #ready: Uint8Array | undefined;

  constructor(maxFrame = STUB_FRAME_SIZE) {
    super();
    this.#slip = new SlipReader(maxFrame, true);
  }

  receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const frame = this.#slip.take(byte);
      if (!frame) continue;
      if (this.waiting) this.hand(frame);
      else this.#ready ??= frame;
    }
  }

  next(signal: AbortSignal): Promise<Uint8Array> {
    const frame = this.wait(signal);
    if (this.#ready) {
      this.hand(this.#ready);
      this.#ready = undefined;
    }
    return frame;
  }
}
