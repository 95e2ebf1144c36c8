/** Patterns as .gitignore has them. */
import assert from 'node:assert/strict';
import { patternList, Patterns } from '../../lib/host/pattern.ts';

/** Patterns, path (a folder ends in a slash), whether it fits. */
const ROWS: readonly [patterns: string, path: string, fits: boolean | undefined][] = [
  ['*.py', 'main.py', true],
  ['*.py', 'lib/a.py', true],
  ['*.py', 'main.mpy', undefined],
  ['/*.py', 'lib/a.py', undefined],
  ['/*.py', 'a.py', true],
  ['lib/*.py', 'lib/a.py', true],
  ['lib/*.py', 'lib/b/a.py', undefined],
  ['lib/*.py', 'x/lib/a.py', undefined],
  ['lib/**/*.py', 'lib/b/c/a.py', true],
  ['lib/**/*.py', 'lib/a.py', true],
  ['**/a.py', 'x/y/a.py', true],
  ['**/a.py', 'a.py', true],
  ['data/**', 'data/x/y', true],
  ['data/**', 'data/', undefined],
  ['build/', 'build/', true],
  ['build/', 'x/build/', true],
  ['build/', 'build', undefined],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', undefined],
  ['[a-c].py', 'b.py', true],
  ['[!a-c].py', 'b.py', undefined],
  ['[!a-c].py', 'd.py', true],
  ['[]]', ']', true],
  ['a.b', 'axb', undefined],
  ['(a|b)+$', '(a|b)+$', true],
  ['\\#x', '#x', true],
  ['#x', '#x', undefined],
  ['\\!x', '!x', true],
  ['x\\ ', 'x ', true],
  ['x   ', 'x', true],
  ['ü*', 'übung', true],
  ['*', 'line\nbreak', true],
  ['*.txt\n!keep.txt', 'keep.txt', false],
  ['*.txt\n!keep.txt', 'other.txt', true],
  ['!keep.txt\n*.txt', 'keep.txt', true],
  ['[', '[', true],
  ['/', 'x', undefined],
  ['[z-a]', 'b', undefined],
];

describe('host: patterns', () => {
  for (const [patterns, path, expected] of ROWS) {
    it(`${JSON.stringify(patterns)}: ${JSON.stringify(path)} ${expected}`, () => {
      const found = new Patterns(patterns.split('\n')).fits(path.replace(/\/$/, ''), path.endsWith('/'));
      assert.equal(found, expected);
    });
  }

  it('cover a file by the folders it lies in', () => {
    const lib = new Patterns(['lib/', 'main.py']);
    assert.deepEqual(
      ['lib/a/b.py', 'main.py', 'x/main.py', 'other.py', 'lib'].map((path) => lib.cover(path)),
      [true, true, true, false, false],
    );
  });

  it('are written with commas or lines', () => {
    assert.deepEqual(patternList(' *.py, lib/ \n\ndata/*.csv,'), ['*.py', 'lib/', 'data/*.csv']);
  });
});
