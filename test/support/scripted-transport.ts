/** A transport whose far end is a function: for conversations that were recorded, and for odd firmware. */
import { Feed } from '../../lib/transport/feed.ts';
import type { ModemLines, Transport, TransportListener } from '../../lib/transport/transport.ts';

/** Hears what is written, answers through `say`. */
export type FarEnd = (bytes: Uint8Array, say: (bytes: Uint8Array | string) => void) => void;

export class ScriptedTransport implements Transport {
  readonly kind = 'serial';
  readonly port = 'COM3';
  baudRate = 115200;
  hasModemLines = true;
  hasRate = true;
  /** Everything written so far, and every setting of the lines. */
  written: Uint8Array = new Uint8Array();
  readonly lines: ModemLines[] = [];
  readonly #feed = new Feed();
  readonly #farEnd: FarEnd;

  constructor(farEnd: FarEnd = () => undefined) {
    this.#farEnd = farEnd;
  }

  /** The far end speaks without being asked. Text is one byte a character. */
  say(bytes: Uint8Array | string): void {
    this.#feed.push(Uint8Array.from(Buffer.from(bytes as string, 'latin1')));
  }

  /** The port goes away. */
  lose(error: Error): void {
    this.#feed.finish(error);
  }

  listen(listener: TransportListener): void {
    this.#feed.listen(listener);
  }

  write(bytes: Uint8Array): Promise<void> {
    this.written = Buffer.concat([this.written, bytes]);
    const copy = Uint8Array.from(bytes);
    setImmediate(() => this.#farEnd(copy, (answer) => this.say(answer)));
    return Promise.resolve();
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  setBaudRate(baudRate: number): Promise<void> {
    this.baudRate = baudRate;
    return Promise.resolve();
  }

  setModemLines(lines: ModemLines): Promise<void> {
    this.lines.push({ dtr: lines.dtr, rts: lines.rts });
    return Promise.resolve();
  }

  discardInput(): Promise<void> {
    this.#feed.forget();
    return Promise.resolve();
  }

  pause(): void {
    // Nothing to hold back.
  }

  resume(): void {
    // Nothing to let go.
  }

  close(): Promise<void> {
    this.#feed.finish();
    return Promise.resolve();
  }
}
