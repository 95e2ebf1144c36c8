import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { messageOf } from '../errors/reason.ts';
import { connectingError, lostError, PortError } from './errors.ts';
import type { RemoteName } from './port-name.ts';
import { OPEN_TIMEOUT_MS, WRITE_TIMEOUT_MS } from './transport.ts';
import type { OpenOptions } from './transport.ts';
import { within } from './wait.ts';

/** How often an idle connection is checked by the operating system, in milliseconds. */
const KEEP_ALIVE_MS = 10_000;
/** How long a closing connection may take to send its last bytes. */
const CLOSE_TIMEOUT_MS = 1000;

/** What a remote stream tells: bytes, and its end (with an error unless we closed it). */
export interface RemoteListener {
  data(bytes: Uint8Array): void;
  ended(error?: PortError): void;
}

/** A TCP connection to a remote port: sends in order and with a deadline, reports its end once. */
export class RemoteStream {
  readonly port: string;
  readonly #socket: Socket;
  readonly #listener: RemoteListener;
  #lost: PortError | undefined;
  #ended = false;
  #reason: unknown;

  constructor(port: string, socket: Socket, listener: RemoteListener) {
    this.port = port;
    this.#socket = socket;
    this.#listener = listener;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', (bytes) => this.#listener.data(bytes));
    socket.on('error', (error) => (this.#reason = error));
    // The other side says that no more will come: for a port that is the end.
    socket.on('end', () => this.#end('the server closed the connection'));
    socket.on('close', () =>
      this.#end(this.#reason === undefined ? 'connection closed' : messageOf(this.#reason)),
    );
  }

  /** Throws `port-lost` once the connection has ended. */
  mustBeOpen(): void {
    if (this.#lost) throw this.#lost;
  }

  /**
   * Sends bytes; resolves when the operating system has taken them. Throws `port-lost`,
   * `write-timeout` after 10 s in which nothing at all could be sent, or the signal's reason.
   */
  async send(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.mustBeOpen();
    if (bytes.length === 0) return;
    const sent = new Promise<void>((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (!error) resolve();
        else reject(this.#lost ?? lostError(this.port, messageOf(error), error));
      });
    });
    const timeoutMs = WRITE_TIMEOUT_MS;
    const timeout = new PortError(
      'write-timeout',
      this.port,
      `${this.port} took no bytes for ${timeoutMs} ms`,
      { timeoutMs },
    );
    for (;;) {
      const queued = this.#socket.writableLength;
      try {
        await within(sent, { timeoutMs, signal, onTimeout: () => timeout });
        return;
      } catch (error) {
        if (error !== timeout || this.#socket.writableLength === queued) throw error;
      }
    }
  }

  /** Stops reading, so that the sender is held back by TCP. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends what is queued and ends the connection; never throws. */
  async close(): Promise<void> {
    this.#end(undefined);
    if (this.#socket.destroyed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.resume();
    this.#socket.end();
    const onTimeout = (): Error => new Error('slow close');
    await within(closed, { timeoutMs: CLOSE_TIMEOUT_MS, onTimeout }).catch(() => this.#socket.destroy());
  }

  /** `reason` is absent when we close it. */
  #end(reason: string | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lost = lostError(this.port, reason ?? 'closed', this.#reason);
    if (reason !== undefined) this.#socket.destroy();
    this.#listener.ended(reason === undefined ? undefined : this.#lost);
  }
}

/**
 * Connects. Throws `PortError` `port-refused` (no one there, or not let in), `open-timeout`,
 * `port-open-failed`; the signal's reason when aborted.
 */
export async function connectTo(port: string, name: RemoteName, options: OpenOptions): Promise<Socket> {
  const { signal, timeoutMs = OPEN_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const socket = connect({ host: name.host, port: name.port, noDelay: true });
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.on('error', reject);
  });
  const onTimeout = (): Error =>
    new PortError('open-timeout', port, `${port} did not answer in ${timeoutMs} ms`, {
      stage: 'connect',
      timeoutMs,
    });
  try {
    await within(connected, { timeoutMs, signal, onTimeout });
    return socket;
  } catch (error) {
    socket.destroy();
    if (signal?.aborted) throw error;
    throw connectingError(port, error);
  }
}
