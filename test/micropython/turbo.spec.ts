/** Uploads at a higher rate than the REPL's, which the board has again after, whatever happens. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Board } from '../../lib/board/board.ts';
import { evaluatePython } from '../../lib/board/python-jobs.ts';
import { uploadFilesToBoard } from '../../lib/board/upload-jobs.ts';
import { openTransport } from '../../lib/transport/open.ts';
import { failsWith } from '../support/failures.ts';
import type { ChipName } from '../virtual-board/chips.ts';
import { random } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const FAST = 921_600;
const soon = { timeoutMs: 20_000 };

function noise(length: number): Buffer {
  const next = random(length);
  return Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
}

/** Rates that the chip's UART has had, but for those in the middle of a change. */
function rates(device: VirtualBoard): number[] {
  const all = device.log().filter(({ facts }) => facts['kind'] === 'uart-baud');
  return all.map(({ facts }) => facts['baudRate'] as number).filter((rate) => rate > 100_000);
}

const near = (rate: number, wanted: number): boolean => Math.abs(rate / wanted - 1) < 0.01;

describe('micropython: turbo', function () {
  this.timeout(60_000);
  const chips: ChipName[] = ['esp32', 'esp32s2', 'esp32s3', 'esp32c3', 'esp32c6'];
  for (const chip of chips) {
    it(`on an ${chip}: faster for the transfer, and as before after it`, async () => {
      const device = await launchBoard({ chip, timing: 'none', bootMs: 0 });
      const board = new Board({ port: device.rfc2217, baudRate: 115_200 });
      try {
        const content = noise(6000);
        const [result] = await uploadFilesToBoard(board, [{ path: 'fast.bin', content }], { turbo: true });
        assert.equal(result?.sha256, createHash('sha256').update(content).digest('hex'));
        const had = rates(device);
        assert.ok(
          had.some((rate) => near(rate, FAST)),
          `rates: ${had.join()}`,
        );
        assert.ok(near(had.at(-1) ?? 0, 115_200), `rates: ${had.join()}`);
        assert.equal(await evaluatePython(board, '6 * 7', soon), 42);
      } finally {
        await board.close();
        await device.close();
      }
    });
  }

  it('loses nothing on firmware that dozes while it waits, as that of the ESP32 does', async () => {
    const device = await launchBoard({ bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115_200 });
    try {
      const content = noise(20_000);
      await uploadFilesToBoard(board, [{ path: 'slow.bin', content }]);
      const { toChip: plain } = await device.stats();
      await uploadFilesToBoard(board, [{ path: 'fast.bin', content }], { turbo: true });
      const { toChip: both } = await device.stats();
      assert.ok(rates(device).some((rate) => near(rate, FAST)));
      // What is lost is sent again: 8 KB at the least, as much as was on its way. The script is a little longer, and a
      // host that is busy may send a block twice.
      assert.ok(both - plain < plain + 7000, `${both - plain} bytes, ${plain} without turbo`);
    } finally {
      await board.close();
      await device.close();
    }
  });

  it('is left by an error and by a cancel', async () => {
    const device = await launchBoard({ timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115_200 });
    const upload = (path: string, size: number, options = {}): Promise<unknown> =>
      uploadFilesToBoard(board, [{ path, content: noise(size) }], { turbo: true, ...options });
    try {
      await upload('/folder/in.txt', 10);
      await assert.rejects(upload('/folder', 3000), failsWith('is-a-folder'));
      assert.equal(await evaluatePython(board, '6 * 7', soon), 42);
      const stop = new AbortController();
      const onProgress = (): void => stop.abort(new Error('enough'));
      await assert.rejects(upload('/long.bin', 60_000, { signal: stop.signal, onProgress }), /enough/);
      assert.equal(await evaluatePython(board, '6 * 7', soon), 42);
      assert.deepEqual(await evaluatePython(board, 'sorted(__import__("os").listdir("/"))', soon), [
        'boot.py',
        'folder',
      ]);
    } finally {
      await board.close();
      await device.close();
    }
  });

  it('is not tried on other chips', async () => {
    const device = await launchBoard({ chip: 'esp32c2', timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115_200 });
    try {
      await uploadFilesToBoard(board, [{ path: 'x.txt', content: noise(500) }], { turbo: true });
      assert.deepEqual(rates(device), []);
    } finally {
      await board.close();
      await device.close();
    }
  });

  it('is not tried over a raw stream, whose far end keeps the rate it has', async () => {
    const device = await launchBoard({ timing: 'none', bootMs: 0 });
    const port = await openTransport(device.rfc2217);
    const server = createServer((socket) => {
      port.listen({ data: (bytes) => socket.write(bytes), closed: () => socket.destroy() });
      socket.on('data', (bytes) => void port.write(bytes));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const board = new Board({
      port: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
      baudRate: 115_200,
    });
    try {
      const content = noise(500);
      const [result] = await uploadFilesToBoard(board, [{ path: 'x.bin', content }], { turbo: true });
      assert.equal(result?.bytes, content.length);
      assert.deepEqual(rates(device), []);
    } finally {
      await board.close();
      server.close();
      await port.close();
      await device.close();
    }
  });
});
