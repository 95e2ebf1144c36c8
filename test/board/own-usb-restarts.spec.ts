/** A hard reset of a board on USB of its own that restarts once more on its way up. */
import assert from 'node:assert/strict';
import { hardReset } from '../../lib/board/control-jobs.ts';
import { runPython } from '../../lib/board/python-jobs.ts';
import { failsWith } from '../support/failures.ts';
import { UsbBoard } from '../support/usb-board.ts';

/** As after an update: it restarts when it has done something, so often as a file says. Its port is there meanwhile. */
const BOOT = `
import machine, os, time
left = int(open('left').read())
if left:
    with open('left', 'w') as f: f.write(str(left - 1))
    time.sleep(1)
    machine.reset()
`;

describe('board: on USB of its own, and restarting by itself', () => {
  let usb: UsbBoard;
  beforeEach(async () => {
    usb = await UsbBoard.launch({ chip: 'esp32s3', kind: 'otg', hasLines: false });
  });
  afterEach(() => usb.close());

  async function resetWith(restarts: number): Promise<string> {
    const board = await usb.board();
    try {
      const source = `for name, text in (('left', '${restarts}'), ('boot.py', ${JSON.stringify(BOOT)})):\n    with open(name, 'w') as f: f.write(text)`;
      await runPython(board, source, { timeoutMs: 10_000 });
      return (await hardReset(board, { timeoutMs: 15_000 })).started;
    } finally {
      await board.close();
    }
  }

  it('is followed until it is up', async () => {
    assert.equal(await resetWith(1), 'prompt');
  }).timeout(60_000);

  it('is said to come and go where that does not end', async () => {
    await assert.rejects(resetWith(99), failsWith('boot-failed', { heard: 'comes-and-goes' }));
  }).timeout(60_000);
});
