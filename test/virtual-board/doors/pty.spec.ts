/** The pty door, used through node-serialport as a real port would be. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { launchBoard } from '../launch.ts';
import type { VirtualBoard } from '../launch.ts';

function open(path: string, baudRate: number): Promise<SerialPort> {
  return new Promise((resolve, reject) => {
    const port = new SerialPort({ path, baudRate, hupcl: false }, (error) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

const close = (port: SerialPort): Promise<void> =>
  new Promise((resolve) => {
    port.close(() => {
      resolve();
    });
  });

function until(port: SerialPort, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      reject(new Error(`${String(pattern)} did not come; came: ${JSON.stringify(text.slice(-500))}`));
    }, 10_000);
    port.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!pattern.test(text)) return;
      clearTimeout(timer);
      port.removeAllListeners('data');
      resolve(text);
    });
  });
}

describe('virtual board: pty door', () => {
  let board: VirtualBoard;
  let folder: string;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    folder = await mkdtemp(join(tmpdir(), 'virtual-board-'));
    board = await launchBoard({
      firmware: 'none',
      timing: 'none',
      rfc2217: false,
      ptyLink: join(folder, 'ttyUSB0'),
      firstSync: 'answered',
    });
  });

  after(async () => {
    await board.close();
    await rm(folder, { recursive: true });
  });

  const SYNC = Uint8Array.from([
    ...[0xc0, 0, 8, 0x24, 0, 0, 0, 0, 0, 7, 7, 0x12, 0x20],
    ...(Array(32).fill(0x55) as number[]),
    0xc0,
  ]);

  it('carries bytes both ways without echo, and is gone and back for each client', async () => {
    await board.holdBoot(true);
    const loader = board.nextEvent((event) => event.name === 'reset');
    await board.pressEn(5);
    await loader;
    for (let i = 0; i < 2; i++) {
      const port = await open(board.pty, 115200);
      const answer = until(port, /(\xc0\x01\x08[^\xc0]*\xc0){8}/);
      port.write(SYNC);
      assert.doesNotMatch(await answer, /\x00\x08\x24/, 'no echo of the request');
      await close(port);
    }
    await board.holdBoot(false);
  });

  it('gives garbage to a client that has set another rate', async () => {
    const port = await open(board.pty, 9600);
    let bytes = Buffer.alloc(0);
    port.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
    });
    await board.pressEn(5);
    await board.nextEvent((event) => event.name === 'boot');
    await board.nextEvent((event) => event.name === 'boot');
    assert.ok(bytes.length > 0);
    assert.ok(!bytes.toString('latin1').includes('rst:'));
    const right = until(port, /rst:0x10 \(RTCWDT_RTC_RESET\)/);
    await new Promise<void>((resolve, reject) => {
      port.update({ baudRate: 115200 }, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    await right;
    await close(port);
  });

  it('hangs up when unplugged, and comes back under the same name or another', async () => {
    const before = board.pty;
    const port = await open(before, 115200);
    const lost = new Promise<{ disconnected?: boolean }>((resolve) => {
      port.once('close', resolve);
    });
    port.resume();
    const back = board.unplug({ ms: 50 });
    assert.equal((await lost).disconnected, true);
    await back;
    assert.equal(board.pty, before);
    await board.unplug({ ms: 0, newPath: true });
    assert.notEqual(board.pty, before);
    assert.equal(existsSync(before), false);
    const again = await open(board.pty, 115200);
    await until(again, /rst:0x/);
    await close(again);
  });
});
