/** Where an application alone goes on boards with several places for one, and what a copy of the flash fits. */
import assert from 'node:assert/strict';
import { CHIPS } from '../../lib/esp/chips.ts';
import { bootedApplication } from '../../lib/esp/ota.ts';
import type { Partition } from '../../lib/esp/partitions.ts';
import { checkParts, needsBooted, placeParts } from '../../lib/esp/place.ts';
import type { Part, Wish } from '../../lib/esp/place.ts';
import { placeCopies } from '../../lib/esp/restore.ts';
import type { Copy } from '../../lib/esp/restore.ts';
import { failsWith } from '../support/failures.ts';
import { demoImage } from '../virtual-board/demo-image.ts';

const MB = 0x100000;
const row = (label: string, type: number, subtype: number, offset: number, size: number): Partition => ({
  label,
  type,
  subtype,
  offset,
  size,
  encrypted: false,
});
const OTADATA = row('otadata', 1, 0, 0xd000, 0x2000);
const FACTORY = row('factory', 0, 0, 0x10000, MB);
const SLOTS = [row('ota_0', 0, 0x10, 0x110000, MB), row('ota_1', 0, 0x11, 0x210000, MB)];
const VFS = row('vfs', 1, 0x81, 0x310000, 0xf0000);
const TABLE = [OTADATA, FACTORY, ...SLOTS, VFS];
/** What ESP-IDF's `otatool.py` writes as CRC for the numbers 1 and 2. */
const CRCS: Readonly<Record<number, number>> = { 1: 0x4743989a, 2: 0x55f63774 };

function otadata(...entries: { sequence: number; state?: number; crc?: number }[]): Uint8Array {
  const bytes = Buffer.alloc(0x2000, 0xff);
  for (const [i, { sequence, state = 0xffffffff, crc = CRCS[sequence] ?? 0 }] of entries.entries()) {
    bytes.writeUInt32LE(sequence, i * 0x1000);
    bytes.writeUInt32LE(state, i * 0x1000 + 24);
    bytes.writeUInt32LE(crc, i * 0x1000 + 28);
  }
  return bytes;
}

describe('esp: the application that starts', () => {
  const label = (table: Partition[], data?: Uint8Array): string | undefined =>
    bootedApplication(table, data)?.label;

  it('is the slot with the higher number that is valid', () => {
    assert.equal(label(TABLE, otadata({ sequence: 1 })), 'ota_0');
    assert.equal(label(TABLE, otadata({ sequence: 1 }, { sequence: 2 })), 'ota_1');
    assert.equal(label(TABLE, otadata({ sequence: 2, state: 2 }, { sequence: 1 })), 'ota_1');
  });

  it('is not one that was given up, or whose entry is damaged', () => {
    for (const state of [3, 4]) {
      assert.equal(label(TABLE, otadata({ sequence: 1 }, { sequence: 2, state })), 'ota_0');
    }
    assert.equal(label(TABLE, otadata({ sequence: 1 }, { sequence: 2, crc: 1 })), 'ota_0');
  });

  it('is the factory one without an entry, and the first slot without that', () => {
    assert.equal(label(TABLE, otadata()), 'factory');
    assert.equal(label([OTADATA, ...SLOTS], otadata()), 'ota_0');
    assert.equal(label([FACTORY, VFS]), 'factory');
    assert.equal(label([VFS]), undefined);
    assert.equal(label(TABLE, otadata().subarray(0, 20)), 'factory');
  });
});

