/** The whole way over a local port, as slow and as silent at its start as a real board. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { callPython, evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const soon = { timeoutMs: 10_000 };

describe('board: over a local port, while it boots', () => {
  let device: VirtualBoard | undefined;
  let board: Board;
  before(async function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: the pty door is for Linux');
      this.skip();
    }
    device = await launchBoard({ bootMs: 1600, rfc2217: false, pty: true });
    board = new Board({ port: device.pty, baudRate: 115200 });
  });
  after(async () => {
    await (board as Board | undefined)?.close();
    await device?.close();
  });

  it('evaluates, calls and runs 20 KB', async () => {
    assert.equal(await evaluatePython(board, '6 * 7', soon), 42);
    assert.equal(await callPython(board, { name: 'max', args: [[1, 5, 3]], kwargs: {} }, soon), 5);
    const lines = Array.from({ length: 500 }, (_, i) => `total += ${i}  # a line of some length, and so on`);
    let printed = '';
    const onOutput = (bytes: Uint8Array): void => void (printed += Buffer.from(bytes).toString());
    await runPython(board, ['total = 0', ...lines, 'print(total)'].join('\n'), { ...soon, onOutput });
    assert.equal(printed, '124750\r\n');
  });

  it('is heard, and cancelled', async () => {
    let heard = '';
    const began = new Promise<void>((resolve) => {
      board.stream({
        data: (bytes) => {
          heard += Buffer.from(bytes).toString();
          if (heard.includes('tick 2\r\n')) resolve();
        },
      });
    });
    const stop = new AbortController();
    const source = 'i = 0\nwhile True:\n  print("tick", i)\n  i += 1';
    const running = runPython(board, source, { ...soon, signal: stop.signal });
    await began;
    stop.abort(new Error('enough'));
    await assert.rejects(running, /enough/);
    assert.equal(await evaluatePython(board, 'i > 2', soon), true);
  });

  it('goes on through a reset in the middle of a run', async () => {
    let begin = (): void => undefined;
    const began = new Promise<void>((resolve) => (begin = resolve));
    const running = runPython(board, 'print("go")\nwhile True: pass', { ...soon, onOutput: () => begin() });
    running.catch(() => undefined);
    await began;
    await device?.pressEn();
    await assert.rejects(running, failsWith('board-restarted'));
    assert.equal(await evaluatePython(board, '1 + 1', soon), 2);
  });
});
