/** What this machine says of itself: whether it is a container, who may open a port, boards that have none. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deniedAt } from '../../lib/transport/access.ts';
import { containerOf } from '../../lib/transport/container.ts';
import { portlessDevices } from '../../lib/transport/portless.ts';
import { runningTakers } from '../../lib/transport/takers.ts';

describe('transport: facts of the machine', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'machine-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const file = (name: string, text = ''): string => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };

  it('knows containers by the files their engines leave, and by cgroups', async () => {
    assert.equal(await containerOf(root), undefined);
    file('proc/1/cgroup', '12:pids:/lxc/box\n');
    assert.equal(await containerOf(root), 'lxc');
    file('proc/1/cgroup', '0::/\n');
    assert.equal(await containerOf(root), undefined);
    file('run/.containerenv');
    assert.equal(await containerOf(root), 'podman');
    file('.dockerenv');
    assert.equal(await containerOf(root), 'docker');
    file('run/secrets/kubernetes.io/token');
    assert.equal(await containerOf(root), 'kubernetes');
  });

  it('names the group that may open a port, and whether the user is in it by now', async () => {
    const path = file('ttyUSB0');
    const { gid } = statSync(path);
    const closed = { root, user: { name: 'nodered', uid: 1001 }, mayOpen: () => Promise.resolve(false) };
    assert.deepEqual(await deniedAt(path, closed), {
      user: 'nodered',
      group: String(gid),
      gid,
      isMember: false,
    });
    file('etc/group', `tty:x:99999:\ndialout:x:${gid}:ann,nodered\n`);
    assert.deepEqual(await deniedAt(path, closed), {
      user: 'nodered',
      group: 'dialout',
      gid,
      isMember: true,
    });
    file('etc/group', `dialout:x:${gid}:ann\n`);
    assert.equal((await deniedAt(path, closed))?.isMember, false);
    assert.equal(await deniedAt(path), undefined);
    assert.equal(await deniedAt(join(root, 'not-there'), closed), undefined);
  });

  const usb = (place: string, ids: string, driver?: string): void => {
    const folder = `bus/usb/devices/${place}`;
    const [vendor = '', product = ''] = ids.split(':');
    file(`${folder}/idVendor`, `${vendor}\n`);
    file(`${folder}/idProduct`, `${product}\n`);
    const face = join(root, `bus/usb/devices/${place}:1.0`);
    mkdirSync(face, { recursive: true });
    if (driver === undefined) return;
    mkdirSync(join(root, `drivers/${driver}`), { recursive: true });
    symlinkSync(join(root, `drivers/${driver}`), join(face, 'driver'));
  };

  it('finds boards without a port: no driver, or a program took them', async () => {
    usb('1-1', '1a86:7523');
    usb('1-2.4', '10c4:ea60', 'usbfs');
    usb('1-3', '303A:1001');
    usb('1-4', '0403:6001', 'ftdi_sio');
    mkdirSync(join(root, 'bus/usb/devices/1-4:1.0/ttyUSB0'));
    usb('1-5', '046d:c52b');
    mkdirSync(join(root, 'bus/usb/devices/usb1'));
    const found = await portlessDevices(root);
    assert.deepEqual(
      found.toSorted((a, b) => a.locationId.localeCompare(b.locationId)),
      [
        { locationId: '1-1', adapter: 'CH340', driver: 'ch341', isTaken: false },
        { locationId: '1-2.4', adapter: 'CP210x', driver: 'cp210x', isTaken: true },
        { locationId: '1-3', adapter: 'USB-Serial/JTAG', driver: 'cdc_acm', isTaken: false },
      ],
    );
    assert.deepEqual(await portlessDevices(join(root, 'nowhere')), []);
  });

  it('knows the programs that take ports when they run', async () => {
    file('17/comm', 'bash\n');
    assert.deepEqual(await runningTakers(root), []);
    file('18/comm', 'ModemManager\n');
    file('self/comm', 'brltty\n');
    assert.deepEqual(await runningTakers(root), ['ModemManager']);
  });
});
