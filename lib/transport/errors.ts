/**
 * What can go wrong with a port, as one class with a code.
 *
 * Messages are plain facts for a log. What a person reads, and what they can do about it, is made on a
 * higher floor from `code` and `facts`.
 */
import { CodedError } from '../errors/coded-error.ts';
import { messageOf } from '../errors/reason.ts';

export type PortErrorCode =
  /** The port is an empty text. */
  | 'no-port-chosen'
  /** The text is not a port: `COM3`, `/dev/ttyUSB0`, `rfc2217://host:port`, `tcp://host:port`. */
  | 'bad-port-name'
  /** No such device file or COM port. */
  | 'port-missing'
  /** Several ports fit the USB device that is asked for; `facts.paths` has them. */
  | 'port-ambiguous'
  /** Another program, or another open of ours, has the port. Facts, where Linux tells: `program`, `pid`. */
  | 'port-busy'
  /** The user this process runs as may not open it. */
  | 'port-permission'
  /** It was open and is gone: unplugged, connection lost, or closed by us while in use. */
  | 'port-lost'
  /** It went away and did not come back in time, under whatever name. Facts: `waitedMs`, `reason`. */
  | 'port-not-back'
  /** A remote port could not be reached, or would not take us. */
  | 'port-refused'
  /** Opening failed for another reason; `facts.reason` says which. */
  | 'port-open-failed'
  /** Opening took longer than allowed; `facts.stage` says where it stood. */
  | 'open-timeout'
  /** The port took no bytes for the time allowed. */
  | 'write-timeout'
  /** The port does not run at the rate asked for. */
  | 'baud-refused'
  /** The bytes waited for did not come; `facts.received` holds the last of what did. */
  | 'read-timeout'
  /** More came than the inbox holds while someone waited for an end that did not come. */
  | 'input-overflow';

/** Small values about the failure, for messages and logs. */
export type PortFacts = Readonly<Record<string, string | number | boolean | Uint8Array | null | undefined>>;

export class PortError extends CodedError<PortErrorCode> {
  /** The port as the user wrote it; empty where none was chosen. Also one of the facts. */
  readonly port: string;

  constructor(code: PortErrorCode, port: string, message: string, facts: PortFacts = {}, cause?: unknown) {
    super(code, message, { port, ...facts }, cause);
    this.port = port;
  }
}

/**
 * What the serial library says, which gives its errors no code: the words of `strerror` on Unix
 * (`Error: No such file or directory, cannot open /dev/x`) and a few of its own on Windows
 * (`Opening COM7: File not found`, `Opening COM7: Unknown error code 31`).
 * 31 is ERROR_GEN_FAILURE (the driver lost the device), 433 ERROR_NO_SUCH_DEVICE, 121 a semaphore
 * time-out (a Bluetooth port without its device), 170 ERROR_BUSY, 22 ERROR_BAD_COMMAND and 1167
 * ERROR_DEVICE_NOT_CONNECTED.
 */
const OPENING: readonly (readonly [RegExp, PortErrorCode])[] = [
  [
    /cannot lock port|resource temporarily unavailable|resource busy|device busy|Unknown error code 170\b/i,
    'port-busy',
  ],
  [/permission denied|operation not permitted/i, 'port-permission'],
  // Share mode 0: a COM port that another program has open answers the same as one that is forbidden.
  [/access (is )?denied/i, 'port-busy'],
  [/no such file|file not found|no such device|Unknown error code (2|3|31|433|1167)\b/i, 'port-missing'],
  [/Unknown error code 121\b|timed out/i, 'open-timeout'],
  [/baud rate/i, 'baud-refused'],
];

/** The error of opening a local port, from whatever the serial library threw. */
export function openingError(port: string, thrown: unknown, facts: PortFacts = {}): PortError {
  if (thrown instanceof PortError) return thrown;
  const reason = messageOf(thrown);
  // A path that is no serial port at all fails while its rate is set: that says nothing about the rate.
  const noSerialPort = /inappropriate ioctl|is a directory|not a typewriter/i.test(reason);
  const code = noSerialPort
    ? 'port-open-failed'
    : (OPENING.find(([words]) => words.test(reason))?.[1] ?? 'port-open-failed');
  return new PortError(
    code,
    port,
    `cannot open ${port}: ${reason}`,
    { reason, noSerialPort, ...facts },
    thrown,
  );
}

/** Errors of a connection attempt that mean "no one there" or "not let in" rather than a fault of ours. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_NODATA',
  'EAI_NONAME',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
]);

/** The operating system's code of an error, also out of the several attempts of one connection. */
function systemCodeOf(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  if (error instanceof AggregateError) {
    for (const each of error.errors) {
      const code = systemCodeOf(each);
      if (code !== undefined) return code;
    }
  }
  return undefined;
}

/** The error of connecting to a remote port. */
export function connectingError(port: string, thrown: unknown): PortError {
  if (thrown instanceof PortError) return thrown;
  const systemCode = systemCodeOf(thrown);
  const code = systemCode !== undefined && UNREACHABLE.has(systemCode) ? 'port-refused' : 'port-open-failed';
  const reason = messageOf(thrown) || (systemCode ?? 'connection failed');
  return new PortError(code, port, `cannot connect to ${port}: ${reason}`, { reason, systemCode }, thrown);
}

/** Whether the port is gone, as when a board is pulled or restarts its own USB. */
export function isLost(error: unknown): error is PortError {
  return error instanceof PortError && error.code === 'port-lost';
}

/** Whether the port does not run at the rate it was asked for. */
export function isRateRefused(error: unknown): error is PortError {
  return error instanceof PortError && error.code === 'baud-refused';
}

/** The error of a port that was open and is gone. */
export function lostError(port: string, reason: string, cause?: unknown): PortError {
  return new PortError('port-lost', port, `${port} is gone: ${reason}`, { reason }, cause);
}
