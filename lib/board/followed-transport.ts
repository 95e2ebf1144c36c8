/** A transport that stays the same while its board goes from port to port. */
import type {
  ModemLines,
  ReopenLimit,
  Transport,
  TransportKind,
  TransportListener,
  UsbIds,
} from '../transport/transport.ts';

/** The port that is open now, and what USB tells of it. */
export interface Opened {
  transport: Transport;
  usb: UsbIds;
}

/** Hands all on to the port that is open now; `reopen` puts another in its place. */
export class FollowedTransport implements Transport {
  readonly #openAgain: (limit: ReopenLimit) => Promise<Opened>;
  #now: Opened;
  #isClosed = false;

  constructor(now: Opened, openAgain: (limit: ReopenLimit) => Promise<Opened>) {
    this.#openAgain = openAgain;
    this.#now = now;
  }

  get kind(): TransportKind {
    return this.#now.transport.kind;
  }

  get port(): string {
    return this.#now.transport.port;
  }

  get baudRate(): number {
    return this.#now.transport.baudRate;
  }

  get hasModemLines(): boolean {
    return this.#now.transport.hasModemLines;
  }

  get hasRate(): boolean {
    return this.#now.transport.hasRate;
  }

  get usb(): UsbIds {
    return this.#now.usb;
  }

  async reopen(limit: ReopenLimit): Promise<void> {
    await this.#now.transport.close();
    const next = await this.#openAgain(limit);
    this.#now = next;
    if (this.#isClosed) await next.transport.close();
  }

  listen(listener: TransportListener): void {
    this.#now.transport.listen(listener);
  }

  write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#now.transport.write(bytes, signal);
  }

  drain(signal?: AbortSignal): Promise<void> {
    return this.#now.transport.drain(signal);
  }

  setBaudRate(baudRate: number): Promise<void> {
    return this.#now.transport.setBaudRate(baudRate);
  }

  setModemLines(lines: ModemLines): Promise<void> {
    return this.#now.transport.setModemLines(lines);
  }

  discardInput(): Promise<void> {
    return this.#now.transport.discardInput();
  }

  pause(): void {
    this.#now.transport.pause();
  }

  resume(): void {
    this.#now.transport.resume();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#now.transport.close();
  }
}
