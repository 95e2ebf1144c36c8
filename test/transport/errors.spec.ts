import assert from 'node:assert/strict';
import { connectingError, openingError, PortError } from '../../lib/transport/errors.ts';

describe('transport: errors', () => {
  const serial: readonly (readonly [string, string])[] = [
    ['Error: No such file or directory, cannot open /dev/ttyUSB7', 'port-missing'],
    ['Error: No such device or address, cannot open /dev/ttyS9', 'port-missing'],
    ['Error: Permission denied, cannot open /dev/ttyUSB0', 'port-permission'],
    ['Error: Operation not permitted, cannot open /dev/ttyUSB0', 'port-permission'],
    ['Error Resource temporarily unavailable Cannot lock port', 'port-busy'],
    ['Error: Device or resource busy, cannot open /dev/ttyUSB0', 'port-busy'],
    ['Error: Resource busy, cannot open /dev/cu.usbserial', 'port-busy'],
    ['Opening COM7: Access denied', 'port-busy'],
    ['Opening COM7: File not found', 'port-missing'],
    ['Opening COM7: Unknown error code 31', 'port-missing'],
    ['Opening COM7: Unknown error code 433', 'port-missing'],
    ['Opening COM7: Unknown error code 121', 'open-timeout'],
    ['Opening COM7: Unknown error code 1219', 'port-open-failed'],
    ['Error baud rate of -1 is not supported on your platform', 'baud-refused'],
    ['Error: Inappropriate ioctl for device setting custom baud rate of 115200', 'port-open-failed'],
    ['Error: Is a directory, cannot open /dev', 'port-open-failed'],
    ['something new', 'port-open-failed'],
  ];
  for (const [words, code] of serial) {
    it(`reads "${words}" as ${code}`, () => {
      const cause = new Error(words);
      const error = openingError('/dev/x', cause);
      assert.equal(error.code, code);
      assert.equal(error.port, '/dev/x');
      assert.equal(error.cause, cause);
      assert.equal(error.facts['reason'], words);
    });
  }

  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT', 'EAI_AGAIN', 'ENETUNREACH']) {
    it(`takes ${code} for a remote port that cannot be reached`, () => {
      const error = connectingError('tcp://h:1', Object.assign(new Error(code), { code }));
      assert.equal(error.code, 'port-refused');
      assert.equal(error.facts['systemCode'], code);
    });
  }

  it('finds the code in the errors of several attempts at once', () => {
    const attempts = [Object.assign(new Error('x'), { code: 'ECONNREFUSED' })];
    assert.equal(connectingError('tcp://h:1', new AggregateError(attempts)).code, 'port-refused');
  });

  it('does not take other faults of a connection for an unreachable port', () => {
    const error = connectingError('tcp://h:1', Object.assign(new Error('EMFILE'), { code: 'EMFILE' }));
    assert.equal(error.code, 'port-open-failed');
  });

  it('leaves an error that is one of its own as it is', () => {
    const error = new PortError('open-timeout', 'COM3', 'late');
    assert.equal(openingError('COM3', error), error);
    assert.equal(connectingError('COM3', error), error);
  });
});
