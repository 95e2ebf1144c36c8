import type { Socket } from 'node:net';
import type { PortError } from './errors.ts';
import { Feed } from './feed.ts';
import type { RemoteName } from './port-name.ts';
import { connectTo, RemoteStream } from './remote-stream.ts';
import { DEFAULT_BAUD_RATE } from './transport.ts';
import type { OpenOptions, Transport, TransportListener } from './transport.ts';

/**
 * Opens a raw remote stream, as `ser2net` in raw mode, `esp-link` or a board's own socket offers it: bytes
 * only. No modem lines, and the rate is whatever the far end is set to.
 * Throws `PortError` `port-refused`, `open-timeout`, `port-open-failed`; the signal's reason when aborted.
 */
export async function openTcp(port: string, name: RemoteName, options: OpenOptions = {}): Promise<Transport> {
  const socket = await connectTo(port, name, options);
  return new TcpTransport(port, socket, options.baudRate ?? DEFAULT_BAUD_RATE);
}

class TcpTransport implements Transport {
  readonly kind = 'tcp';
  readonly port: string;
  readonly hasModemLines = false;
  readonly hasRate = false;
  readonly #stream: RemoteStream;
  readonly #feed = new Feed();
  #baudRate: number;
  #closing: Promise<void> | undefined;

  constructor(port: string, socket: Socket, baudRate: number) {
    this.port = port;
    this.#baudRate = baudRate;
    this.#stream = new RemoteStream(port, socket, {
      data: (bytes) => this.#feed.push(bytes),
      ended: (error?: PortError) => this.#feed.finish(error),
    });
  }

  /** As last asked for: nobody can say what the far end runs at. */
  get baudRate(): number {
    return this.#baudRate;
  }

  listen(listener: TransportListener): void {
    this.#feed.listen(listener);
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#stream.send(bytes, signal);
  }

  /** A write resolves when it has left this process; the far end tells no more. */
  drain(): Promise<void> {
    return this.#checked();
  }

  /** Remembered only: there is no way to tell the far end. */
  async setBaudRate(baudRate: number): Promise<void> {
    await this.#checked();
    this.#baudRate = baudRate;
  }

  setModemLines(): Promise<void> {
    return this.#checked();
  }

  async discardInput(): Promise<void> {
    this.#stream.mustBeOpen();
    // What the operating system already has is handed over within this turn of the event loop.
    await this.#feed.dropDuring(() => new Promise((resolve) => setImmediate(resolve)));
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): Promise<void> {
    this.#closing ??= this.#stream.close();
    return this.#closing;
  }

  #checked(): Promise<void> {
    return Promise.resolve().then(() => this.#stream.mustBeOpen());
  }
}
