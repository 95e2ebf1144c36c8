/** How a job of Python ends when more than one thing goes wrong. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';

describe('board: jobs of Python', () => {
  it('have all of their time for the code, also where params take longer on their way', async () => {
    const device = await launchBoard({ bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115200 });
    try {
      const params = 'x'.repeat(36_000);
      const code = `(__import__('time').sleep_ms(200), len(params))[1]`;
      assert.equal(await evaluatePython(board, code, { params, timeoutMs: 2500 }), params.length);
      const late = evaluatePython(board, code.replace('200', '60_000'), { params: 1, timeoutMs: 300 });
      await assert.rejects(late, failsWith('run-timeout'));
    } finally {
      await board.close();
      await device.close();
    }
  });

  it('tell what the code raised, not that the restart after it did not come about', async () => {
    const device = await launchBoard({ timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115200 });
    const stop = new AbortController();
    let heard = '';
    const listening = board.stream({
      data: (bytes) => {
        heard += Buffer.from(bytes).toString('latin1');
        // The code has ended, the board is back at its prompt: nothing is left but the restart.
        if (/begun[^]*>>> /.test(heard)) stop.abort(new Error('cancelled'));
      },
    });
    try {
      const running = runPython(board, 'print("begun")\nraise ValueError(7)', {
        restart: true,
        signal: stop.signal,
        timeoutMs: 10_000,
      });
      await assert.rejects(running, (error) => {
        failsWith('python-error')(error);
        assert.match(String((error as Error).cause), /cancelled/);
        return true;
      });
    } finally {
      listening.close();
      await board.close();
      await device.close();
    }
  });
});
