import assert from 'node:assert/strict';
import { PortError } from '../../lib/transport/errors.ts';
import { parsePortName } from '../../lib/transport/port-name.ts';

describe('transport: port names', () => {
  const good: readonly (readonly [string, object])[] = [
    ['COM3', { kind: 'serial', path: 'COM3' }],
    ['com12:', { kind: 'serial', path: 'COM12' }],
    ['\\\\.\\COM12', { kind: 'serial', path: 'COM12' }],
    [' /dev/ttyUSB0 ', { kind: 'serial', path: '/dev/ttyUSB0' }],
    [
      '/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0',
      { kind: 'serial', path: '/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0' },
    ],
    ['ttyACM0', { kind: 'serial', path: '/dev/ttyACM0' }],
    ['cu.usbserial-110', { kind: 'serial', path: '/dev/cu.usbserial-110' }],
    ['rfc2217://pi.local:4000', { kind: 'rfc2217', host: 'pi.local', port: 4000 }],
    ['RFC2217://pi', { kind: 'rfc2217', host: 'pi', port: 2217 }],
    ['rfc2217://pi:4000?ign_set_control', { kind: 'rfc2217', host: 'pi', port: 4000 }],
    ['rfc2217://[::1]:4000', { kind: 'rfc2217', host: '::1', port: 4000 }],
    ['rfc2217://[fe80::1%eth0]', { kind: 'rfc2217', host: 'fe80::1%eth0', port: 2217 }],
    ['tcp://10.0.0.7:23/', { kind: 'tcp', host: '10.0.0.7', port: 23 }],
    ['socket://10.0.0.7:23', { kind: 'tcp', host: '10.0.0.7', port: 23 }],
  ];
  for (const [text, name] of good) it(`reads ${text}`, () => assert.deepEqual(parsePortName(text), name));

  for (const text of ['', '   ']) {
    it(`takes ${JSON.stringify(text)} for no port chosen`, () => {
      assert.throws(
        () => parsePortName(text),
        (error) => error instanceof PortError && error.code === 'no-port-chosen',
      );
    });
  }

  const bad: readonly (readonly [string, RegExp])[] = [
    ['my board', /neither COM3/],
    ['COM', /neither COM3/],
    ['/dev/', /folder/],
    ['/dev/tty\nUSB0', /control characters/],
    ['http://host:80', /http/],
    ['tcp://host', /port number is missing/],
    ['tcp://host:', /port number is missing/],
    ['tcp://:80', /host is missing/],
    ['rfc2217://', /host is missing/],
    ['rfc2217://host:0', /no port number/],
    ['rfc2217://host:65536', /no port number/],
    ['rfc2217://host:4000x', /no port number/],
    ['rfc2217://::1:4000', /brackets/],
    ['rfc2217://user@host:1', /told apart/],
    ['rfc2217://host:1/path', /follows/],
    ['rfc2217://host:1?reset=no', /unknown option reset/],
  ];
  for (const [text, problem] of bad) {
    it(`says what is wrong with ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parsePortName(text),
        (error) =>
          error instanceof PortError &&
          error.code === 'bad-port-name' &&
          problem.test(String(error.facts['problem'])),
      );
    });
  }
});
