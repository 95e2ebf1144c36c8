/** Jobs over a port without DTR and RTS, which leave the board in its loader: that is said. */
import assert from 'node:assert/strict';
import { NodeUnderTest, withRuntime } from '../support/runtime.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const DEF = { operation: 'info', firmware: 'payload', firmwareType: 'msg', offset: '', size: '' };

describe('the flash node over a port without lines', () => {
  withRuntime();
  let board: VirtualBoard | undefined;
  let node: NodeUnderTest;
  before(async function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: the pty door is for Linux');
      this.skip();
    }
    board = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0, rfc2217: false, pty: true });
    node = await NodeUnderTest.load('esp32-flash', board.pty, DEF);
  });
  after(() => board?.close());

  it('asks for BOOT and EN before the first job, and for EN after each', async () => {
    const info = node.send({ operation: 'info' });
    await node.untilMeanwhile(({ payload }) => (payload as { phase?: string }).phase === 'press-boot');
    await board?.holdBoot(true);
    await board?.pressEn();
    const { result } = await info;
    await board?.holdBoot(false);
    assert.equal((result?.payload as { chip: string }).chip, 'ESP32');
    assert.equal(node.lastStatus?.fill, 'yellow');
    assert.match(node.lastStatus.text ?? '', /press-en/);
    // In that loader, which waits.
    for (const msg of [
      { operation: 'read', size: 16 },
      { operation: 'erase', offset: 0x3f0000, size: 0x1000 },
    ]) {
      assert.ok(await node.payload(msg));
      assert.match(node.lastStatus.text ?? '', /press-en/);
    }
  });
});
