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

  it('begins with the wanted rate, and on the rung that went well', () => {
    assert.equal(lines.rung, 0);
    lines.wentWell(2);
    assert.equal(lines.rung, 2);
  });

  it('learns of a job that sent little only that the line is slow', () => {
    lines.endedOn(2);
    assert.equal(lines.rung, 2);
    for (let i = 0; i < 9; i++) lines.endedOn(2);
    lines.endedOn(0);
    lines.endedOn(undefined);
    assert.equal(lines.rung, 2);
  });

  it('is of a board, not of the port', () => {
    lines.wentWell(2);
    lines.meet(TWO);
    assert.equal(lines.rung, 0);
    lines.meet(ONE);
    assert.equal(lines.rung, 2);
  });

  it('tries one rung faster after clean jobs, and stays slow where that does not go well', () => {
    lines.wentWell(2);
    for (let i = 0; i < 4; i++) lines.wentWell(2);
    assert.equal(lines.rung, 2);
    lines.wentWell(2);
    assert.equal(lines.rung, 1);
    // The ladder came down again: it counts anew.
    lines.wentWell(2);
    assert.equal(lines.rung, 2);
    for (let i = 0; i < 5; i++) lines.wentWell(2);
    for (let i = 0; i < 5; i++) lines.wentWell(1);
    assert.equal(lines.rung, 0);
  });

  it('keeps nothing of a job that says nothing of the line, nor of a chip that tells no MAC', () => {
    lines.wentWell(undefined);
    assert.equal(lines.rung, 0);
    lines.meet(undefined);
    lines.wentWell(1);
    assert.equal(lines.rung, 0);
  });
});
