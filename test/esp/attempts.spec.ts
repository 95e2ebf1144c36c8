/** What follows which error of flashing, without a board. */
import assert from 'node:assert/strict';
import { Attempts } from '../../lib/esp/attempts.ts';
import { EspError } from '../../lib/esp/errors.ts';
import type { EspErrorCode } from '../../lib/esp/errors.ts';
import { lostError, PortError } from '../../lib/transport/errors.ts';

const FASTEST = 460800;
const SLOWEST = 115200;
const fault = (code: EspErrorCode = 'command-timeout', facts = {}): EspError =>
  new EspError(code, code, facts);
const lost = lostError('/dev/ttyUSB0', 'unplugged');

/** Attempts that stand on the slowest rung, after one that had `left` bytes to write. */
function onSlowest(left: number): Attempts {
  const attempts = new Attempts(SLOWEST, 0, true);
  attempts.after(fault(), left);
  return attempts;
}

describe('esp: attempts', () => {
  it('go down the ladder with each fault of the line, in smaller pieces', () => {
    const attempts = new Attempts(FASTEST, 0, true);
    const rungs = [attempts.rung];
    const slower = { kind: 'slower', because: 'command-timeout' };
    assert.deepEqual(attempts.after(fault(), 100), { ...slower, baudRate: 230400 });
    rungs.push(attempts.rung);
    assert.deepEqual(attempts.after(fault(), 100), { ...slower, baudRate: 115200 });
    rungs.push(attempts.rung);
    assert.deepEqual(
      rungs.map(({ baudRate, flashBlock }) => [baudRate, flashBlock]),
      [
        [460800, 0x4000],
        [230400, 0x1000],
        [115200, 0x400],
      ],
    );
    assert.equal(attempts.at, 2);
  });

  it('go down in smaller pieces alone where the far end keeps the rate it has', () => {
    const attempts = new Attempts(SLOWEST, 0, true, false);
    const rungs = [attempts.rung];
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(attempts.after(fault(), 100), {
        kind: 'slower',
        baudRate: SLOWEST,
        because: 'command-timeout',
      });
      rungs.push(attempts.rung);
    }
    assert.deepEqual(
      rungs.map(({ baudRate, flashBlock }) => [baudRate, flashBlock]),
      [0x4000, 0x1000, 0x400].map((flashBlock) => [SLOWEST, flashBlock]),
    );
  });

  it('begin where they are told, and at the lowest rung where there are fewer', () => {
    assert.equal(new Attempts(FASTEST, 1, true).rung.baudRate, 230400);
    assert.deepEqual(new Attempts(FASTEST, 9, true).rung, { baudRate: SLOWEST, flashBlock: 0x400 });
  });

  it('are repeated on the slowest rung as long as each leaves less to write, twice at most', () => {
    const attempts = onSlowest(100);
    assert.equal(attempts.after(fault(), 90)?.kind, 'slower');
    assert.equal(attempts.after(fault(), 80)?.kind, 'slower');
    assert.equal(attempts.after(fault(), 70), undefined);
    assert.equal(onSlowest(100).after(fault(), 100), undefined);
  });

  it('go down for a rate that the port refuses, but do not repeat the lowest', () => {
    const refused = new PortError('baud-refused', '', '');
    const attempts = new Attempts(230400, 0, true);
    const slower = { kind: 'slower', baudRate: SLOWEST, because: 'baud-refused' };
    assert.deepEqual(attempts.after(refused, 100), slower);
    assert.equal(attempts.after(refused, 90), undefined);
  });

  it('come back after a loss on the same rung, three times at most', () => {
    const attempts = new Attempts(FASTEST, 0, true);
    for (let i = 0; i < 3; i++) assert.deepEqual(attempts.after(lost, 100), { kind: 'coming-back' });
    assert.equal(attempts.at, 0);
    assert.equal(attempts.after(lost, 100), undefined);
  });

  it('end with a loss where the port cannot follow', () => {
    assert.equal(new Attempts(FASTEST, 0, false).after(lost, 100), undefined);
  });

  it('end with what a slower line does not mend', () => {
    const others = [fault('would-lose-data'), new PortError('port-busy', '', ''), new Error('cancelled')];
    for (const error of others) assert.equal(new Attempts(FASTEST, 0, true).after(error, 100), undefined);
  });

  it('do not erase all of a flash again that has not come to its end, unless the chip has restarted meanwhile', () => {
    const erasing = { operation: 'ERASE_FLASH' };
    const attempts = new Attempts(FASTEST, 0, true);
    assert.equal(attempts.after(fault('command-timeout', erasing), 100), undefined);
    const restarted = fault('command-timeout', { ...erasing, heard: 'brown-out' });
    assert.equal(attempts.after(restarted, 100)?.kind, 'slower');
  });

  it('believe that other firmware is there until the line has shown that it is bad', () => {
    const differs = fault('verify-failed', { case: 'compared' });
    const attempts = new Attempts(FASTEST, 0, true);
    assert.equal(attempts.after(differs, 100), undefined);
    attempts.after(fault('verify-failed'), 100);
    assert.equal(attempts.after(differs, 100)?.kind, 'slower');
  });

  it('believe a doubtful answer until the line has shown that it is bad', () => {
    const doubtful = fault('unknown-chip');
    const attempts = new Attempts(FASTEST, 0, true);
    assert.equal(attempts.after(doubtful, 100), undefined);
    attempts.after(fault(), 100);
    assert.equal(attempts.after(doubtful, 100)?.kind, 'slower');
    assert.equal(new Attempts(FASTEST, 1, true).after(doubtful, 100), undefined);
  });
});
