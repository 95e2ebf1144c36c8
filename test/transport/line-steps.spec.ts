import assert from 'node:assert/strict';
import { DTR_OFF, DTR_ON, RTS_OFF, RTS_ON } from '../../lib/transport/com-port.ts';
import { closingSteps, lineChanges, lineSteps } from '../../lib/transport/line-steps.ts';
import type { ModemLines } from '../../lib/transport/transport.ts';

const both = (dtr: 0 | 1, rts: 0 | 1): ModemLines => ({ dtr: dtr === 1, rts: rts === 1 });
const all = [both(0, 0), both(0, 1), both(1, 0), both(1, 1)];
const isReset = (lines: ModemLines): boolean => !lines.dtr && lines.rts;

/** The states a board sees when the serial library does RTS first, DTR after it. */
function seenOnWindows(from: ModemLines, steps: readonly ModemLines[]): ModemLines[] {
  let now = from;
  return steps.flatMap((step) => {
    const halfway = { dtr: now.dtr, rts: step.rts };
    now = step;
    return [halfway, step];
  });
}

/** The states a board sees when a server does one command after the other. */
function seenBehindServer(from: ModemLines, values: readonly number[]): ModemLines[] {
  let now = from;
  return values.map((value) => {
    if (value === DTR_ON || value === DTR_OFF) now = { ...now, dtr: value === DTR_ON };
    else now = { ...now, rts: value === RTS_ON };
    return now;
  });
}

describe('transport: the order of DTR and RTS', () => {
  for (const from of all) {
    for (const to of all) {
      const name = `from (${Number(from.dtr)},${Number(from.rts)}) to (${Number(to.dtr)},${Number(to.rts)})`;

      it(`${name} never passes a reset nobody asked for`, () => {
        const windows = seenOnWindows(from, lineSteps('win32', from, to));
        const server = seenBehindServer(from, lineChanges(from, to));
        const closing = seenOnWindows(from, closingSteps(from));
        assert.deepEqual(windows.at(-1), to);
        assert.deepEqual(server.at(-1) ?? from, to);
        for (const seen of [windows, server]) {
          assert.ok(isReset(from) || isReset(to) || !seen.some(isReset), JSON.stringify(seen));
        }
        assert.ok(isReset(from) || !closing.some(isReset));
        assert.deepEqual(closing.at(-1) ?? from, both(0, 0));
      });
    }
  }

  it('sets both lines in one step on Unix', () => {
    for (const from of all) for (const to of all) assert.deepEqual(lineSteps('linux', from, to), [to]);
  });

  it('goes from reset to loader over (1,1) behind a server', () => {
    assert.deepEqual(lineChanges(both(0, 1), both(1, 0)), [DTR_ON, RTS_OFF]);
  });

  it('sets both lines behind a server when nothing is known of them', () => {
    assert.deepEqual(lineChanges(undefined, both(1, 1)), [DTR_ON, RTS_ON]);
    assert.deepEqual(lineChanges(undefined, both(0, 0)), [RTS_OFF, DTR_OFF]);
  });

  it('closes RTS first, then DTR', () => {
    assert.deepEqual(closingSteps(both(1, 1)), [both(1, 0), both(0, 0)]);
    assert.deepEqual(closingSteps(both(0, 0)), []);
  });
});
