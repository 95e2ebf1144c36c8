/** One board a port, whoever names it and however. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Boards } from '../../lib/board/boards.ts';
import { presentPath } from '../../lib/transport/identity.ts';
import type { PortInfo } from '../../lib/transport/port-info.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';

const PRESENT: PortInfo[] = [
  { path: '/dev/ttyUSB0', likely: true, serialNumber: 'SERIAL-1' },
  { path: '/dev/ttyUSB1', likely: true, serialNumber: 'SERIAL-2' },
];
const baudRate = 115200;

describe('board: all boards in use', () => {
  const make = (): Boards => new Boards((binding) => presentPath(binding, () => Promise.resolve(PRESENT)));

  it('has one for each port, however it is written', async () => {
    const boards = make();
    const { board } = boards.hold({ port: '/dev/ttyUSB0', baudRate }, {});
    for (const port of ['/dev/ttyUSB0', ' ttyUSB0 ', 'usb:SERIAL-1']) {
      assert.equal(await boards.find({ port, baudRate }, {}), board, port);
    }
    assert.notEqual(await boards.find({ port: '/dev/ttyUSB1', baudRate }, {}), board);
    assert.notEqual(await boards.find({ port: 'tcp://127.0.0.1:1', baudRate }, {}), board);
  });

  it('follows links', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'boards-'));
    const [device, link] = [join(folder, 'ttyUSB0'), join(folder, 'by-id')];
    await writeFile(device, '');
    await symlink(device, link);
    const boards = make();
    const { board } = boards.hold({ port: link, baudRate }, {});
    assert.equal(await boards.find({ port: device, baudRate }, {}), board);
    await rm(folder, { recursive: true });
  });

  it('knows a device by its path, and says when it is not there', async () => {
    const boards = make();
    const { board } = boards.hold({ port: 'COM3', device: 'usb:SERIAL-2', baudRate }, {});
    assert.equal(await boards.find({ port: '/dev/ttyUSB1', baudRate }, {}), board);
    await assert.rejects(boards.find({ port: 'usb:gone', baudRate }, {}), failsWith('port-missing'));
  });

  it('tells of other settings, and keeps the first', () => {
    const boards = make();
    const first = boards.hold({ port: 'COM3', baudRate }, {});
    assert.deepEqual(boards.hold({ port: 'com3', baudRate }, {}), { board: first.board, shared: false });
    assert.deepEqual(boards.hold({ port: 'COM3', baudRate: 9600 }, {}), { board: first.board, shared: true });
  });

  it('closes a board when the last has let go', async () => {
    const boards = make();
    const [one, two] = [{}, {}];
    const { board } = boards.hold({ port: 'COM3', baudRate }, one);
    boards.hold({ port: 'COM3', baudRate }, two);
    await boards.release(one);
    assert.equal(boards.hold({ port: 'COM3', baudRate }, one).board, board);
    await boards.release(one);
    await boards.release(two);
    await assert.rejects(board.run({ kind: 'run', run: () => Promise.resolve() }), failsWith('board-closed'));
    assert.notEqual(boards.hold({ port: 'COM3', baudRate }, one).board, board);
  });

  it('gives nobody a port before the board that had it is through with it', async () => {
    const device = await launchBoard({ timing: 'none', bootMs: 0 });
    const boards = make();
    const options = { port: device.rfc2217, baudRate };
    const [one, two] = [{}, {}];
    const order: string[] = [];
    const { promise: hasBegun, resolve: begin } = Promise.withResolvers<undefined>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<undefined>();
    const slow = async (): Promise<void> => {
      begin(undefined);
      await mayEnd;
      order.push('before');
    };
    try {
      const before = boards.hold(options, one).board.run({ kind: 'run', run: slow });
      await hasBegun;
      const released = boards.release(one);
      const after = boards.hold(options, two).board.run({
        kind: 'run',
        onWait: () => end(undefined),
        run: () => Promise.resolve(order.push('after')),
      });
      await Promise.all([before, released, after]);
      assert.deepEqual(order, ['before', 'after']);
    } finally {
      await boards.release(two);
      await device.close();
    }
  });
});
