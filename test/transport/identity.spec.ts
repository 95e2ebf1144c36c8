import assert from 'node:assert/strict';
import { deviceOf, presentPath } from '../../lib/transport/identity.ts';
import { parsePortName } from '../../lib/transport/port-name.ts';
import type { PortInfo } from '../../lib/transport/port-info.ts';
import { failsWith } from '../support/failures.ts';

const port = (path: string, facts: Partial<PortInfo> = {}): PortInfo => ({ path, likely: true, ...facts });
const listing =
  (...ports: PortInfo[]) =>
  () =>
    Promise.resolve(ports);
const MAC = '34:85:18:AC:00:01';

describe('transport: a device by its identity', () => {
  it('is its serial number where that is its own, else where it is plugged in', () => {
    const own = port('COM7', { serialNumber: MAC, locationId: '1-1' });
    const generic = port('COM8', { serialNumber: '0001', locationId: '1-2' });
    const twins = ['1-3', '1-4'].map((locationId) =>
      port(`tty${locationId}`, { serialNumber: '1234567', locationId }),
    );
    const all = [own, generic, ...twins, port('COM1')];
    assert.deepEqual(
      all.map((each) => deviceOf(each, all)),
      [`usb:${MAC}`, 'usb:1-2', 'usb:1-3', 'usb:1-4', undefined],
    );
  });

  it('is followed to its present path: COM7 → COM9, and the loader’s port → the program’s', async () => {
    const binding = { device: `usb:${MAC}`, port: 'COM7' };
    const other = port('COM7', { serialNumber: 'other1' });
    assert.equal(await presentPath(binding, listing(other, port('COM9', { serialNumber: MAC }))), 'COM9');
    const program = port('COM11', { serialNumber: '348518ac0001', productId: '4001' });
    assert.equal(await presentPath(binding, listing(program)), 'COM11');
    assert.equal(
      await presentPath({ port: ' usb:1-2 ' }, listing(port('COM4', { locationId: '1-2' }))),
      'COM4',
    );
  });

  it('that several ports have is the one with the last path, or none', async () => {
    const pair = ['/dev/ttyUSB0', '/dev/ttyUSB1'].map((path) => port(path, { serialNumber: 'FT1234' }));
    const device = 'usb:FT1234';
    assert.equal(await presentPath({ device, port: '/dev/ttyUSB1' }, listing(...pair)), '/dev/ttyUSB1');
    const paths = '/dev/ttyUSB0, /dev/ttyUSB1';
    await assert.rejects(
      presentPath({ device, port: 'COM3' }, listing(...pair)),
      failsWith('port-ambiguous', { paths }),
    );
  });

  it('that is not there leaves the path, but no other device', async () => {
    const binding = { device: `usb:${MAC}`, port: '/dev/ttyACM0' };
    assert.equal(await presentPath(binding, listing()), '/dev/ttyACM0');
    assert.equal(await presentPath(binding, () => Promise.reject(new Error('no list'))), '/dev/ttyACM0');
    const stranger = port('/dev/ttyACM0', { serialNumber: 'stranger' });
    await assert.rejects(
      presentPath(binding, listing(stranger)),
      failsWith('port-missing', { device: `usb:${MAC}` }),
    );
    await assert.rejects(presentPath({ port: 'usb:none' }, listing()), failsWith('port-missing'));
  });

  it('is a port name', () => {
    assert.deepEqual(parsePortName(` USB: ${MAC} `), { kind: 'usb', device: `usb:${MAC}` });
    assert.throws(() => parsePortName('usb:'), failsWith('bad-port-name'));
  });
});
