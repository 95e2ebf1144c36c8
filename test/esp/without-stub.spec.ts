/** Flashing by the mask ROM alone, by wish and where the stub does not start. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { resetBoard } from '../../lib/board/loader-jobs.ts';
import { failsWith } from '../support/failures.ts';
import { flashAt } from '../support/flash-board.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';

describe('esp: flash without the stub', () => {
  for (const chip of ['esp32', 'esp32c3'] as const) {
    it(`writes and checks on an ${chip}`, async () => {
      const image = demoImage({ chip, payloadSize: 20_000, project: 'other' });
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
    const image = demoImage({ payloadSize: 20_000, project: 'other' });
    await onBoard('esp32', async (board) => {
      await board.fault({ kind: 'bad-ram' });
      const { events } = await flashAt(board.rfc2217, image.bytes);
      assert.ok(events.some(({ kind }) => kind === 'no-stub'));
      const held = await board.readFlash(image.offset, image.bytes.length);
      assert.deepEqual(Buffer.from(held), Buffer.from(image.bytes));
    });
  });

  it('erases everything first where that is wished', async () => {
    const image = demoImage({ payloadSize: 20_000, project: 'other' });
    await onBoard('esp32', async (board) => {
      await board.writeFlash(0x3ff000, Buffer.from('old'));
      await flashAt(board.rfc2217, image.bytes, { stub: 'avoid', erase: 'all' });
      assert.equal(Buffer.from(await board.readFlash(0x3ff000, 3)).toString('hex'), 'ffffff');
      const held = await board.readFlash(image.offset, image.bytes.length);
      assert.deepEqual(Buffer.from(held), Buffer.from(image.bytes));
    });
  });

  describe('at another rate', () => {
    const RATES: [string, LaunchOptions, number[]][] = [
      ['an ESP32, whose ROM is mistaken about its crystal', {}, [460800]],
      ['an ESP32-C2 with the crystal its ROM takes it for', { chip: 'esp32c2' }, [460800]],
      ['an ESP32-C2 with another crystal', { chip: 'esp32c2', crystalMhz: 26 }, [460800]],
      ['an ESP32-C5 with the crystal its ROM takes it for', { chip: 'esp32c5' }, [460800]],
      ['an ESP32-C5 with another crystal', { chip: 'esp32c5', crystalMhz: 40 }, [460800]],
      ['an ESP32-S3', { chip: 'esp32s3' }, [460800]],
      ['an ESP32 whose measure of its crystal cannot be', { registers: [[0x3ff5f06c, 0]] }, []],
    ];
    for (const [what, options, wanted] of RATES) {
      it(`writes ${what}, ${wanted.length > 0 ? 'faster' : 'at the first rate'}`, async () => {
        const image = demoImage({ chip: options.chip ?? 'esp32', payloadSize: 20_000 });
        await onBoard(options, async (board) => {
          const { result } = await flashAt(board.rfc2217, image.bytes, { stub: 'avoid' });
          assert.equal(result.verified, true);
          const rates = board.log().filter(({ name }) => name === 'baud');
          const near = (rate: unknown): number => Math.round(Number(rate) / 4608) * 4608;
          assert.deepEqual(
            rates.map(({ facts }) => near(facts['baudRate'])),
            wanted,
          );
        });
      });
    }

    it('goes back to the first rate when the ROM is not heard at the other', async () => {
      const image = demoImage({ payloadSize: 20_000, project: 'other' });
      // Its measure is plausible and yet not what the ROM goes by.
      await onBoard({ registers: [[0x3ff5f06c, 760 << 7]] }, async (board) => {
        const { result } = await flashAt(board.rfc2217, image.bytes, { stub: 'avoid' });
        assert.equal(result.verified, true);
        assert.equal(board.log().filter(({ name }) => name === 'baud').length, 1);
      });
    });
  });

  it('is refused in words on an ESP8266, whose ROM cannot, and which is reset all the same', async () => {
    const { bytes } = demoImage({ chip: 'esp8266', payloadSize: 20_000, project: 'other' });
    await onBoard({ chip: 'esp8266' }, async (device) => {
      const flashing = flashAt(device.rfc2217, bytes, { stub: 'avoid' });
      await assert.rejects(flashing, failsWith('stub-needed', { chip: 'ESP8266' }));
      const board = new Board({ port: device.rfc2217, baudRate: 115200 });
      const options = { baudRate: 460800, connectTimeoutMs: 8000, onEvent: () => undefined };
      assert.equal((await resetBoard(board, 'loader', options)).chip, 'ESP8266');
      await board.close();
    });
  });

  it('names the pins of a flash in the package', async () => {
    const image = demoImage({ payloadSize: 20_000, project: 'other' });
    // An ESP32-PICO-D4: CLK 6, Q 17, D 8, CS 16, HD 11.
    const low = (1 << 20) | (16 << 15) | (8 << 10) | (17 << 5) | 6;
    const registers: [number, number][] = [
      [0x3ff5a014, low],
      [0x3ff5a00c, 0x8a00 | (11 << 4)],
    ];
    await onBoard({ registers }, async (board) => {
      const { result } = await flashAt(board.rfc2217, image.bytes, { stub: 'avoid' });
      assert.equal(result.verified, true);
    });
  });

  it('sees what is on the board, and leaves settings where they are', async () => {
    const image = demoImage({ payloadSize: 20_000, project: 'other' });
    await onBoard('esp32', async (board) => {
      await board.writeFlash(image.offset, image.bytes);
      await board.writeFlash(0x9000, Buffer.from('settings'));
      await board.writeFlash(0x12000, Buffer.from('changed'));
      const { result } = await flashAt(board.rfc2217, image.bytes, { stub: 'avoid', erase: 'never' });
      assert.deepEqual(result.plan.losses, []);
      assert.deepEqual(result.plan.parts, [{ offset: 0x12000, size: 0x1000 }]);
      assert.equal(Buffer.from(await board.readFlash(0x9000, 8)).toString(), 'settings');
    });
  });

  it('refuses with `never` to overwrite data of another layout', async () => {
    const image = demoImage({ payloadSize: 20_000, project: 'other' });
    await onBoard('esp32', async (board) => {
      const table = Uint8Array.from(image.bytes.subarray(0x7000, 0x7c00));
      // The files begin a sector later; the MD5 row goes.
      table[4 + 3 * 32 + 1] = 0x10;
      table.fill(0xff, 4 * 32);
      await board.writeFlash(0x8000, table);
      const flashing = flashAt(board.rfc2217, image.bytes, { stub: 'avoid', erase: 'never' });
      await assert.rejects(flashing, failsWith('would-lose-data', { labels: 'vfs' }));
      assert.ok(!board.log().some(({ facts }) => /FLASH_.*BEGIN/.test(String(facts['op']))));
    });
  });

  async function onBoard(
    options: LaunchOptions['chip'] | LaunchOptions,
    work: (board: VirtualBoard) => Promise<void>,
  ): Promise<void> {
    const own = typeof options === 'object' ? options : { ...(options ? { chip: options } : {}) };
    const board = await launchBoard({ timing: 'none', firmware: 'none', ...own });
    try {
      await work(board);
    } finally {
      await board.close();
    }
  }
});
