/** Secure Boot, flash encryption, Secure Download Mode: what is done, what is refused, and what can be forced. */
import assert from 'node:assert/strict';
import type { FlashOptions } from '../../lib/esp/flash.ts';
import { checkParts } from '../../lib/esp/place.ts';
import { failsWith } from '../support/failures.ts';
import { flashPartsAt } from '../support/flash-board.ts';
import type { Flashed } from '../support/flash-board.ts';
import type { ChipName } from '../virtual-board/chips.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';
import type { Protection } from '../virtual-board/protection.ts';
import { scramble } from '../virtual-board/protection.ts';

const APP = 0x10000;
const SIGNATURE_SECTOR = 4096;

const merged = (chip: ChipName): { offset: number; bytes: Uint8Array } =>
  demoImage({ chip, payloadSize: 20_000, project: 'other' });
/** The application of an image alone, signed where that is wished. */
function application(chip: ChipName, signed = false): Uint8Array {
  const { offset, bytes } = merged(chip);
  const app = bytes.subarray(APP - offset);
  if (!signed) return app;
  const end = Math.ceil(app.length / SIGNATURE_SECTOR) * SIGNATURE_SECTOR;
  const whole = new Uint8Array(end + SIGNATURE_SECTOR).fill(0xff);
  whole.set(app);
  whole.set([0xe7, 2], end);
  return whole;
}

