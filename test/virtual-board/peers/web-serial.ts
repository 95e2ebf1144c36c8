/**
 * A Web Serial port over the plain RFC 2217 client: as much of it as esptool-js touches. It is given to
 * esptool-js as it would be given a port of the browser.
 */

import { PlainRfc2217Client } from './rfc2217-client.ts';

interface Signals {
  dataTerminalReady?: boolean;
  requestToSend?: boolean;
}

export class WebSerialPort {
  readonly #address: string;
  #client: PlainRfc2217Client | undefined;
  #dtr = true;
  #rts = true;
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;

  constructor(address: string) {
    this.#address = address;
  }

  getInfo(): Record<string, never> {
    return {};
  }

  async open({ baudRate }: { baudRate: number }): Promise<void> {
    const client = await PlainRfc2217Client.open(this.#address, baudRate);
    this.#client = client;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        client.onData = (bytes) => {
          controller.enqueue(bytes);
        };
      },
      cancel: () => {
        client.onData = () => undefined;
      },
    });
    this.writable = new WritableStream<Uint8Array>({
      write: (bytes) => {
        client.write(bytes);
      },
    });
  }

  setSignals(signals: Signals): Promise<void> {
    this.#dtr = signals.dataTerminalReady ?? this.#dtr;
    this.#rts = signals.requestToSend ?? this.#rts;
    this.#client?.setLines(this.#dtr, this.#rts);
    return Promise.resolve();
  }

  /** Not of Web Serial, but esptool-js uses it where a port has it: changes the rate in place. */
  async setBaudRate(baudRate: number): Promise<void> {
    await this.#client?.setBaudRate(baudRate);
  }

  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
    this.readable = null;
    this.writable = null;
  }
}
