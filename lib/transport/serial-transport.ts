import { messageOf } from '../errors/reason.ts';
import { lostError, PortError } from './errors.ts';
import { Feed } from './feed.ts';
import { closingSteps, lineSteps } from './line-steps.ts';
import type { PollerLike, SerialHandle } from './serial-binding.ts';
import { readPort } from './serial-read.ts';
import { WRITE_TIMEOUT_MS } from './transport.ts';
import type { ModemLines, OpenOptions, Transport, TransportListener } from './transport.ts';
import { within } from './wait.ts';

/** In which state the port was opened. */
export interface SerialStart {
  platform: NodeJS.Platform;
  baudRate: number;
  lines: ModemLines;
  options: OpenOptions;
}

const CLOSE_TIMEOUT_MS = 3000;
const READ_SIZE = 64 * 1024;
/** Two rates nearer than this share are one: bytes still pass, and dividers are never exact. */
const RATE_TOLERANCE = 0.03;

/** A port of this machine over the serial library's binding layer. */
export class SerialTransport implements Transport {
  readonly kind = 'serial';
  readonly port: string;
  readonly #handle: SerialHandle;
  readonly #platform: NodeJS.Platform;
  readonly #options: OpenOptions;
  readonly #feed = new Feed();
  #baudRate: number;
  #lines: ModemLines;
  readonly hasRate = true;
  #hasModemLines = true;
  /** Resolves when the write before is through; the next one waits for it. */
  #writing: Promise<void> = Promise.resolve();
  #lost: PortError | undefined;
  #closing: Promise<void> | undefined;
  /** Pieces the port has taken; a wait is only over when none was taken in its time. */
  #taken = 0;
  #paused = false;
  #wake: (() => void) | undefined;

  constructor(port: string, handle: SerialHandle, start: SerialStart) {
    this.port = port;
    this.#handle = handle;
    this.#platform = start.platform;
    this.#baudRate = start.baudRate;
    this.#lines = start.lines;
    this.#options = start.options;
    if (handle.poller) keepBothDirections(handle.poller);
    void this.#readAll();
  }

  get baudRate(): number {
    return this.#baudRate;
  }

  get hasModemLines(): boolean {
    return this.#hasModemLines;
  }

