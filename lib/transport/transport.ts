/**
 * Bytes and modem lines of one open port: the narrow interface under everything else.
 *
 * Implementations: `serial` (a port of this machine), `rfc2217` (a remote port with lines),
 * `tcp` (a raw remote stream). Reading with deadlines is done by `Inbox` on top.
 */

/** The two modem lines a DevKit's reset circuit hangs on. `true` = asserted (electrically low). */
export interface ModemLines {
  /** On the usual two-transistor circuit: DTR asserted alone pulls IO0 low (loader at the next reset). */
  dtr: boolean;
  /** RTS asserted alone pulls EN low (the chip is held in reset). */
  rts: boolean;
}

export type TransportKind = 'serial' | 'rfc2217' | 'tcp';

/** What a transport tells, once each byte or the end has come. At most one listener: the owner. */
export interface TransportListener {
  /** Bytes from the device, in order. The buffer belongs to the listener from then on. */
  data(bytes: Uint8Array): void;
  /** The port is gone (unplugged, connection lost, closed). Called once. `error` is absent after `close()`. */
  closed(error?: Error): void;
}

export interface Transport {
  readonly kind: TransportKind;
  /** The port as the user wrote it: `COM3`, `/dev/ttyUSB0`, `rfc2217://host:port`, `tcp://host:port`. */
  readonly port: string;
  /** Bits per second now in force on the line; 10 bits carry one byte. */
  readonly baudRate: number;
  /**
   * Whether DTR and RTS reach the device. Becomes `false` when the first attempt shows that the port
   * has none (a pty answers ENOTTY); a `tcp` port never has them.
   */
  readonly hasModemLines: boolean;

  /** Who hears the bytes. Bytes that came before are kept and handed over at once. */
  listen(listener: TransportListener): void;
  /**
   * Hands bytes to the port; resolves when the operating system or the peer has taken them
   * (not when they are on the wire). Throws `PortError` with code `port-lost` when the port is gone,
   * `write-timeout` when nothing is taken for 10 s.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when what was written has left this machine as far as the port can tell. */
  drain(): Promise<void>;
  /** Changes the line rate. Bytes written before are sent first. */
  setBaudRate(baudRate: number): Promise<void>;
  /** Sets both lines in one step where the port can. Without lines: resolves and does nothing. */
  setModemLines(lines: ModemLines): Promise<void>;
  /** Drops received bytes which are still underway in the operating system or the peer. */
  discardInput(): Promise<void>;
  /**
   * Asks the far end to hold or resume its stream (RFC 2217 flow-control suspend/resume, or by not
   * reading from a local port). */
  pause(): void;
  resume(): void;
  /** Closes the port, RTS released before DTR so that no board is reset or left in the loader by it. */
  close(): Promise<void>;
}

/** How a port is opened. */
export interface OpenOptions {
  /** Bits per second, default 115200. */
  baudRate?: number;
  /** Lines after opening, default both asserted: idle for the reset circuit and what native USB needs. */
  idleLines?: ModemLines;
  /** Milliseconds until opening is given up, default 5000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}