describe('esp: an application alone', () => {
  const merged = demoImage();
  const app = merged.bytes.slice(0x10000 - merged.offset);
  const chip = CHIPS.find(({ name }) => name === 'ESP32')!;
  const target = { chip, flashSize: 4 * MB, partitions: TABLE, booted: SLOTS[1] };
  const placed = (wish: Wish, bytes = app): number | undefined =>
    placeParts(checkParts([{ bytes }], wish), target, wish).regions[0]?.offset;

  it('goes where the board starts from, or into the partition that is named', () => {
    assert.equal(placed({}), SLOTS[1]?.offset);
    assert.equal(placed({ partition: 'factory' }), FACTORY.offset);
    assert.equal(placed({ offset: 0x110000 }), 0x110000);
    assert.deepEqual(
      [{}, { partition: 'factory' }, { offset: 0x110000 }].map((wish) =>
        needsBooted(checkParts([{ bytes: app }]), wish),
      ),
      [true, false, false],
    );
  });

  it('is refused where it does not fit, or there is no such partition', () => {
    const small = { ...target, booted: { ...FACTORY, size: 4096 } };
    assert.throws(
      () => placeParts(checkParts([{ bytes: app }]), small, {}),
      failsWith('partition-too-small'),
    );
    assert.throws(() => placed({ partition: 'ota_7' }), failsWith('no-such-partition', { wanted: 'ota_7' }));
  });

  it('is refused at any offset from which no application starts, unless forced', () => {
    const expected = '0x10000 or 0x110000 or 0x210000';
    for (const offset of [0x1000, 0x8000, 0xd000, 0x20000, VFS.offset]) {
      const given = `0x${offset.toString(16)}`;
      assert.throws(() => placed({ offset }), failsWith('offset-contradicts-image', { given, expected }));
      assert.equal(placed({ offset, force: true }), offset);
    }
    const partition = 'vfs';
    assert.throws(() => placed({ partition }), failsWith('offset-contradicts-image', { expected }));
  });

  it('goes by the table that comes with it, rather than by the one that is there', () => {
    const table = merged.bytes.slice(0x8000 - merged.offset, 0x8c00 - merged.offset);
    const parts = (offset: number): Part[] =>
      checkParts([
        { bytes: table, offset: 0x8000 },
        { bytes: app, offset },
      ]);
    assert.equal(placeParts(parts(0x10000), target, {}).partitions?.length, 4);
    assert.throws(
      () => placeParts(parts(0x110000), target, {}),
      failsWith('offset-contradicts-image', { expected: '0x10000' }),
    );
  });

  it('goes by that table also where it lies behind a larger loader', () => {
    const moved = merged.bytes.slice(0x8000 - merged.offset, 0x8000 - merged.offset + 4 * 32);
    const rows = Buffer.alloc(0xc00, 0xff);
    rows.set(moved);
    rows.writeUInt32LE(0x20000, 2 * 32 + 4);
    const parts = checkParts([
      { bytes: rows, offset: 0x10000 },
      { bytes: app, offset: 0x20000 },
    ]);
    const { partitions } = placeParts(parts, { ...target, partitions: [FACTORY, VFS] }, {});
    assert.equal(partitions?.find(({ label }) => label === 'factory')?.offset, 0x20000);
  });

  it('does not share its place with another part', () => {
    const parts = checkParts([{ bytes: app }, { bytes: app, offset: SLOTS[1]!.offset }]);
    assert.throws(() => placeParts(parts, target, {}), failsWith('parts-overlap', { offset: '0x210000' }));
  });

  it('may be any data where its partition is named', () => {
    assert.equal(placed({ partition: 'vfs' }, Uint8Array.of(1, 2, 3)), VFS.offset);
    assert.throws(() => placed({}, Uint8Array.of(1, 2, 3)), failsWith('image-not-esp'));
  });
});

describe('esp: a copy of the flash', () => {
  const chip = CHIPS[0]!;
  const target = { chip, flashSize: 4 * MB, partitions: TABLE };
  const places = (copy: Copy, wish: Wish = {}): (number | undefined)[] =>
    placeCopies([copy], target, wish).map(({ offset }) => offset);
  const files = new Uint8Array(VFS.size);

  it('goes back to where it was', () => {
    assert.deepEqual(places({ label: 'vfs', offset: VFS.offset, data: files }), [VFS.offset]);
    assert.deepEqual(places({ data: files }), [VFS.offset]);
    assert.deepEqual(places({ data: new Uint8Array(0x2000) }, { partition: 'otadata' }), [OTADATA.offset]);
    assert.deepEqual(places({ data: new Uint8Array(4 * MB) }), [0]);
  });

  it('is refused on a board with another flash or partition, unless forced', () => {
    const moved = { label: 'vfs', offset: 0x200000, data: files };
    for (const copy of [
      moved,
      { label: 'vfs', data: files.subarray(4096) },
      { label: 'flash', offset: 0, data: new Uint8Array(2 * MB) },
      { data: new Uint8Array(1234) },
    ]) {
      assert.throws(() => places(copy), failsWith('backup-mismatch'), copy.label);
    }
    assert.deepEqual(places(moved, { force: true }), [0x200000]);
  });
});
