import { PortError } from './errors.ts';
import { isDevice } from './identity.ts';

/** A port as written, taken apart. */
export type PortName = SerialName | UsbName | RemoteName;

export interface SerialName {
  kind: 'serial';
  /** What the operating system opens: `COM3`, `/dev/ttyUSB0`. */
  path: string;
}

export interface UsbName {
  kind: 'usb';
  /** `usb:<serial or location>`, see `presentPath`. */
  device: string;
}

export interface RemoteName {
  kind: 'rfc2217' | 'tcp';
  /** Host name or address, an IPv6 address without its brackets. */
  host: string;
  /** TCP port, 1…65535. */
  port: number;
}

/** The port number servers of RFC 2217 listen on by custom; esp_rfc2217_server has it as its default. */
const RFC2217_PORT = 2217;

/** Query words pyserial users carry in their URLs; nothing here depends on them, so they do no harm. */
const PYSERIAL_WORDS = new Set(['ign_set_control', 'poll_modem', 'timeout', 'logging']);

/**
 * Takes a port as written apart. Spaces around it do not matter; `ttyUSB0` stands for `/dev/ttyUSB0`
 * and `socket://` (pyserial's word) for `tcp://`.
 * Throws `PortError` with code `no-port-chosen` or `bad-port-name` (`facts.problem`).
 */
export function parsePortName(port: string): PortName {
  const text = port.trim();
  if (text === '') throw new PortError('no-port-chosen', '', 'no port chosen');
  if (isDevice(text)) return parseDevice(text);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) return parseRemote(text, scheme);
  return { kind: 'serial', path: parsePath(text) };
}

function parseDevice(text: string): UsbName {
  const device = text.replace(/^usb:\s*/i, 'usb:');
  if (device === 'usb:') throw bad(text, 'the serial number or location is missing');
  return { kind: 'usb', device };
}

function parsePath(text: string): string {
  if (/^(\\\\\.\\)?com\d{1,3}:?$/i.test(text)) {
    return text
      .replace(/^\\\\\.\\/, '')
      .replace(/:$/, '')
      .toUpperCase();
  }
  if (/[\0-\x1f\x7f]/.test(text)) throw bad(text, 'control characters in it');
  if (text.startsWith('/')) {
    if (text.endsWith('/')) throw bad(text, 'a folder, not a device');
    return text;
  }
  if (/^(tty|cu\.|rfcomm)[\w.-]*$/.test(text)) return `/dev/${text}`;
  throw bad(text, 'neither COM3, /dev/ttyUSB0, usb:serial, rfc2217://host:port nor tcp://host:port');
}

function parseRemote(text: string, scheme: string): RemoteName {
  const kind = scheme === 'rfc2217' ? 'rfc2217' : scheme === 'tcp' || scheme === 'socket' ? 'tcp' : undefined;
  if (kind === undefined) throw bad(text, `unknown kind ${scheme}://`);

  const rest = text.slice(scheme.length + '://'.length);
  const parts = /^([^/?#]*)\/?(?:\?([^#]*))?$/.exec(rest);
  if (!parts) throw bad(text, 'something follows the host and port');
  for (const word of (parts[2] ?? '').split('&')) {
    const name = word.split('=', 1)[0] ?? '';
    if (name !== '' && !PYSERIAL_WORDS.has(name)) throw bad(text, `unknown option ${name}`);
  }

  const address = /^(?:\[([0-9a-f:.%\w]+)\]|([^:[\]@\s]*))(?::([^:]*))?$/i.exec(parts[1] ?? '');
  if (!address) throw bad(text, 'host and port cannot be told apart (an IPv6 address stands in brackets)');
  const host = address[1] ?? address[2] ?? '';
  if (host === '') throw bad(text, 'the host is missing');
  const digits = address[3];
  if (digits === undefined || digits === '') {
    if (kind === 'tcp') throw bad(text, 'the port number is missing');
    return { kind, host, port: RFC2217_PORT };
  }
  const number = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (number < 1 || number > 65535) throw bad(text, `${digits} is no port number (1 to 65535)`);
  return { kind, host, port: number };
}

function bad(text: string, problem: string): PortError {
  return new PortError('bad-port-name', text, `not a port: ${text}: ${problem}`, { problem });
}
