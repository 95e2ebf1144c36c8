import { lostError, PortError } from './errors.ts';
import type { Transport } from './transport.ts';
import { abortReason, timerFor } from './wait.ts';

/** What an inbox reads from: a transport, or anything that tells bytes in the same way. */
export type Source = Pick<Transport, 'port' | 'listen'>;

/** How long a read waits. Without a time it waits until the signal or the end of the port. */
export interface Wait {
  /** Milliseconds from now. */
  timeoutMs?: number | undefined;
  /** A point in time as `performance.now()` counts; the earlier of the two holds. */
  deadline?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Says where the wanted end is: the number of bytes up to and including it, or -1 to wait for more.
 * `unread` holds all unread bytes and is only valid during the call; the first `seen` of them were shown
 * before, so that a search can go on where it stopped.
 */
export type FindEnd = (unread: Uint8Array, seen: number) => number;

/** Unread bytes kept at most; beyond it the oldest go. */
const DEFAULT_LIMIT = 16 * 1024 * 1024;
const FIRST_SIZE = 4096;
/** Bytes of what came that an error carries as evidence: the last ones. */
const EVIDENCE = 4096;

interface Pending {
  find: FindEnd;
  seen: number;
  what: string;
  resolve: (bytes: Uint8Array) => void;
  reject: (error: Error) => void;
}

/**
 * Reading with deadlines on top of a transport: what comes is gathered, and taken by count, up to a
 * pattern, or as it comes. Nothing is polled, every byte is moved a fixed number of times, and a read that
 * fails takes nothing: what came stays to be read or looked at.
 *
 * One read waits at a time. All reads throw `PortError` `read-timeout` (`facts.received`: the last 4 KiB
 * that came, `facts.receivedLength`), the port's own error when it is lost, or the signal's reason.
 */
export class Inbox {
  readonly #source: Source;
  readonly #limit: number;
  #buffer = new Uint8Array(FIRST_SIZE);
  #start = 0;
  #end = 0;
  #pending: Pending | undefined;
  #closed: Error | undefined;
  #dropped = 0;

  /** Becomes the transport's listener. `limit`: unread bytes kept at most, default 16 MiB. */
  constructor(source: Source, options: { limit?: number } = {}) {
    this.#source = source;
    this.#limit = options.limit ?? DEFAULT_LIMIT;
    this.attach();
  }

