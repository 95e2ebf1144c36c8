/** Where a flash differs, by questions about pieces of it. */
import assert from 'node:assert/strict';
import { firstWrong } from '../../lib/esp/verify.ts';

const SECTOR = 0x1000;
const RANGE = { offset: 0x1000, size: 0x340800 };

describe('esp: the first sector that is wrong', () => {
  /** A flash with wrong bytes at these places; every question is kept. */
  function flash(...wrong: number[]): {
    asked: [number, number][];
    isRight: (at: number, size: number) => Promise<boolean>;
  } {
    const asked: [number, number][] = [];
    const isRight = (at: number, size: number): Promise<boolean> => {
      asked.push([at, size]);
      return Promise.resolve(!wrong.some((each) => each >= at && each < at + size));
    };
    return { asked, isRight };
  }

  it('is found from the first byte of the range to its last', async () => {
    const last = RANGE.offset + RANGE.size - 1;
    for (const at of [RANGE.offset, 0x10fff, 0x11000, 0x234567, last]) {
      const sector = at - (at % SECTOR);
      const size = Math.min(SECTOR, last + 1 - sector);
      assert.deepEqual(await firstWrong(RANGE, flash(at, last).isRight), { offset: sector, size });
    }
  });

  it('is none where all is right, at a question a megabyte', async () => {
    const { asked, isRight } = flash(RANGE.offset - 1, RANGE.offset + RANGE.size);
    assert.equal(await firstWrong(RANGE, isRight), undefined);
    assert.equal(asked.length, 4);
  });

  it('is none where only one answer said so, and those about its pieces did not', async () => {
    let answers = 0;
    const damaged = (): Promise<boolean> => Promise.resolve(++answers !== 2);
    assert.equal(await firstWrong(RANGE, damaged), undefined);
    // The second megabyte was asked for in pieces of 64 KB.
    assert.equal(answers, 4 + 16);
  });
});