describe('esp: protected chips', () => {
  async function on(
    chip: ChipName,
    protection: Partial<Protection>,
    work: (board: VirtualBoard, go: Go) => Promise<void>,
    options: LaunchOptions = {},
  ): Promise<void> {
    const board = await launchBoard({
      chip,
      protection,
      timing: 'none',
      bootMs: 0,
      firmware: 'none',
      ...options,
    });
    try {
      await work(board, (parts, wish) => flashPartsAt(board.rfc2217, checkParts(parts), wish));
    } finally {
      await board.close();
    }
  }
  type Go = (
    parts: { bytes: Uint8Array; offset?: number }[],
    wish?: Partial<FlashOptions>,
  ) => Promise<Flashed>;

  const commands = (board: VirtualBoard): string[] =>
    board.log().flatMap(({ name, facts }) => (name === 'command' ? [String(facts['op'])] : []));
  const nothingWritten = (board: VirtualBoard): void =>
    assert.deepEqual(
      commands(board).filter((op) => /FLASH_(DEFL_)?BEGIN|ERASE/.test(op)),
      [],
    );
  const held = async (board: VirtualBoard, at: number, length: number): Promise<Buffer> =>
    Buffer.from(await board.readFlash(at, length));

  describe('with flash encryption', () => {
    for (const chip of ['esp32', 'esp32s3', 'esp32c2', 'esp32c61'] as const) {
      it(`refuses plain firmware on an ${chip}`, () =>
        on(chip, { cryptCount: 1 }, async (board, go) => {
          await assert.rejects(go([merged(chip)]), failsWith('chip-secured', { heard: 'encryption' }));
          nothingWritten(board);
        }));
    }

    it('takes an even number of bits for off', () =>
      on('esp32c3', { cryptCount: 3 }, async (_board, go) => {
        assert.equal((await go([merged('esp32c3')])).result.verified, true);
      }));

    for (const chip of ['esp32', 'esp32c3'] as const) {
      it(`has an ${chip} encrypt on wish, and then start it`, () =>
        on(chip, { cryptCount: 1 }, async (board, go) => {
          const image = merged(chip);
          const started = board.nextEvent(({ name }) => name === 'program');
          const { result } = await go([image], { encrypt: true });
          assert.equal(result.verified, false);
          assert.equal(result.plan.boardRead, false);
          await started;
          const app = application(chip);
          assert.deepEqual(await held(board, APP, app.length), Buffer.from(scramble(APP, app)));
          // Settings are not the firmware's: padding is not encrypted over them.
          assert.deepEqual(await held(board, 0x9000, 16), Buffer.alloc(16, 0xff));
        }));
    }

    it('does so by the mask ROM where that can', () =>
      on('esp32c3', { cryptCount: 1 }, async (board, go) => {
        const started = board.nextEvent(({ name }) => name === 'program');
        await go([merged('esp32c3')], { encrypt: true, stub: 'avoid' });
        await started;
      }));

    it('says where the ROM cannot', () =>
      on('esp32', { cryptCount: 1 }, async (board, go) => {
        const going = go([merged('esp32')], { encrypt: true, stub: 'avoid' });
        await assert.rejects(going, failsWith('encryption-unavailable', { heard: 'loader' }));
        nothingWritten(board);
      }));

    it('says where the chip does so no more', () =>
      on('esp32c3', { cryptCount: 1, noDownloadEncryption: true }, async (board, go) => {
        const going = go([merged('esp32c3')], { encrypt: true, force: true });
        await assert.rejects(going, failsWith('encryption-unavailable', { heard: 'disabled' }));
        nothingWritten(board);
      }));

    it('writes what is encrypted already as it is, when forced', () =>
      on('esp32c3', { cryptCount: 1 }, async (board, go) => {
        const { offset, bytes } = merged('esp32c3');
        const ready = scramble(offset, bytes);
        const started = board.nextEvent(({ name }) => name === 'program');
        const { result } = await go([{ offset, bytes: ready }], { force: true });
        assert.equal(result.verified, true);
        await started;
      }));

    it('does so also where it happens to begin like an image', () =>
      on('esp32c3', { cryptCount: 1 }, async (board, go) => {
        const ready = scramble(APP, application('esp32c3'));
        ready[0] = 0xe9;
        const part = { offset: APP, bytes: ready };
        await assert.rejects(go([part]), failsWith('image-damaged'));
        nothingWritten(board);
        await go([part], { force: true });
        assert.deepEqual(await held(board, APP, ready.length), Buffer.from(ready));
      }));

    it('keeps no files that it cannot find', () =>
      on('esp32c3', { cryptCount: 1 }, async (board, go) => {
        const going = go([merged('esp32c3')], { encrypt: true, backup: 'data' });
        await assert.rejects(going, failsWith('chip-secured', { heard: 'encryption' }));
        nothingWritten(board);
      }));

    it('is not what encrypted firmware finds on a chip without it', () =>
      on('esp32c3', {}, async (board, go) => {
        const { offset, bytes } = merged('esp32c3');
        const going = go([{ offset, bytes: scramble(offset, bytes) }]);
        await assert.rejects(going, failsWith('image-encrypted'));
        await assert.rejects(
          go([{ offset, bytes }], { encrypt: true }),
          failsWith('encryption-unavailable', { heard: 'off' }),
        );
        nothingWritten(board);
      }));
  });

  describe('with Secure Boot', () => {
    for (const chip of ['esp32', 'esp32s3', 'esp32c6'] as const) {
      it(`refuses a loader on an ${chip}, and writes it when forced`, () =>
        on(chip, { secureBoot: true }, async (board, go) => {
          const image = merged(chip);
          await assert.rejects(go([image]), failsWith('chip-secured', { heard: 'secure-boot' }));
          nothingWritten(board);
          const { result } = await go([image], { force: true, settings: { size: '8MB' } });
          assert.equal(result.verified, true);
          // The header is part of what is signed.
          assert.deepEqual(await held(board, image.offset, 24), Buffer.from(image.bytes.subarray(0, 24)));
        }));
    }

    it('refuses an application without a signature, and takes one with it', () =>
      on('esp32c6', { secureBoot: true }, async (board, go) => {
        const wish = { offset: APP };
        await assert.rejects(go([{ bytes: application('esp32c6') }], wish), failsWith('image-unsigned'));
        nothingWritten(board);
        const { result } = await go([{ bytes: application('esp32c6', true) }], wish);
        assert.equal(result.verified, true);
      }));

    it('refuses everything with its first version, which keeps the key in the chip', () =>
      on(
        'esp32',
        {},
        async (board, go) => {
          const going = go([{ bytes: application('esp32', true) }], { offset: APP });
          await assert.rejects(going, failsWith('chip-secured', { heard: 'secure-boot' }));
          nothingWritten(board);
        },
        { registers: [[0x3ff5a018, 1 << 4]] },
      ));

    for (const chip of ['esp32c3', 'esp32s3'] as const) {
      it(`leaves an ${chip} to its ROM, which starts no code then`, () =>
        on(chip, { secureBoot: true }, async (board, go) => {
          await go([{ bytes: application(chip, true) }], { offset: APP });
          assert.ok(!commands(board).includes('MEM_BEGIN'));
        }));
    }

    it('erases nothing without consent', () =>
      on('esp32c6', { secureBoot: true }, async (board, go) => {
        const going = go([{ bytes: application('esp32c6', true) }], { offset: APP, erase: 'all' });
        await assert.rejects(going, failsWith('chip-secured', { heard: 'secure-boot' }));
        nothingWritten(board);
      }));
  });

  describe('in Secure Download Mode', () => {
    for (const chip of ['esp32s2', 'esp32s3', 'esp32c2', 'esp32c5', 'esp32p4'] as const) {
      it(`writes an ${chip} with what its ROM still does, and starts it`, () =>
        on(chip, { secureDownload: true }, async (board, go) => {
          const image = merged(chip);
          const started = board.nextEvent(({ name }) => name === 'program');
          const { result } = await go([image]);
          await started;
          assert.equal(result.verified, false);
          assert.equal(result.plan.boardRead, false);
          assert.equal(result.mac, undefined);
          assert.equal(result.flashSize, undefined);
          const app = application(chip);
          assert.deepEqual(await held(board, APP, app.length), Buffer.from(app));
          assert.ok(!commands(board).some((op) => /MEM_|REG$|MD5|DEFL/.test(op) && op !== 'READ_REG'));
        }));
    }

    it('says that losses are not known where losing is not allowed', () =>
      on('esp32c3', { secureDownload: true }, async (board, go) => {
        const going = go([merged('esp32c3')], { erase: 'never' });
        await assert.rejects(going, failsWith('would-lose-data', { heard: 'unknown' }));
        nothingWritten(board);
      }));

    for (const [what, wish] of [
      ['erase everything', { erase: 'all', force: true }],
      ['keep anything', { backup: 'all' }],
    ] as const) {
      it(`cannot ${what}`, () =>
        on('esp32c3', { secureDownload: true }, async (board, go) => {
          const going = go([merged('esp32c3')], wish);
          await assert.rejects(going, failsWith('chip-secured', { heard: 'secure-download' }));
          nothingWritten(board);
        }));
    }

    it('does not take firmware for another chip', () =>
      on('esp32c3', { secureDownload: true }, async (board, go) => {
        await assert.rejects(go([merged('esp32s3')]), failsWith('image-wrong-chip'));
        nothingWritten(board);
      }));
  });
});
