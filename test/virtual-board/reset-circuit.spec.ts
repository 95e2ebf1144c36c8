import assert from 'node:assert/strict';
import { ManualClock } from './clock.ts';
import { ResetCircuit } from './reset-circuit.ts';

const EN_RISE_MS = 5;

function circuit(): { lines: ResetCircuit; clock: ManualClock; seen: string[] } {
  const clock = new ManualClock();
  const seen: string[] = [];
  const lines = new ResetCircuit(
    clock,
    {
      reset: () => seen.push('reset'),
      release: (io0Low) => seen.push(io0Low ? 'loader' : 'flash'),
    },
    EN_RISE_MS,
  );
  return { lines, clock, seen };
}

describe('virtual board: reset circuit', () => {
  it('pulls EN low only with RTS alone, IO0 only with DTR alone', () => {
    for (const [dtr, rts, reset, io0Low] of [
      [false, false, false, false],
      [true, false, false, true],
      [false, true, true, false],
      [true, true, false, false],
    ] as const) {
      const { lines, seen } = circuit();
      lines.setLines(dtr, rts);
      assert.equal(seen.includes('reset'), reset, `EN at DTR ${String(dtr)}, RTS ${String(rts)}`);
      assert.equal(lines.io0Low, io0Low, `IO0 at DTR ${String(dtr)}, RTS ${String(rts)}`);
    }
  });

  it('reaches the loader when both lines change together', async () => {
    const { lines, clock, seen } = circuit();
    lines.setLines(false, true);
    await clock.advance(100);
    lines.setLines(true, false);
    await clock.advance(50);
    assert.deepEqual(seen, ['reset', 'loader']);
  });

  it('reaches the loader one line at a time, as EN rises slowly', async () => {
    const { lines, clock, seen } = circuit();
    lines.setLines(false, true);
    await clock.advance(100);
    lines.setDtr(true);
    await clock.advance(EN_RISE_MS - 1);
    lines.setRts(false);
    await clock.advance(50);
    assert.deepEqual(seen, ['reset', 'loader']);
  });

  it('boots from flash when the second line comes too late', async () => {
    const { lines, clock, seen } = circuit();
    lines.setLines(false, true);
    await clock.advance(100);
    lines.setDtr(true);
    await clock.advance(50);
    lines.setRts(false);
    await clock.advance(50);
    assert.deepEqual(seen, ['reset', 'flash']);
  });

  it('starts the rise anew when EN is pulled low again', async () => {
    const { lines, clock, seen } = circuit();
    lines.setRts(true);
    lines.setRts(false);
    await clock.advance(EN_RISE_MS - 1);
    lines.setRts(true);
    await clock.advance(50);
    lines.setRts(false);
    await clock.advance(EN_RISE_MS - 1);
    assert.deepEqual(seen, ['reset']);
    await clock.advance(1);
    assert.deepEqual(seen, ['reset', 'flash']);
  });

  it('enters the loader by its buttons, whatever the idle lines are', async () => {
    for (const idle of [true, false]) {
      const { lines, clock, seen } = circuit();
      lines.setLines(idle, idle);
      lines.holdBoot(true);
      lines.holdEn(true);
      await clock.advance(20);
      lines.holdEn(false);
      await clock.advance(20);
      assert.deepEqual(seen, ['reset', 'loader']);
    }
  });
});
