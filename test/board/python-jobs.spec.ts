/** How a job of Python ends when more than one thing goes wrong. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { runPython } from '../../lib/board/python-jobs.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';

describe('board: jobs of Python', () => {
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
