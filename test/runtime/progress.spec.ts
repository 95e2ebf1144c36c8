import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProgressMeter } from '../../lib/runtime/progress.ts';
import type { Progress, Step } from '../../lib/runtime/progress.ts';

/** A meter on a clock that the test sets. */
function meter(): { at: (ms: number, step: Step) => void; reports: (Progress & { ms: number })[] } {
  let now = 1000;
  const reports: (Progress & { ms: number })[] = [];
  const under = new ProgressMeter(
    (progress) => reports.push({ ms: now - 1000, ...progress }),
    () => now,
  );
  return {
    at: (ms, step) => {
      now = 1000 + ms;
      under.step(step);
    },
    reports,
  };
}

describe('runtime: progress', () => {
  it('is told four times a second', () => {
    const { at, reports } = meter();
    for (let ms = 0; ms <= 1000; ms += 10) at(ms, { phase: 'writing', done: ms, total: 5000 });
    assert.deepEqual(
      reports.map(({ ms }) => ms),
      [0, 250, 500, 750, 1000],
    );
  });

  it('is told at once for a new phase and at the end of one', () => {
    const { at, reports } = meter();
    at(0, { phase: 'erasing' });
    at(1, { phase: 'writing', done: 0, total: 10 });
    at(2, { phase: 'writing', done: 5, total: 10 });
    at(3, { phase: 'writing', done: 10, total: 10 });
    at(4, { phase: 'verifying' });
    assert.deepEqual(
      reports.map(({ phase, done }) => [phase, done]),
      [
        ['erasing', undefined],
        ['writing', 0],
        ['writing', 10],
        ['verifying', undefined],
      ],
    );
  });

  it('has percent, rate since the phase began and the seconds left', () => {
    const { at, reports } = meter();
    at(0, { phase: 'erasing' });
    at(5000, { phase: 'writing', done: 0, total: 3000 });
    at(7000, { phase: 'writing', done: 1000, total: 3000 });
    assert.deepEqual(reports[1], { ms: 5000, phase: 'writing', done: 0, total: 3000, percent: 0 });
    assert.deepEqual(reports[2], {
      ms: 7000,
      phase: 'writing',
      done: 1000,
      total: 3000,
      percent: 33,
      rate: 500,
      secondsLeft: 4,
    });
  });

  it('of nothing is whole', () => {
    const { at, reports } = meter();
    at(0, { phase: 'writing', done: 0, total: 0 });
    assert.equal(reports[0]?.percent, 100);
  });

  it('never tells what is no number, and 100 percent only at the end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.array(fc.tuple(fc.nat({ max: 2000 }), fc.nat()), { maxLength: 30 }),
        (total, steps) => {
          const { at, reports } = meter();
          let ms = 0;
          for (const [wait, done] of steps)
            at((ms += wait), { phase: 'writing', done: done % (total + 1), total });
          for (const { percent, rate, secondsLeft, done } of reports) {
            for (const value of [percent, rate, secondsLeft]) {
              assert.ok(value === undefined || (Number.isFinite(value) && value >= 0));
            }
            assert.equal(percent === 100, done === total);
          }
        },
      ),
    );
  });
});
