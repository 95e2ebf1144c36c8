/** Flashing by the mask ROM alone, by wish and where the stub does not start. */
import assert from 'node:assert/strict';
import { flashAt } from '../support/flash-board.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

describe('esp: flash without the stub', () => {
  for (const chip of ['esp32', 'esp32c3'] as const) {
    it(`writes and checks on an ${chip}`, async () => {
      const image = demoImage({ chip, payloadSize: 20_000 });
      await onBoard(chip, async (board) => {
        const { result } = await flashAt(board.rfc2217, image.bytes, { stub: 'avoid' });
        assert.equal(result.bytes, image.bytes.length);
        const held = await board.readFlash(image.offset, image.bytes.length);
        assert.deepEqual(Buffer.from(held), Buffer.from(image.bytes));
        assert.ok(!board.log().some(({ facts }) => facts['op'] === 'MEM_BEGIN'));
      });
    });
  }

  it('goes on without it when it does not start twice', async () => {
    const image = demoImage({ payloadSize: 20_000 });
    await onBoard('esp32', async (board) => {
      await board.fault({ kind: 'bad-ram' });
      const { events } = await flashAt(board.rfc2217, image.bytes);
      assert.ok(events.some(({ kind }) => kind === 'no-stub'));
      const held = await board.readFlash(image.offset, image.bytes.length);
      assert.deepEqual(Buffer.from(held), Buffer.from(image.bytes));
    });
  });

  it('erases everything first where that is wished', async () => {
    const image = demoImage({ payloadSize: 20_000 });
    await onBoard('esp32', async (board) => {
      await board.writeFlash(0x3ff000, Buffer.from('old'));
      await flashAt(board.rfc2217, image.bytes, { stub: 'avoid', erase: 'all' });
      assert.equal(Buffer.from(await board.readFlash(0x3ff000, 3)).toString('hex'), 'ffffff');
      const held = await board.readFlash(image.offset, image.bytes.length);
      assert.deepEqual(Buffer.from(held), Buffer.from(image.bytes));
    });
  });

  async function onBoard(
    chip: 'esp32' | 'esp32c3',
    work: (board: VirtualBoard) => Promise<void>,
  ): Promise<void> {
    const board = await launchBoard({ chip, timing: 'none', firmware: 'none' });
    try {
      await work(board);
    } finally {
      await board.close();
    }
  }
});
