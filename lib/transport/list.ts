import { adapterOf } from './adapters.ts';
import { messageOf } from '../errors/reason.ts';
import { PortError } from './errors.ts';
import { listLinuxPorts } from './list-linux.ts';
import { compact } from './port-info.ts';
import type { PortInfo } from './port-info.ts';
import type { SerialListing } from './serial-binding.ts';
import { loadSerialBinding } from './serial.ts';
import { within } from './wait.ts';

export type { PortInfo } from './port-info.ts';

/** What tests replace. */
export interface ListHost {
  platform?: NodeJS.Platform;
  /** The roots of the Linux file systems, `/sys` and `/dev`. */
  sys?: string;
  dev?: string;
  /** The serial library's own list. */
  library?: () => Promise<SerialListing[]>;
}

/** On Windows a list asks every driver; a broken one must not hang the editor. */
const LIST_TIMEOUT_MS = 10_000;

/**
 * The serial ports of this machine, likely boards first. Nothing is left out: a port this list thinks
 * unlikely can still be the right one. On Linux read from /sys, because the serial library asks `udevadm`,
 * which containers have not. Throws `PortError` (`port-open-failed`) when the machine cannot list at all.
 */
export async function listPorts(host: ListHost = {}): Promise<PortInfo[]> {
  const platform = host.platform ?? process.platform;
  let ports: PortInfo[] | undefined;
  if (platform === 'linux') ports = await listLinuxPorts(host.sys ?? '/sys', host.dev ?? '/dev');
  if (ports === undefined) {
    const library = host.library ?? (async () => await (await loadSerialBinding('')).list());
    const listed = await within(library(), {
      timeoutMs: LIST_TIMEOUT_MS,
      onTimeout: () => failure('no answer'),
    }).catch((error: unknown) => {
      throw error instanceof PortError ? error : failure(messageOf(error), error);
    });
    ports = listed.map((port) => fromLibrary(port, platform)).filter(isFirst);
  }
  return ports.sort(byLikelihood);
}

function failure(reason: string, cause?: unknown): PortError {
  return new PortError(
    'port-open-failed',
    '',
    `the ports of this machine cannot be listed: ${reason}`,
    { reason },
    cause,
  );
}

function fromLibrary(listed: SerialListing, platform: NodeJS.Platform): PortInfo {
  // macOS names every device twice: opening `tty.…` waits for a carrier that no board gives, `cu.…` does not.
  const path = platform === 'darwin' ? listed.path.replace(/^\/dev\/tty\./, '/dev/cu.') : listed.path;
  const vendorId = listed.vendorId?.toLowerCase().padStart(4, '0');
  const productId = listed.productId?.toLowerCase().padStart(4, '0');
  const adapter = adapterOf(vendorId, productId);
  const wireless = /bluetooth|bthenum|debug-console|wlan-debug/i.test(`${path} ${listed.pnpId ?? ''}`);
  // A port without USB ids is a motherboard's, or a Bluetooth one; with unknown ones it may be a board.
  const likely = !wireless && (adapter !== undefined || vendorId !== undefined);
  return compact({
    path,
    vendorId,
    productId,
    manufacturer: listed.manufacturer,
    // Windows: "USB-SERIAL CH340 (COM3)"
    product: listed.friendlyName?.replace(/\s*\(COM\d+\)$/i, ''),
    serialNumber: listed.serialNumber,
    locationId: listed.locationId,
    pnpId: listed.pnpId,
    adapter,
    likely,
  });
}

/** Whether the port stands further up in the list already: `tty.…` and `cu.…` of one device. */
function isFirst(port: PortInfo, at: number, all: readonly PortInfo[]): boolean {
  return all.findIndex((other) => other.path === port.path) === at;
}

function byLikelihood(a: PortInfo, b: PortInfo): number {
  return rank(a) - rank(b) || a.path.localeCompare(b.path, 'en', { numeric: true });
}

function rank(port: PortInfo): number {
  if (!port.likely) return 4;
  if (port.present === false) return 3;
  // On macOS one adapter can have two ports, Apple's and that of WCH's own driver, which works better.
  if (port.path.includes('wchusbserial')) return 0;
  return port.adapter ? 1 : 2;
}
