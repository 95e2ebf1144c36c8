/**
 * Bytes and modem lines of one open port: the narrow interface under everything else.
 *
 * Implementations: `serial` (a port of this machine), `rfc2217` (a remote port with lines),
 * `tcp` (a raw remote stream). `openTransport` chooses. Reading with deadlines is done by `Inbox` on top.
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
  /**
   * The port is gone (unplugged, connection lost, closed). Called once. `error` (a `PortError` with code
   * `port-lost`) is absent after `close()`.
   */
  closed(error?: Error): void;
}

/** Something about a port that is worth one line in a log and does not stop the work. */
export interface TransportWarning {
  code:
    /** DTR and RTS do not reach the device: no automatic reset. */
    | 'no-modem-lines'
    /** The remote server does not say which rate it set. */
    | 'baud-unconfirmed'
    /** The remote end speaks telnet without a binary channel: some bytes may not pass. */
    | 'not-binary';
  /** The port as the user wrote it. */
  port: string;
  /** A plain sentence for a log. */
  detail: string;
}

/** USB vendor and product number, four hexadecimal digits in lower case. */
export interface UsbIds {
  vendorId?: string;
  productId?: string;
}

/** How long a board that went away is waited for. */
export interface ReopenLimit {
  timeoutMs: number;
  signal: AbortSignal;
}

export interface Transport {
  readonly kind: TransportKind;
  /** The port as the user wrote it: `COM3`, `/dev/ttyUSB0`, `rfc2217://host:port`, `tcp://host:port`. */
  readonly port: string;
  /** Bits per second now in force on the line; 10 bits carry one byte. */
  readonly baudRate: number;
  /**
   * Whether DTR and RTS reach the device, as far as known. Becomes `false` when an attempt to set them
   * shows that the port has none (a pty answers ENOTTY), usually while opening; a `tcp` port never has them.
   */
  readonly hasModemLines: boolean;
  /** Whether `setBaudRate` reaches the line: the far end of a raw stream keeps the rate it has. */
  readonly hasRate: boolean;

  /** What the list of ports knows of a local port now; boards with native USB change it in their loader. */
  readonly usb?: UsbIds;

  /**
   * Who hears the bytes; takes the place of the listener before. Bytes that came while no one listened
   * are kept (the last 256 KiB) and handed over at once, and so is the end of the port.
   */
  listen(listener: TransportListener): void;
  /**
   * Hands bytes to the port, in the order of the calls; resolves when the operating system or the peer
   * has taken them (not when they are on the wire). The bytes must not be changed before that. Throws
   * `PortError` with code `port-lost` when the port is gone, `write-timeout` when nothing is taken for
   * 10 s, or the signal's reason: what had been handed over by then may still go out.
   */
  write(bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * Resolves when what was written has left this machine as far as the port can tell.
   * Throws like `write`.
   */
  drain(signal?: AbortSignal): Promise<void>;
  /**
   * Changes the line rate. Bytes written before are sent first; bytes received before and not yet heard
   * may be lost (that is how operating systems change a rate). Throws `PortError` with code
   * `baud-refused` when the port says that it runs at another rate: the one before stays noted.
   */
  setBaudRate(baudRate: number): Promise<void>;
  /** Sets both lines in one step where the port can. Without lines: resolves and does nothing. */
  setModemLines(lines: ModemLines): Promise<void>;
  /** Drops received bytes: those kept, and those still underway in the operating system or the peer. */
  discardInput(): Promise<void>;
  /**
   * Asks the far end to hold or resume its stream (RFC 2217 flow-control suspend/resume, or by not
   * reading from the port). A request: bytes that are on their way still come.
   */
  pause(): void;
  resume(): void;
  /**
   * Closes the port, RTS released before DTR so that no board is reset or left in the loader by it.
   * Never throws; a second call waits for the first.
   */
  close(): Promise<void>;
  /**
   * Opens the same board again, under whatever name it comes back; who listens must say so anew. Only on
   * transports that follow their board. Throws `PortError` 'port-not-back' when it does not come in time,
   * or the signal's reason.
   */
  reopen?(limit: ReopenLimit): Promise<void>;
}

/** How a port is opened. */
export interface OpenOptions {
  /** Bits per second, default 115200. */
  baudRate?: number | undefined;
  /**
   * Lines after opening. Default on a local port: both asserted, which is idle for the reset circuit and
   * what native USB needs. Default on an `rfc2217` port: as the server has them. Servers open their port
   * with both asserted anyway, and Espressif's own server takes "DTR on" as the order to enter the loader.
   */
  idleLines?: ModemLines | undefined;
  /** Milliseconds until opening is given up, default 5000. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Hears at most one warning of each code per port. */
  onWarning?: ((warning: TransportWarning) => void) | undefined;
}

/** Bits per second of the mask ROM's loader, the MicroPython REPL and most programs. */
export const DEFAULT_BAUD_RATE = 115200;
/** Milliseconds until opening is given up. */
export const OPEN_TIMEOUT_MS = 5000;
/** Milliseconds without one byte taken until a write is given up (esptool waits as long). */
export const WRITE_TIMEOUT_MS = 10_000;