  listen(listener: TransportListener): void {
    this.#feed.listen(listener);
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const before = this.#writing;
    let release = (): void => undefined;
    this.#writing = new Promise((resolve) => (release = resolve));
    // A piece is at most a second's worth, so that "nothing taken" is seen also at a low rate.
    const piece = Math.min(16_384, Math.max(256, Math.floor(this.#baudRate / 10)));
    let last: Promise<void> = before;
    try {
      await this.#untilTaken(before, signal);
      for (let at = 0; at < bytes.length; at += piece) {
        signal?.throwIfAborted();
        this.#mustBeOpen();
        const part = bytes.subarray(at, at + piece);
        last = this.#handle.write(Buffer.from(part.buffer, part.byteOffset, part.byteLength));
        await this.#untilTaken(last, signal);
        this.#taken++;
      }
    } finally {
      // The next write may only start when the library is through with this one, even if we gave up on it.
      last.then(release, release);
    }
  }

  async drain(signal?: AbortSignal): Promise<void> {
    this.#mustBeOpen();
    await this.#untilTaken(this.#writing, signal);
    // Up to 64 KiB may wait in the driver, and they take their time on the line.
    await this.#untilTaken(
      this.#handle.drain(),
      signal,
      WRITE_TIMEOUT_MS + (65_536 * 10_000) / this.#baudRate,
    );
  }

  async setBaudRate(baudRate: number): Promise<void> {
    await this.drain();
    try {
      await this.#handle.update({ baudRate });
      const real = await this.#realRate();
      if (real !== undefined && Math.abs(real - baudRate) > baudRate * RATE_TOLERANCE) {
        throw new PortError('baud-refused', this.port, `${this.port} runs at ${real}, not ${baudRate}`, {
          baudRate,
          real,
        });
      }
      this.#baudRate = baudRate;
    } catch (error) {
      this.#mustBeOpen();
      if (error instanceof PortError) throw error;
      const reason = messageOf(error);
      throw new PortError(
        'baud-refused',
        this.port,
        `${this.port}: ${baudRate}: ${reason}`,
        { baudRate, reason },
        error,
      );
    }
  }

  /** The rate in force as the driver tells it; only Linux does. */
  async #realRate(): Promise<number | undefined> {
    if (this.#platform !== 'linux') return undefined;
    const { baudRate } = await this.#handle.getBaudRate();
    return baudRate > 0 ? baudRate : undefined;
  }

  async setModemLines(lines: ModemLines): Promise<void> {
    this.#mustBeOpen();
    for (const step of lineSteps(this.#platform, this.#lines, lines)) {
      if (!this.#hasModemLines) return;
      await this.#setLines(step);
    }
  }

  async #setLines({ dtr, rts }: ModemLines): Promise<void> {
    try {
      // Left out, a flag would be set to the library's default (dtr and rts true).
      await this.#handle.set({ dtr, rts, brk: false, cts: false, dsr: false, lowLatency: true });
      this.#lines = { dtr, rts };
    } catch (error) {
      const reason = messageOf(error);
      // ENOTTY (a pty, some bridges), EINVAL (some drivers), EOPNOTSUPP: since 2023 Linux's cdc-acm driver
      // refuses to touch BREAK on devices that do not announce it, and bindings-cpp 13 clears BREAK before
      // it gets to the lines (serialport/bindings-cpp#229), so a native USB port keeps those it opened with.
      if (!/inappropriate ioctl|invalid argument|not supported|not implemented/i.test(reason)) {
        this.#mustBeOpen();
        throw new PortError(
          'port-lost',
          this.port,
          `${this.port}: lines cannot be set: ${reason}`,
          { reason },
          error,
        );
      }
      this.#hasModemLines = false;
      const detail = `DTR and RTS do not reach the device (${reason})`;
      this.#options.onWarning?.({ code: 'no-modem-lines', port: this.port, detail });
    }
  }

  async discardInput(): Promise<void> {
    // The operating system's flush drops both directions, so what is to be sent goes first.
    await this.drain();
    await this.#feed.dropDuring(async () => {
      await this.#handle.flush();
      // A read that was already through hands its bytes over within this turn of the event loop.
      await new Promise<void>((resolve) => setImmediate(resolve));
    });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const lost = this.#lost !== undefined;
    const lines = this.#hasModemLines && !lost ? closingSteps(this.#lines) : [];
    for (const step of lines) await this.#setLines(step).catch(() => undefined);
    this.#lost ??= new PortError('port-lost', this.port, `${this.port} is closed`, { reason: 'closed' });
    this.#feed.finish();
    this.resume();
    // A driver may hold a close back for 30 s while output is stuck; it ends by itself, unwatched.
    const onTimeout = (): Error => new Error('slow close');
    await within(this.#handle.close(), { timeoutMs: CLOSE_TIMEOUT_MS, onTimeout }).catch(() => undefined);
  }

  /** Reads as long as the port lives. */
  async #readAll(): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
    while (!this.#lost) {
      if (this.#paused) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      try {
        const bytesRead = await readPort(this.#handle, buffer);
        this.#feed.push(Uint8Array.prototype.slice.call(buffer, 0, bytesRead));
      } catch (error) {
        await this.#lose(error);
      }
    }
  }

  /** The device went away under us: tell it, and give the descriptor back. */
  async #lose(error: unknown): Promise<void> {
    if (this.#lost) return;
    this.#lost = lostError(this.port, messageOf(error), error);
    this.#feed.finish(this.#lost);
    await this.close();
  }

  async #untilTaken(work: Promise<void>, signal?: AbortSignal, timeoutMs = WRITE_TIMEOUT_MS): Promise<void> {
    const timeout = new PortError(
      'write-timeout',
      this.port,
      `${this.port} took no bytes for ${timeoutMs} ms`,
      { timeoutMs },
    );
    for (;;) {
      const taken = this.#taken;
      try {
        await within(work, { timeoutMs, signal, onTimeout: () => timeout });
        return;
      } catch (error) {
        if (error === timeout && this.#taken !== taken) continue;
        if (error instanceof PortError || signal?.aborted) throw error;
        await this.#lose(error);
        this.#mustBeOpen();
      }
    }
  }

  #mustBeOpen(): void {
    if (this.#lost) throw this.#lost;
  }
}

const READABLE = 1;
const WRITABLE = 2;

/**
 * bindings-cpp 13 polls for one direction at a time: a write that waits turns off the wake-up of the read
 * that waits, and if the device takes no more before its own output is read, both wait for ever. Every
 * poll therefore asks for all that is waited for.
 */
function keepBothDirections(poller: PollerLike): void {
  const poll = poller.poll.bind(poller);
  poller.poll = (events) => {
    const reading = poller.listenerCount('readable') > 0 ? READABLE : 0;
    const writing = poller.listenerCount('writable') > 0 ? WRITABLE : 0;
    poll(events | reading | writing);
  };
}
