/** Boards that are plugged in and have no port, as Linux shows them: no driver has them, or a program took them. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { adapterOf } from './adapters.ts';

export interface Portless {
  /** `1-1.2` */
  locationId: string;
  /** `CH340` */
  adapter: string;
  /** The kernel's module for it: `ch341`. */
  driver: string;
  /** A program holds the device through the kernel's `usbfs`, which took it from its driver. */
  isTaken: boolean;
}

/** Names of adapters (`adapters.ts`) → the kernel's module. */
const DRIVERS: readonly (readonly [RegExp, string])[] = [
  [/^CP21/, 'cp210x'],
  [/^CH34[01]$/, 'ch341'],
  [/^FT/, 'ftdi_sio'],
  [/^PL2303/, 'pl2303'],
];
/** Newer chips of WCH, and the chips' own USB, are of the standard class. */
const CDC = 'cdc_acm';

/** Known adapters without a `tty`; nothing where there is no such folder. */
export async function portlessDevices(sys = '/sys'): Promise<Portless[]> {
  const folder = join(sys, 'bus/usb/devices');
  const names = await readdir(folder).catch(() => []);
  const devices = names.filter((name) => /^\d+-[\d.]+$/.test(name));
  const found = await Promise.all(devices.map((device) => portlessAt(folder, device, names)));
  return found.filter((device) => device !== undefined);
}

async function portlessAt(
  folder: string,
  device: string,
  names: readonly string[],
): Promise<Portless | undefined> {
  const fact = (file: string): Promise<string | undefined> =>
    readFile(join(folder, device, file), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  const adapter = adapterOf(await fact('idVendor'), await fact('idProduct'));
  if (!adapter) return undefined;
  const interfaces = names.filter((name) => name.startsWith(`${device}:`));
  const states = await Promise.all(interfaces.map((name) => stateOf(join(folder, name))));
  if (states.includes('port')) return undefined;
  const driver = DRIVERS.find(([name]) => name.test(adapter.name))?.[1] ?? CDC;
  return { locationId: device, adapter: adapter.name, driver, isTaken: states.includes('usbfs') };
}

/** `port`: it has a tty, in itself (cdc_acm) or in a port below (usb-serial). */
async function stateOf(folder: string): Promise<'port' | 'usbfs' | 'none'> {
  const below = await readdir(folder).catch(() => []);
  if (below.some((name) => /^tty/.test(name))) return 'port';
  const driver = await readlink(join(folder, 'driver')).catch(() => '');
  return basename(driver) === 'usbfs' ? 'usbfs' : 'none';
}
