/** What is remembered of the lines to boards. */
import assert from 'node:assert/strict';
import { LineMemory } from '../../lib/board/line-memory.ts';

const ONE = '24:0a:c4:00:00:01';
const TWO = '24:0a:c4:00:00:02';

describe('board: memory of the line', () => {
  let lines: LineMemory;
  beforeEach(() => {
    lines = new LineMemory();
    lines.meet(ONE);
  });

  /** A job that began where the memory says, and ended on this rung. */
  const job = (rung: number | undefined, much = true): void =>
    lines.wentWell({ rung, first: lines.rung, much });

  it('begins with the wanted rate, and on the rung that went well', () => {
    assert.equal(lines.rung, 0);
    job(2);
    assert.equal(lines.rung, 2);
  });

  it('learns of a job that sent little only that the line is slow', () => {
    job(2, false);
    assert.equal(lines.rung, 2);
    for (let i = 0; i < 9; i++) job(2, false);
    job(undefined, false);
    assert.equal(lines.rung, 2);
  });

  it('is of a board, not of the port', () => {
    job(2);
    lines.meet(TWO);
    assert.equal(lines.rung, 0);
    lines.meet(ONE);
    assert.equal(lines.rung, 2);
  });

  it('does not make those slow that come after a bad board, each only known once it is connected to', () => {
    job(3);
    for (const much of [true, false]) {
      const first = lines.rung;
      lines.meet(TWO);
      lines.wentWell({ rung: first, first, much });
      assert.equal(lines.rung, 0);
      lines.meet(ONE);
    }
    lines.meet(TWO);
    job(1);
    // It began on the third rung because of the other board; its own is the first.
    lines.wentWell({ rung: 3, first: 3, much: true });
    assert.equal(lines.rung, 1);
    lines.meet(ONE);
    assert.equal(lines.rung, 3);
  });

  it('is over when the board bears the wanted rate after all', () => {
    job(2);
    lines.wentWell({ rung: 0, first: 0, much: true });
    assert.equal(lines.rung, 0);
  });

  it('tries one rung faster after clean jobs, and stays slow where that does not go well', () => {
    job(2);
    for (let i = 0; i < 4; i++) job(2);
    assert.equal(lines.rung, 2);
    job(2);
    assert.equal(lines.rung, 1);
    // The ladder came down again: it counts anew.
    job(2);
    assert.equal(lines.rung, 2);
    for (let i = 0; i < 5; i++) job(2);
    assert.equal(lines.rung, 1);
    for (let i = 0; i < 5; i++) job(1);
    assert.equal(lines.rung, 0);
  });

  it('keeps nothing of a job that says nothing of the line, nor of a chip that tells no MAC', () => {
    job(undefined);
    assert.equal(lines.rung, 0);
    lines.meet(undefined);
    job(1);
    assert.equal(lines.rung, 0);
  });
});