  /** Becomes the transport's listener again, after someone else was. */
  attach(): void {
    this.#source.listen({
      data: (bytes) => this.#push(bytes),
      closed: (error) => this.#close(error),
    });
  }

  /** Number of unread bytes. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Bytes that went because nobody read them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why no more will come, once the port has ended. */
  get closed(): Error | undefined {
    return this.#closed;
  }

  /** Takes what is there, at most `most` bytes, without waiting. */
  take(most = Number.POSITIVE_INFINITY): Uint8Array {
    const count = Math.min(most, this.length);
    const bytes = this.#buffer.slice(this.#start, this.#start + count);
    this.#skip(count);
    return bytes;
  }

  /** A copy of what is there, at most the last `most` bytes, without taking it. */
  peek(most = Number.POSITIVE_INFINITY): Uint8Array {
    return this.#buffer.slice(Math.max(this.#start, this.#end - most), this.#end);
  }

  /** Drops what is there. What is still underway: `Transport.discardInput`. */
  clear(): void {
    this.#skip(this.length);
  }

  /** Takes exactly `count` bytes. */
  async read(count: number, wait: Wait = {}): Promise<Uint8Array> {
    if (count <= 0) return new Uint8Array(0);
    return await this.#until((unread) => (unread.length >= count ? count : -1), wait, `${count} bytes`);
  }

  /** Takes everything there is, once there is at least one byte. */
  async some(wait: Wait = {}): Promise<Uint8Array> {
    return await this.#until((unread) => (unread.length > 0 ? unread.length : -1), wait, 'a byte');
  }

  /**
   * Takes everything up to and including the first match: a text (as UTF-8), bytes, one byte value, or
   * whatever `FindEnd` finds. An empty pattern matches at once.
   */
  async until(end: string | Uint8Array | number | FindEnd, wait: Wait = {}): Promise<Uint8Array> {
    if (typeof end === 'function') return await this.#until(end, wait, 'an end');
    if (typeof end === 'number') {
      return await this.#until((unread, seen) => unread.indexOf(end, seen) + 1 || -1, wait, `byte ${end}`);
    }
    const pattern = Buffer.from(end);
    const find: FindEnd = (unread, seen) => {
      const view = Buffer.from(unread.buffer, unread.byteOffset, unread.length);
      const at = view.indexOf(pattern, Math.max(0, seen - pattern.length + 1));
      return at === -1 ? -1 : at + pattern.length;
    };
    const what = typeof end === 'string' ? JSON.stringify(end) : pattern.toString('hex');
    return await this.#until(find, wait, what);
  }

  #until(find: FindEnd, wait: Wait, what: string): Promise<Uint8Array> {
    if (this.#pending) return Promise.reject(new Error('another read is waiting on this inbox'));
    if (wait.signal?.aborted) return Promise.reject(abortReason(wait.signal));
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const { signal } = wait;
      const timeoutMs = Math.min(wait.timeoutMs ?? Infinity, (wait.deadline ?? Infinity) - began);
      let timer: NodeJS.Timeout | undefined;
      const ended = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        this.#pending = undefined;
      };
      const pending: Pending = {
        find,
        seen: 0,
        what,
        resolve: (bytes) => {
          ended();
          resolve(bytes);
        },
        reject: (error) => {
          ended();
          reject(error);
        },
      };
      const aborted = (): void => pending.reject(abortReason(signal));
      const over = (): void => pending.reject(this.#timeout(what, timeoutMs));
      this.#pending = pending;
      this.#look();
      if (this.#pending !== pending) return;
      if (this.#closed) pending.reject(this.#closed);
      else if (timeoutMs <= 0) over();
      else {
        if (Number.isFinite(timeoutMs)) timer = timerFor(over, timeoutMs);
        signal?.addEventListener('abort', aborted, { once: true });
      }
    });
  }

  /** Shows the unread bytes to the waiting read. */
  #look(): void {
    const pending = this.#pending;
    if (!pending) return;
    let count: number;
    try {
      count = pending.find(this.#buffer.subarray(this.#start, this.#end), pending.seen);
    } catch (error) {
      pending.reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (count < 0) pending.seen = this.length;
    else pending.resolve(this.take(count));
  }

  #push(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
    this.#look();
    const excess = this.length - this.#limit;
    if (excess <= 0) return;
    if (this.#pending) {
      const { what } = this.#pending;
      const message = `${this.#source.port}: ${this.length} bytes came without ${what}`;
      this.#pending.reject(new PortError('input-overflow', this.#source.port, message, this.#evidence()));
    }
    this.#dropped += excess;
    this.#skip(excess);
  }

  /** Room for `count` more: by moving the unread bytes to the front, or into a buffer twice the size. */
  #makeRoom(count: number): void {
    const { length } = this;
    if (this.#end + count <= this.#buffer.length) return;
    let size = this.#buffer.length;
    // Moving pays only when at least half of the buffer has been read: so no byte is moved often.
    while (length + count > size / 2) size *= 2;
    const target = size === this.#buffer.length ? this.#buffer : new Uint8Array(size);
    target.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = target;
    this.#start = 0;
    this.#end = length;
  }

  #skip(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    // A buffer that once held megabytes is not kept for a line.
    if (this.#buffer.length > 1024 * 1024) this.#buffer = new Uint8Array(FIRST_SIZE);
  }

  #close(error: Error | undefined): void {
    this.#closed ??= error ?? lostError(this.#source.port, 'closed');
    this.#pending?.reject(this.#closed);
  }

  #timeout(what: string, timeoutMs: number): PortError {
    const rounded = Math.max(0, Math.round(timeoutMs));
    const message = `${this.#source.port}: no ${what} in ${rounded} ms, ${this.length} bytes came`;
    return new PortError('read-timeout', this.#source.port, message, {
      timeoutMs: rounded,
      ...this.#evidence(),
    });
  }

  #evidence(): { received: Uint8Array; receivedLength: number } {
    return { received: this.peek(EVIDENCE), receivedLength: this.length };
  }
}
