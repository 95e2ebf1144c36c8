import type { ModemLines } from './transport.ts';

/** What is used of the serial library, as far as our code sees it. The library itself: `serial.ts`. */

/** What is used of an open port of the serial library's binding layer. */
export interface SerialHandle {
  read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }>;
  write(buffer: Buffer): Promise<void>;
  update(options: { baudRate: number }): Promise<void>;
  set(flags: LineFlags): Promise<void>;
  getBaudRate(): Promise<{ baudRate: number }>;
  flush(): Promise<void>;
  drain(): Promise<void>;
  close(): Promise<void>;
  /** Both on Unix only. The descriptor is `null` once it is closed. */
  readonly poller?: PollerLike;
  readonly fd?: number | null;
}

/** `lowLatency` is Linux only: the 1 ms latency timer of FTDI adapters instead of 16 ms; a wish, never an error. */
export interface LineFlags extends ModemLines {
  brk: boolean;
  cts: boolean;
  dsr: boolean;
  lowLatency: boolean;
}

export interface SerialBinding {
  open(options: { path: string; baudRate: number; lock: boolean; hupcl: boolean }): Promise<SerialHandle>;
  list(): Promise<SerialListing[]>;
}

/** A port as the serial library lists it; `friendlyName` on Windows only. */
export interface SerialListing {
  path: string;
  manufacturer?: string | undefined;
  serialNumber?: string | undefined;
  pnpId?: string | undefined;
  locationId?: string | undefined;
  productId?: string | undefined;
  vendorId?: string | undefined;
  friendlyName?: string | undefined;
}

export interface PollerLike {
  poll(events: number): void;
  listenerCount(name: string): number;
  once(name: 'readable', listener: (error: Error | null) => void): unknown;
}
