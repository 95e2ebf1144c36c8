/** Erasing: that a chip says it did is not enough, the flash is looked at. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { eraseBoard, flashBoard } from '../../lib/board/loader-jobs.ts';
import type { Erased, LoaderJobOptions } from '../../lib/board/loader-jobs.ts';
import type { Range } from '../../lib/esp/range.ts';
import { checkParts } from '../../lib/esp/place.ts';
import { failsWith } from '../support/failures.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';

const OPTIONS = { baudRate: 921600, connectTimeoutMs: 15_000, onEvent: () => undefined };
const ALL: Range = { offset: 0 };
const REGION: Range = { offset: 0x130000, size: 0x20000 };
/** The last sector of the region. */
const WORN = 0x14f000;

async function onBoard(
  options: LaunchOptions,
  work: (
    device: VirtualBoard,
    erase: (range: Range, more?: Partial<LoaderJobOptions>) => Promise<Erased>,
    board: Board,
  ) => Promise<void>,
): Promise<void> {
  const device = await launchBoard({ timing: 'none', bootMs: 0, firmware: 'none', ...options });
  const board = new Board({ port: device.rfc2217, baudRate: 115200 });
  try {
    await work(device, (range, more) => eraseBoard(board, range, { ...OPTIONS, ...more }), board);
  } finally {
    await board.close();
    await device.close();
  }
}

describe('board: erasing', () => {
  it('is seen to have left nothing, by the stub as by the mask ROM', () =>
    onBoard({}, async (device, erase) => {
      for (const stub of ['use', 'avoid'] as const) {
        for (const range of [REGION, ALL]) {
          await device.writeFlash(WORN, Buffer.from('old'));
          device.clearLog();
          assert.equal((await erase(range, { stub })).verified, true);
          assert.equal(Buffer.from(await device.readFlash(WORN, 3)).toString('hex'), 'ffffff');
          assert.ok(device.log().some(({ facts }) => facts['op'] === 'SPI_FLASH_MD5'));
        }
      }
    }));

  it('is no success where a sector keeps what it holds, and says which', () =>
    onBoard({}, async (device, erase, board) => {
      await device.writeFlash(WORN, Buffer.from('old'));
      await device.fault({ kind: 'worn-sector', offset: WORN });
      const offset = '0x14f000';
      await assert.rejects(erase(REGION), failsWith('not-erased', { offset }));
      await assert.rejects(erase(ALL), failsWith('not-erased', { offset }));
      const firmware = checkParts([{ bytes: demoImage({ payloadSize: 20_000, project: 'other' }).bytes }]);
      const flashing = flashBoard(board, firmware, { ...OPTIONS, erase: 'all' });
      await assert.rejects(flashing, failsWith('not-erased', { offset }));
      // What lies around it is none of the region's.
      assert.equal((await erase({ ...REGION, size: 0x1f000 })).verified, true);
    }));

  it('is done unseen in Secure Download Mode, and that is told', () =>
    onBoard({ chip: 'esp32c3', protection: { secureDownload: true } }, async (device, erase) => {
      await device.writeFlash(WORN, Buffer.from('old'));
      assert.equal((await erase(REGION)).verified, false);
      assert.equal(Buffer.from(await device.readFlash(WORN, 3)).toString('hex'), 'ffffff');
    }));
});
