import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { adapterOf } from '../../lib/transport/adapters.ts';
import { PortError } from '../../lib/transport/errors.ts';
import { listPorts } from '../../lib/transport/list.ts';
import type { SerialListing } from '../../lib/transport/serial-binding.ts';

/** A `/sys` and `/dev` as the kernel and udev make them, in a folder of ours. */
class Machine {
  readonly root = mkdtempSync(join(tmpdir(), 'sys-'));
  readonly sys = join(this.root, 'sys');
  readonly dev = join(this.root, 'dev');

  constructor() {
    mkdirSync(join(this.sys, 'class/tty'), { recursive: true });
    mkdirSync(this.dev);
  }

  #facts(folder: string, facts: Record<string, string>): void {
    mkdirSync(folder, { recursive: true });
    for (const [name, value] of Object.entries(facts)) writeFileSync(join(folder, name), `${value}\n`);
  }

  /** A tty whose device lies at `devicePath` under /sys/devices, e.g. `usb1/1-1/1-1.2/1-1.2:1.0/ttyUSB0`. */
  tty(name: string, devicePath: string | undefined, extra: Record<string, string> = {}, file = true): this {
    const folder = join(this.sys, 'class/tty', name);
    this.#facts(folder, extra);
    if (file) writeFileSync(join(this.dev, name), '');
    if (devicePath === undefined) return this;
    const device = join(this.sys, 'devices', devicePath);
    mkdirSync(device, { recursive: true });
    symlinkSync(device, join(folder, 'device'));
    return this;
  }

  usb(devicePath: string, facts: Record<string, string>): this {
    this.#facts(join(this.sys, 'devices', devicePath), facts);
    return this;
  }

  byId(link: string, name: string): this {
    const path = join(this.dev, 'serial/by-id', link);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(`../../${name}`, path);
    return this;
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

describe('transport: the list of ports', () => {
  it('reads on Linux what the kernel knows, boards first', async () => {
    const machine = new Machine()
      .tty('console', undefined)
      .tty('tty1', undefined)
      .tty('ttyS0', 'platform/serial8250/ttyS0', { type: '4' })
      .tty('ttyS1', 'platform/serial8250/ttyS1', { type: '0' })
      .tty('ttyAMA0', 'platform/soc/uart0', { type: '32' })
      .tty('ttyUSB10', 'usb1/1-1/1-1.2/1-1.2:1.0/ttyUSB10')
      .usb('usb1/1-1', { idVendor: '0bda', idProduct: '5411', product: 'Hub' })
      .usb('usb1/1-1/1-1.2', { idVendor: '1a86', idProduct: '7523', product: 'USB Serial' })
      .tty('ttyUSB2', 'usb1/1-3/1-3:1.0/ttyUSB2')
      .usb('usb1/1-3', { idVendor: 'ABCD', idProduct: '0001' })
      .tty('ttyACM0', 'usb1/1-4/1-4:1.0')
      .usb('usb1/1-4', {
        ...{ idVendor: '303a', idProduct: '1001', manufacturer: 'Espressif' },
        ...{ product: 'USB JTAG/serial debug unit', serial: '7C:DF:A1:00:00:01' },
      })
      .tty('ttyUSB3', 'usb1/1-5/1-5:1.0/ttyUSB3', {}, false)
      .usb('usb1/1-5', { idVendor: '10c4', idProduct: 'ea60' })
      .byId('usb-Espressif_USB_JTAG_serial_debug_unit_7C:DF:A1:00:00:01-if00', 'ttyACM0');
    try {
      const ports = await listPorts({ platform: 'linux', sys: machine.sys, dev: machine.dev });
      const names = ports.map((port) => port.path.slice(machine.dev.length + 1));
      assert.deepEqual(names, ['ttyACM0', 'ttyUSB10', 'ttyUSB2', 'ttyUSB3', 'ttyAMA0', 'ttyS0']);
      assert.deepEqual(ports[0], {
        path: join(machine.dev, 'ttyACM0'),
        vendorId: '303a',
        productId: '1001',
        manufacturer: 'Espressif',
        product: 'USB JTAG/serial debug unit',
        serialNumber: '7C:DF:A1:00:00:01',
        locationId: '1-4',
        adapter: { name: 'USB-Serial/JTAG', kind: 'usb-jtag' },
        likely: true,
        byId: join(
          machine.dev,
          'serial/by-id/usb-Espressif_USB_JTAG_serial_debug_unit_7C:DF:A1:00:00:01-if00',
        ),
        present: true,
      });
      assert.equal(ports[1]!.locationId, '1-1.2');
      assert.equal(ports[1]!.adapter!.name, 'CH340');
      assert.deepEqual([ports[2]!.vendorId, ports[2]!.likely, ports[2]!.adapter], ['abcd', true, undefined]);
      assert.deepEqual([ports[3]!.present, ports[3]!.adapter!.name], [false, 'CP210x']);
      assert.deepEqual([ports[4]!.likely, ports[5]!.likely], [false, false]);
    } finally {
      machine.remove();
    }
  });

  it('lists the ports of this machine, whatever they are', async () => {
    for (const port of await listPorts()) assert.ok(port.path.length > 0);
  });

  const listing = (path: string, facts: Partial<SerialListing> = {}): SerialListing => ({ path, ...facts });

  it('names on macOS the call-out ports, WCH first, Bluetooth last', async () => {
    const library = (): Promise<SerialListing[]> =>
      Promise.resolve([
        listing('/dev/tty.Bluetooth-Incoming-Port'),
        listing('/dev/tty.debug-console', { vendorId: '05ac', productId: '1234' }),
        listing('/dev/tty.usbserial-110', { vendorId: '1a86', productId: '7523', locationId: '01100000' }),
        listing('/dev/cu.usbserial-110', { vendorId: '1a86', productId: '7523', locationId: '01100000' }),
        listing('/dev/tty.wchusbserial110', { vendorId: '1a86', productId: '7523', locationId: '01100000' }),
      ]);
    const ports = await listPorts({ platform: 'darwin', library });
    assert.deepEqual(
      ports.map(({ path, likely }) => [path, likely]),
      [
        ['/dev/cu.wchusbserial110', true],
        ['/dev/cu.usbserial-110', true],
        ['/dev/cu.Bluetooth-Incoming-Port', false],
        ['/dev/cu.debug-console', false],
      ],
    );
  });

  it('reads on Windows what the drivers tell', async () => {
    const library = (): Promise<SerialListing[]> =>
      Promise.resolve([
        listing('COM1', { pnpId: 'ACPI\\PNP0501\\1' }),
        listing('COM4', {
          pnpId: 'BTHENUM\\{00001101}',
          friendlyName: 'Standard Serial over Bluetooth link (COM4)',
        }),
        listing('COM10', {
          vendorId: '10C4',
          productId: 'EA60',
          friendlyName: 'Silicon Labs CP210x (COM10)',
        }),
        listing('COM9', { vendorId: '403', productId: '6001', manufacturer: 'FTDI' }),
      ]);
    const ports = await listPorts({ platform: 'win32', library });
    assert.deepEqual(
      ports.map(({ path, likely, adapter, product }) => [path, likely, adapter?.name, product]),
      [
        ['COM9', true, 'FT232', undefined],
        ['COM10', true, 'CP210x', 'Silicon Labs CP210x'],
        ['COM1', false, undefined, undefined],
        ['COM4', false, undefined, 'Standard Serial over Bluetooth link'],
      ],
    );
  });

  it('says when the machine cannot list', async () => {
    const library = (): Promise<SerialListing[]> => Promise.reject(new Error('spawn udevadm ENOENT'));
    await assert.rejects(listPorts({ platform: 'freebsd', library }), (error: unknown) => {
      assert.ok(error instanceof PortError && error.code === 'port-open-failed');
      assert.equal(error.facts['reason'], 'spawn udevadm ENOENT');
      return true;
    });
  });

  it('asks the library where there is no /sys', async () => {
    const library = (): Promise<SerialListing[]> => Promise.resolve([listing('/dev/ttyUSB0')]);
    const ports = await listPorts({ platform: 'linux', sys: '/nowhere', library });
    assert.deepEqual(ports, [{ path: '/dev/ttyUSB0', likely: false }]);
  });

  it('knows the usual chips by their USB ids, in any case', () => {
    assert.equal(adapterOf('1A86', '55D4')?.name, 'CH9102');
    assert.equal(adapterOf('303a', '0009')?.kind, 'usb-rom');
    assert.equal(adapterOf('303A', '80D7')?.kind, 'usb-app');
    assert.equal(adapterOf('1234', '5678'), undefined);
    assert.equal(adapterOf(undefined, '5678'), undefined);
  });
});
