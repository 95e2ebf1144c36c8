import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { adapterOf } from './adapters.ts';
import { compact } from './port-info.ts';
import type { PortInfo } from './port-info.ts';

/** Consoles, ptys and the like have no `device`; these do, and are no ports for boards. */
const NOT_FOR_BOARDS = /^(tty\d|console|ptmx|hvc|vcs|ttyprintk)/;
/** How far above a port its USB device is looked for: ttyUSB0 → interface → device, with room to spare. */
const LEVELS = 5;

/**
 * The serial ports the Linux kernel knows, from `<sys>/class/tty/*`; `undefined` where there is no such
 * folder. The USB facts stand in the nearest folder above the device that has an `idVendor`.
 */
export async function listLinuxPorts(sys: string, dev: string): Promise<PortInfo[] | undefined> {
  const classFolder = join(sys, 'class/tty');
  let names: string[];
  try {
    names = await readdir(classFolder);
  } catch {
    return undefined;
  }
  const byId = await linksById(dev);
  const ports = await Promise.all(
    names
      .filter((name) => !NOT_FOR_BOARDS.test(name))
      .map((name) => portOf(join(classFolder, name), dev, byId)),
  );
  return ports.filter((port) => port !== undefined);
}

async function portOf(
  folder: string,
  dev: string,
  byId: ReadonlyMap<string, string>,
): Promise<PortInfo | undefined> {
  let device: string;
  try {
    device = await realpath(join(folder, 'device'));
  } catch {
    return undefined;
  }
  // The kernel keeps places for UARTs that are not there; their type is 0 (PORT_UNKNOWN).
  if ((await read(join(folder, 'type'))) === '0') return undefined;

  const name = basename(folder);
  const path = join(dev, name);
  const usb = await usbFolderOf(device);
  const fact = async (file: string): Promise<string | undefined> =>
    usb ? await read(join(usb, file)) : undefined;
  const vendorId = (await fact('idVendor'))?.toLowerCase();
  const productId = (await fact('idProduct'))?.toLowerCase();
  return compact({
    path,
    vendorId,
    productId,
    manufacturer: await fact('manufacturer'),
    product: await fact('product'),
    serialNumber: await fact('serial'),
    locationId: usb && basename(usb),
    pnpId: undefined,
    adapter: adapterOf(vendorId, productId),
    likely: vendorId !== undefined,
    byId: byId.get(name),
    present: await exists(path),
  });
}

async function usbFolderOf(device: string): Promise<string | undefined> {
  let folder = device;
  for (let level = 0; level < LEVELS; level++) {
    if ((await read(join(folder, 'idVendor'))) !== undefined) return folder;
    folder = dirname(folder);
  }
  return undefined;
}

/** Device name → link in /dev/serial/by-id, where udev makes them. */
async function linksById(dev: string): Promise<Map<string, string>> {
  const folder = join(dev, 'serial/by-id');
  const links = new Map<string, string>();
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const target = await readlink(join(folder, name)).catch(() => undefined);
    if (target !== undefined) links.set(basename(target), join(folder, name));
  }
  return links;
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
