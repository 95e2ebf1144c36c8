/** The port of one board among many, in the few characters that a node's status has. */

/** Longer ones (`/dev/serial/by-id/…`) tell boards apart at their end. */
const LONGEST = 18;

/** `ttyUSB3`, `COM7`, `bench:2217`; `undefined` where `msg.port` names none. */
export function portLabel(port: unknown): string | undefined {
  if (typeof port !== 'string' || port.trim() === '') return undefined;
  const name = port
    .trim()
    .replace(/^(?:\w+:\/\/|usb:)/i, '')
    .replace(/\/+$|-if\d+(?:-port\d+)?$/, '')
    .split('/')
    .at(-1);
  if (!name) return undefined;
  return name.length > LONGEST ? `…${name.slice(1 - LONGEST)}` : name;
}
