/**
 * The least an RFC 2217 client can be, for trying the board without the package's own transport: it
 * agrees to what the server offers, sends its settings and does not wait for answers it does not need.
 */

import { connect, type Socket } from 'node:net';

const IAC = 255;
const DO = 253;
const WILL = 251;
const SB = 250;
const SE = 240;
const COM_PORT = 44;

export class PlainRfc2217Client {
  readonly #socket: Socket;
  #pending: number[] = [];
  #answers = new Map<number, ((value: Uint8Array) => void)[]>();
  #rest: Uint8Array = new Uint8Array(0);
  /** Bytes of the board, as they come. */
  onData: (bytes: Uint8Array) => void = () => undefined;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#take(chunk);
    });
    socket.on('error', () => {
      socket.destroy();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
  }

  /** `rfc2217://host:port` */
  static open(port: string, baudRate = 115200): Promise<PlainRfc2217Client> {
    const { hostname, port: number } = new URL(port);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(number), noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        const client = new PlainRfc2217Client(socket);
        socket.write(Uint8Array.of(IAC, WILL, COM_PORT, IAC, WILL, 0, IAC, DO, 0));
        void client.setBaudRate(baudRate).then(() => {
          resolve(client);
        });
        void client.closed.then(() => {
          reject(new Error('the server hung up'));
        });
      });
    });
  }

  write(bytes: Uint8Array): void {
    const out: number[] = [];
    for (const byte of bytes) {
      out.push(byte);
      if (byte === IAC) out.push(IAC);
    }
    this.#socket.write(Uint8Array.from(out));
  }

  async setBaudRate(baudRate: number): Promise<void> {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(baudRate);
    await this.command(1, ...value);
  }

  /** Both lines in one packet, DTR first. */
  setLines(dtr: boolean, rts: boolean): void {
    this.#send(5, dtr ? 8 : 9);
    this.#send(5, rts ? 11 : 12);
  }

  /** Sends a COM-PORT command and waits for its answer. */
  command(command: number, ...value: number[]): Promise<Uint8Array> {
    return new Promise((resolve) => {
      const waiting = this.#answers.get(command + 100) ?? [];
      this.#answers.set(command + 100, [...waiting, resolve]);
      this.#send(command, ...value);
    });
  }

  /** A command without waiting. */
  #send(command: number, ...value: number[]): void {
    const escaped = value.flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte]));
    this.#socket.write(Uint8Array.of(IAC, SB, COM_PORT, command, ...escaped, IAC, SE));
  }

  notify(command: number, ...value: number[]): void {
    this.#send(command, ...value);
  }

  close(): Promise<void> {
    this.#socket.end();
    this.#socket.destroySoon();
    return this.closed;
  }

  #take(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const used = this.#step(bytes, at);
      if (used === 0) break;
      at += used;
    }
    this.#rest = bytes.subarray(at);
    if (this.#pending.length > 0) this.onData(Uint8Array.from(this.#pending));
    this.#pending = [];
  }

  /** Handles what stands at `at`; returns its length, 0 when more has to come first. */
  #step(bytes: Buffer, at: number): number {
    if (bytes[at] !== IAC) {
      this.#pending.push(bytes[at] ?? 0);
      return 1;
    }
    const verb = bytes[at + 1];
    if (verb === undefined) return 0;
    if (verb === IAC) {
      this.#pending.push(IAC);
      return 2;
    }
    if (verb !== SB) return bytes.length >= at + 3 ? 3 : 0;
    const value: number[] = [];
    let end = at + 4;
    while (bytes[end] !== IAC || bytes[end + 1] === IAC) {
      if (end >= bytes.length) return 0;
      value.push(bytes[end] ?? 0);
      end += bytes[end] === IAC ? 2 : 1;
    }
    if (end + 1 >= bytes.length) return 0;
    this.#answers.get(bytes[at + 3] ?? 0)?.shift()?.(Uint8Array.from(value));
    return end + 2 - at;
  }
}
