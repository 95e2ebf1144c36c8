/** A copy of the flash before it is erased, and back again: in the message, in files, through a real Node-RED. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kept } from '../../lib/board/loader-jobs.ts';
import { NodeUnderTest, withRuntime } from '../support/runtime.ts';
import type { Facts, Seen } from '../support/runtime.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const DEF = {
  operation: 'flash',
  firmware: 'payload',
  firmwareType: 'msg',
  erase: 'needed',
  offset: '',
  size: '',
};
const firmware = Buffer.from(demoImage().bytes);
/** The last sector of the files, which no file needs. */
const PLACE = 0x3ff000;
const BLANK = 'ff'.repeat(8);

describe('a backup and its way back', () => {
  withRuntime();
  let board: VirtualBoard;
  let node: NodeUnderTest;
  let folder = '';
  before(async () => {
    board = await launchBoard({ timing: 'none' });
    folder = mkdtempSync(join(tmpdir(), 'backup-'));
  });
  beforeEach(async () => {
    node = await NodeUnderTest.load('esp32-flash', board.rfc2217, DEF);
    await board.writeFlash(PLACE, Buffer.from('precious'));
  });
  after(async () => {
    await board.close();
    rmSync(folder, { recursive: true });
  });

  const there = async (): Promise<string> => Buffer.from(await board.readFlash(PLACE, 8)).toString();
  const isBlank = async (): Promise<boolean> => (await hex()) === BLANK;
  const hex = async (): Promise<string> => Buffer.from(await board.readFlash(PLACE, 8)).toString('hex');

  const done = (msg: Seen): Promise<Facts> => node.payload<Facts>(msg);

  async function refused(msg: Seen): Promise<string | undefined> {
    return (await node.send(msg)).caught?.diagnosis?.code;
  }

  it('in the message: the list that flashing gives is written back, and so is one partition as a Buffer', async () => {
    const { backup } = await done({ payload: firmware, erase: 'all', backup: 'data' });
    const files = (backup as Kept[]).find(({ label }) => label === 'vfs');
    assert.ok(await isBlank());
    const restored = await done({ operation: 'restore', payload: backup });
    assert.equal(await there(), 'precious');
    assert.ok(Number(restored['written']) > 0);
    await board.writeFlash(PLACE, Buffer.from('anything'));
    await done({ operation: 'restore', payload: files?.data, partition: 'vfs' });
    assert.equal(await there(), 'precious');
  });

  it('in files: the whole flash, in a folder that names the board', async () => {
    const before = await board.readFlash(0, 0x400000);
    const { backup } = await done({ payload: firmware, erase: 'all', backup: 'all', backupTo: folder });
    const [{ path, size, data }] = backup as [Kept];
    assert.deepEqual([size, data], [0x400000, undefined]);
    assert.ok(Buffer.from(before).equals(readFileSync(path ?? '')));
    assert.ok(await isBlank());
    const [name = ''] = readdirSync(folder);
    assert.match(name, /^240ac4123456-\d{8}-\d{6}$/);
    await done({ operation: 'restore', payload: join(folder, name) });
    assert.ok(Buffer.from(before).equals(await board.readFlash(0, 0x400000)));
  });

  it('is not taken for another, and not where a byte of it has changed', async () => {
    assert.equal(await refused({ operation: 'restore', payload: Buffer.alloc(1000) }), 'backup-mismatch');
    assert.equal(
      await refused({ operation: 'restore', payload: Buffer.alloc(8192), partition: 'vfs' }),
      'backup-mismatch',
    );
    assert.equal(await refused({ operation: 'restore', payload: 17 }), 'bad-payload');
    assert.equal(await refused({ operation: 'restore', payload: join(folder, 'none') }), 'source-unreadable');
    const [name = ''] = readdirSync(folder);
    const file = join(folder, name, '0-flash.bin');
    const bytes = readFileSync(file);
    bytes[12345]! ^= 1;
    writeFileSync(file, bytes);
    assert.equal(await refused({ operation: 'restore', payload: join(folder, name) }), 'backup-damaged');
    assert.equal(await there(), 'precious');
  });

  it('that cannot be written leaves everything as it is', async () => {
    const backupTo = join(folder, 'a file');
    writeFileSync(backupTo, '');
    assert.equal(
      await refused({ payload: firmware, erase: 'all', backup: 'data', backupTo }),
      'backup-not-written',
    );
    assert.equal(await there(), 'precious');
  });
}).timeout(180_000);
