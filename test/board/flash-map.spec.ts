/** The map of a plan: every byte of the flash in one region, and each with what becomes of it. */
import assert from 'node:assert/strict';
import { flashMap } from '../../lib/board/flash-map.ts';
import type { Partition } from '../../lib/esp/partitions.ts';
import type { Plan } from '../../lib/esp/plan.ts';

const MB = 1024 * 1024;
const partition = (label: string, type: number, offset: number, size: number): Partition => ({
  label,
  type,
  subtype: 0,
  offset,
  size,
  encrypted: false,
});
const TABLE = [
  partition('vfs', 1, 2 * MB, MB),
  partition('nvs', 1, 0x9000, 0x6000),
  partition('factory', 0, 0x10000, 2 * MB - 0x10000),
];

const plan = (changes: Partial<Plan> = {}): Plan => ({
  erase: 'needed',
  total: 0,
  write: 0,
  unchanged: 0,
  parts: [],
  cleared: [],
  losses: [],
  tables: { before: TABLE, after: TABLE },
  boardRead: true,
  ...changes,
});

describe('board: the map of the flash', () => {
  it('goes from the begin of the flash to its end without gaps', () => {
    const map = flashMap(4 * MB, plan());
    assert.deepEqual(
      map.map(({ label }) => label),
      ['loader', 'table', 'nvs', 'free', 'factory', 'vfs', 'free'],
    );
    let at = 0;
    for (const { offset, size, fate } of map) {
      assert.equal(offset, at);
      assert.equal(fate, 'stays');
      at += size;
    }
    assert.equal(at, 4 * MB);
  });

  it('shares what is written among the regions it lies in', () => {
    const parts = [
      { offset: 0x1000, size: 0x8000 },
      { offset: 0x20000, size: 0x3000 },
    ];
    const map = flashMap(4 * MB, plan({ parts, losses: [{ label: 'nvs', why: 'overwritten' }] }));
    const told = Object.fromEntries(map.map(({ label, write, fate }) => [label, [write, fate]]));
    assert.deepEqual(told['loader'], [0x7000, 'written']);
    assert.deepEqual(told['table'], [0x1000, 'written']);
    assert.deepEqual(told['nvs'], [0, 'lost']);
    assert.deepEqual(told['factory'], [0x3000, 'written']);
    assert.deepEqual(told['vfs'], [0, 'stays']);
  });

  it('says of a chip that is erased what goes, and of one without a table only that it is one piece', () => {
    const losses = ['vfs', 'nvs'].map((label) => ({ label, why: 'erased' as const }));
    const fates = flashMap(4 * MB, plan({ erase: 'all', losses })).map(
      ({ label, fate }) => `${label} ${fate}`,
    );
    assert.deepEqual(fates, [
      'loader erased',
      'table erased',
      'nvs lost',
      'free stays',
      'factory erased',
      'vfs lost',
      'free stays',
    ]);
    const parts = [{ offset: 0, size: 0x5000 }];
    assert.deepEqual(flashMap(MB, plan({ tables: {}, parts })), [
      { label: 'free', kind: 'free', offset: 0, size: MB, write: 0x5000, fate: 'written' },
    ]);
  });
});
