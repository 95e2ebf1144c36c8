/** What is written, what stays and what would be lost: decided by what the flash of this very board holds. */
import assert from 'node:assert/strict';
import type { FlashOptions } from '../../lib/esp/flash.ts';
import { flash } from '../../lib/esp/flash.ts';
import { checkParts } from '../../lib/esp/place.ts';
import { strategiesFor } from '../../lib/esp/reset.ts';
import { openTransport } from '../../lib/transport/open.ts';
import { failsWith } from '../support/failures.ts';
import { flashAt, flashPartsAt } from '../support/flash-board.ts';
import type { Flashed } from '../support/flash-board.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const SECTOR = 0x1000;
const BLOCK = 0x10000;
const NVS = 0x9000;
const APP = 0x10000;
const VFS = 0x200000;
const TABLE = 0x8000;
/** Eleven blocks of 64 KB: enough to be looked at by samples first. */
const image = demoImage({ payloadSize: 620_000, project: 'other' });
const { offset } = image;
const end = offset + image.bytes.length;

describe('esp: plan of flashing', () => {
  let board: VirtualBoard;
  before(async () => {
    board = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0 });
  });
  after(() => board.close());

  /** A board that holds the image, with all else blank. */
  beforeEach(async () => {
    await board.writeFlash(0, new Uint8Array(0x400000).fill(0xff));
    await board.writeFlash(offset, image.bytes);
    board.clearLog();
  });

  const held = async (at: number, length: number): Promise<Buffer> =>
    Buffer.from(await board.readFlash(at, length));
  const flip = async (at: number): Promise<void> => {
    const [byte = 0] = await board.readFlash(at, 1);
    await board.writeFlash(at, Uint8Array.of(byte ^ 0xff));
  };
  const go = (options: Partial<FlashOptions> = {}): Promise<Flashed> =>
    flashAt(board.rfc2217, image.bytes, options);
  const changedCommands = (): number =>
    board
      .log()
      .filter(({ facts }) => /_BEGIN|_DATA|ERASE/.test(String(facts['op'])) && facts['loader'] === 'stub')
      .length;
  const isRight = async (): Promise<void> => {
    assert.ok((await held(offset, image.bytes.length)).equals(image.bytes), 'the flash holds the image');
  };

  it('writes nothing where the flash holds it all', async () => {
    const { result, events } = await go();
    assert.deepEqual(result.plan.parts, []);
    assert.deepEqual([result.written, result.plan.unchanged], [0, image.bytes.length]);
    assert.equal(changedCommands(), 0);
    assert.ok(!events.some(({ kind }) => kind === 'writing'));
  });

  it('writes the one sector that differs, and checks all', async () => {
    await flip(APP + 5 * BLOCK + 3 * SECTOR + 77);
    const { result, events } = await go();
    assert.deepEqual(result.plan.parts, [{ offset: APP + 5 * BLOCK + 3 * SECTOR, size: SECTOR }]);
    assert.equal(result.written, SECTOR);
    assert.ok(events.some(({ kind }) => kind === 'verifying'));
    await isRight();
  });

  it('joins neighbours and keeps others apart', async () => {
    for (const at of [0x20000, 0x21000, 0x2ffff, 0x30000, 0x50123]) await flip(at);
    const { result } = await go();
    assert.deepEqual(result.plan.parts, [
      { offset: 0x20000, size: 2 * SECTOR },
      { offset: 0x2f000, size: 2 * SECTOR },
      { offset: 0x50000, size: SECTOR },
    ]);
    await isRight();
  });

  it('sees a byte in the last sector, which is not a whole one, and leaves what is behind it', async () => {
    assert.notEqual(end % SECTOR, 0);
    await flip(end - 1);
    const last = end - (end % SECTOR);
    const { result } = await go();
    assert.deepEqual(result.plan.parts, [{ offset: last, size: end - last }]);
    await isRight();
    // What differs only behind the end is none of its business.
    await board.writeFlash(end, Uint8Array.of(0));
    assert.equal((await go()).result.written, 0);
    assert.equal((await held(end, 1))[0], 0);
  });

  it('writes all in one piece where every block differs', async () => {
    await board.writeFlash(
      0,
      Uint8Array.from({ length: VFS }, (_, i) => i & 0x7f),
    );
    const { result } = await go();
    assert.deepEqual(result.plan.parts, [{ offset, size: image.bytes.length }]);
    assert.equal(result.plan.unchanged, 0);
    await isRight();
  });

  it('writes whole blocks of 64 KB where more than half of them differ', async () => {
    // The first stays, so that samples do not settle it.
    const blocks = [2, 3, 4, 5, 6, 7, 8];
    for (const block of blocks) await flip(block * BLOCK + 5);
    const { result } = await go();
    assert.deepEqual(result.plan.parts, [{ offset: 2 * BLOCK, size: blocks.length * BLOCK }]);
    await isRight();
  });

  it('keeps the settings of a board with the same layout, though the image has padding there', async () => {
    assert.ok(image.bytes.subarray(NVS - offset, APP - offset).every((byte) => byte === 0xff));
    const settings = Buffer.from('the network and its password');
    for (const at of [NVS, NVS + 0x5000, VFS + 0x1000]) await board.writeFlash(at, settings);
    await flip(APP + 5);
    for (const erase of ['needed', 'never'] as const) {
      const { result } = await go({ erase });
      assert.deepEqual(result.plan.losses, []);
      for (const at of [NVS, NVS + 0x5000, VFS + 0x1000])
        assert.ok((await held(at, settings.length)).equals(settings));
      await isRightWithSettings(settings);
      await flip(APP + 5);
    }
  });

  async function isRightWithSettings(settings: Buffer): Promise<void> {
    const expected = Buffer.from(image.bytes);
    for (const at of [NVS, NVS + 0x5000]) expected.set(settings, at - offset);
    assert.ok((await held(offset, expected.length)).equals(expected));
  }

  describe('with another layout on the board', () => {
    /** The row of the file system says another place; no MD5 row follows. */
    beforeEach(async () => {
      const table = Buffer.from(image.bytes.subarray(TABLE - offset, TABLE - offset + 4 * 32));
      table.writeUInt32LE(VFS + BLOCK, 3 * 32 + 4);
      const blank = Buffer.alloc(0xc00, 0xff);
      table.copy(blank);
      await board.writeFlash(TABLE, blank);
      await board.writeFlash(NVS, Buffer.from('settings'));
    });

    it('says what is lost before it is', async () => {
      const { result } = await go({ dryRun: true });
      assert.deepEqual(result.plan.losses, [
        { label: 'nvs', why: 'overwritten' },
        { label: 'vfs', why: 'moved' },
      ]);
    });

    it('refuses with `never`, and has changed nothing', async () => {
      await assert.rejects(go({ erase: 'never' }), failsWith('would-lose-data', { labels: 'nvs, vfs' }));
      assert.equal((await held(NVS, 8)).toString(), 'settings');
      assert.equal(changedCommands(), 0);
    });

    it('does it with `needed`', async () => {
      const { result } = await go();
      assert.equal(result.plan.losses.length, 2);
      await isRight();
    });
  });

  it('erases what other firmware left where the new layout has its files, and only there', async () => {
    await board.writeFlash(0, new Uint8Array(0x400000).fill(0x55));
    const { result } = await go();
    assert.deepEqual(result.plan.cleared, [{ offset: VFS, size: 2 * SECTOR }]);
    assert.deepEqual(await held(VFS, 2 * SECTOR), Buffer.alloc(2 * SECTOR, 0xff));
    assert.equal((await held(VFS + 2 * SECTOR, 1))[0], 0x55);
    // It is its own now.
    await board.writeFlash(VFS, Buffer.from('files'));
    assert.deepEqual((await go()).result.plan.cleared, []);
    assert.equal((await held(VFS, 5)).toString(), 'files');
  });

  describe('with partitions of a project of its own', () => {
    const OWN = { type: 0x40, subtype: 0, offset: 0x300000, size: 0x10000, label: 'calibration' };

    async function writeTable(at: number): Promise<void> {
      const rows = Buffer.alloc(0xc00, 0xff);
      rows.set(image.bytes.subarray(TABLE - offset, TABLE - offset + 4 * 32));
      rows.fill(0, 4 * 32, 5 * 32);
      rows.set([0xaa, 0x50, OWN.type, OWN.subtype], 4 * 32);
      rows.writeUInt32LE(OWN.offset, 4 * 32 + 4);
      rows.writeUInt32LE(OWN.size, 4 * 32 + 8);
      rows.write(OWN.label, 4 * 32 + 12);
      await board.writeFlash(at, rows);
    }

    it('says that they are lost as well, also where the table is moved, behind a larger loader or not', async () => {
      for (const [at, before] of [
        [TABLE, 0],
        [TABLE + 2 * SECTOR, 0],
        [TABLE + 2 * SECTOR, 0xff],
      ] as const) {
        await board.writeFlash(TABLE, new Uint8Array(SECTOR).fill(before));
        await writeTable(at);
        const { losses } = (await go({ dryRun: true })).result.plan;
        assert.ok(
          losses.some(({ label, why }) => label === OWN.label && why === 'moved'),
          JSON.stringify(losses),
        );
      }
    });
  });

  it('says that a program is lost where data is put into its place, not where another program is', async () => {
    const data = checkParts([{ bytes: new Uint8Array(SECTOR), offset: APP + BLOCK }]);
    const lost = (await flashPartsAt(board.rfc2217, data, { dryRun: true })).result.plan.losses;
    assert.deepEqual(lost, [{ label: 'factory', why: 'overwritten' }]);
    const other = demoImage({ payloadSize: 40_000, project: 'other', seed: 9 });
    const app = checkParts([{ bytes: other.bytes.subarray(APP - other.offset) }]);
    const { losses } = (await flashPartsAt(board.rfc2217, app, { dryRun: true })).result.plan;
    assert.deepEqual(losses, []);
  });

  it('says that the data the firmware covers is overwritten with `region`, and leaves the rest', async () => {
    for (const at of [NVS, VFS]) await board.writeFlash(at, Buffer.from('data'));
    const { result } = await go({ erase: 'region' });
    assert.deepEqual(result.plan.losses, [
      { label: 'nvs', why: 'overwritten' },
      { label: 'phy_init', why: 'overwritten' },
    ]);
    assert.equal(result.written, image.bytes.length);
    assert.equal((await held(VFS, 4)).toString(), 'data');
    await isRight();
  });

  it('says that all data goes with `all`, and erases it', async () => {
    for (const at of [NVS, VFS]) await board.writeFlash(at, Buffer.from('data'));
    const { result } = await go({ erase: 'all' });
    assert.deepEqual(
      result.plan.losses,
      ['nvs', 'phy_init', 'vfs'].map((label) => ({ label, why: 'erased' })),
    );
    for (const at of [NVS, VFS]) assert.deepEqual([...(await held(at, 4))], [255, 255, 255, 255]);
    await isRight();
  });

  it('changes nothing on a dry run, whatever the choice', async () => {
    await flip(APP + 9);
    const before = await held(0, 0x400000);
    for (const erase of ['needed', 'all', 'region'] as const) {
      const { result } = await go({ dryRun: true, erase });
      assert.equal(result.written, 0);
      assert.equal(result.plan.write, erase === 'needed' ? SECTOR : image.bytes.length);
    }
    assert.equal(changedCommands(), 0);
    assert.ok((await held(0, 0x400000)).equals(before));
  });

  it('puts an application alone into the only place for one', async () => {
    const other = demoImage({ payloadSize: 40_000, project: 'other', seed: 9 });
    const app = other.bytes.subarray(APP - other.offset);
    const { result } = await flashAt(board.rfc2217, app);
    assert.equal(result.offset, APP);
    assert.deepEqual(result.plan.losses, []);
    assert.ok((await held(APP, app.length)).equals(app));
    assert.ok((await held(offset, APP - offset)).equals(image.bytes.subarray(0, APP - offset)));
  });

  it('does not guess where an application goes without a table', async () => {
    await board.writeFlash(TABLE, new Uint8Array(0xc00).fill(0xff));
    await assert.rejects(
      flashAt(board.rfc2217, image.bytes.subarray(APP - offset)),
      failsWith('image-app-only'),
    );
    assert.equal(changedCommands(), 0);
  });

  it('plans several parts, each for itself', async () => {
    const data = Buffer.alloc(3 * SECTOR, 'files');
    await board.writeFlash(VFS, data);
    await flip(VFS + SECTOR);
    await flip(APP + 1);
    const parts = checkParts([
      { bytes: image.bytes.subarray(TABLE - offset, NVS - offset), offset: TABLE },
      { bytes: image.bytes.subarray(APP - offset), offset: APP },
      { bytes: data, offset: VFS },
    ]);
    const transport = await openTransport(board.rfc2217);
    try {
      const { written, plan } = await flash(transport, parts, {
        strategies: strategiesFor({ kind: 'rfc2217', hasModemLines: true, platform: process.platform }),
        timeoutMs: 8000,
        baudRate: 921600,
        after: { baudRate: 115200, idleLines: undefined },
        erase: 'needed',
        signal: new AbortController().signal,
        onEvent: () => undefined,
      });
      assert.equal(written, 2 * SECTOR);
      assert.deepEqual(plan.parts, [
        { offset: APP, size: SECTOR },
        { offset: VFS + SECTOR, size: SECTOR },
      ]);
      // Part of the file system is what was asked for; that it holds data is said all the same.
      assert.deepEqual(plan.losses, [{ label: 'vfs', why: 'overwritten' }]);
    } finally {
      await transport.close();
    }
    assert.ok((await held(VFS, data.length)).equals(data));
    await isRight();
  });
});
