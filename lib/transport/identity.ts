/**
 * A USB device by what stays the same when its port is renamed (COM7 → COM9, ttyUSB0 → ttyUSB1, the loader's
 * port → the program's): its serial number, or where it is plugged in. Written `usb:<serial or location>`.
 */
import { PortError } from './errors.ts';
import { listPorts } from './list.ts';
import type { PortInfo } from './port-info.ts';

const PREFIX = 'usb:';

/** What a device is known by, and the path it had last, which decides where several fit and serves where none does. */
export interface Binding {
  /** `usb:<serial or location>`; absent for a port that is known by its path alone. */
  device?: string | undefined;
  /** As the user writes it, see `openTransport`. */
  port: string;
}

/** How a port may be found again, or nothing where the system knows of no USB device behind it. */
export function deviceOf(port: PortInfo, among: readonly PortInfo[]): string | undefined {
  const { serialNumber, locationId } = port;
  // Makers that give all their adapters one number ("0001", "0") leave only the place to tell them apart.
  const isOwn = serialNumber !== undefined && plain(serialNumber).length > 4;
  const isAlone = among.every((other) => other.path === port.path || !hasSerial(other, serialNumber ?? ''));
  if (isOwn && isAlone) return PREFIX + serialNumber;
  return locationId === undefined ? undefined : PREFIX + locationId;
}

/** Those of the ports that are the device: by serial number, and where none has it by location. */
export function portsOf(device: string, ports: readonly PortInfo[]): PortInfo[] {
  const wanted = device.trim().slice(PREFIX.length);
  const there = ports.filter(({ present }) => present !== false);
  const bySerial = there.filter((port) => hasSerial(port, wanted));
  return bySerial.length > 0 ? bySerial : there.filter(({ locationId }) => locationId === wanted);
}

/**
 * The path a binding has now. Throws `PortError` 'port-missing' when the device is not there, and
 * 'port-ambiguous' when several fit and the last path is none of them.
 */
export async function presentPath(
  { device, port }: Binding,
  list: () => Promise<PortInfo[]> = listPorts,
): Promise<string> {
  const wanted = device?.trim() || (isDevice(port) ? port.trim() : undefined);
  if (wanted === undefined) return port;
  const last = isDevice(port) ? undefined : port.trim();
  // A machine that cannot list its ports can still open one by its path.
  const ports = await list().catch((error: unknown) => {
    if (last) return [];
    throw error;
  });
  const found = portsOf(wanted, ports);
  const same = found.find(({ path, byId }) => path === last || byId === last);
  const [first, second] = same ? [same] : found;
  if (second) {
    const paths = found.map(({ path }) => path).join(', ');
    throw new PortError('port-ambiguous', wanted, `${wanted} is ${paths}`, { paths });
  }
  if (first) return first.path;
  // Nothing else with a name of its own may be taken for the device; a path nobody knows by USB may.
  const taken = ports.find(({ path, byId }) => path === last || byId === last);
  if (last && !taken?.serialNumber && !taken?.locationId) return last;
  throw new PortError('port-missing', wanted, `${wanted} is not there`, { device: wanted });
}

/** Whether a port is written as a device. */
export function isDevice(port: string): boolean {
  return port.trim().toLowerCase().startsWith(PREFIX);
}

/** The ESP chips' own USB gives the MAC with colons in one mode and without them in another. */
function plain(serial: string): string {
  return serial.replaceAll(/[:.-]/g, '').toLowerCase();
}

function hasSerial({ serialNumber }: PortInfo, wanted: string): boolean {
  return serialNumber !== undefined && plain(serialNumber) === plain(wanted);
}
