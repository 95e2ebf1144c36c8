/** Time for a block by what it becomes, and reading that goes on where bytes were harmed. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { readBoard } from '../../lib/board/loader-jobs.ts';
import { deflate, unpackedSizes } from '../../lib/esp/deflate.ts';
import { writeTimeout } from '../../lib/esp/timeouts.ts';
import { random } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';

const MB = 0x100000;
const BLOCK = 0x4000;

async function sizesOf(bytes: Uint8Array): Promise<number[]> {
  const packed = await deflate(bytes, new AbortController().signal);
  const size = unpackedSizes();
  return Array.from({ length: Math.ceil(packed.length / BLOCK) }, (_, i) =>
    size(packed.subarray(i * BLOCK, (i + 1) * BLOCK)),
  );
}

describe('esp: what a compressed block becomes', () => {
  it('is all of it, block by block', async () => {
    const next = random(1);
    const noise = Uint8Array.from({ length: 40_000 }, () => next() * 256);
    const mixed = Uint8Array.from([...noise, ...new Uint8Array(2 * MB), ...noise]);
    const sizes = await sizesOf(mixed);
    assert.ok(sizes.length > 1);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      mixed.length,
    );
    // The one with the zeros, and no other, becomes megabytes.
    assert.equal(sizes.filter((size) => size > MB).length, 1);
  });

  it('decides how long it is waited for: seconds for most, more for much', async () => {
    const [sole = 0] = await sizesOf(new Uint8Array(2 * MB));
    assert.ok(writeTimeout(sole) > 80_000);
    assert.ok(writeTimeout(2 * BLOCK) < 5000);
  });
});

describe('esp: reading over a bad line', () => {
  for (const [kind, direction, every] of [
    ['flip', 'to-host', 100_000],
    ['drop', 'to-host', 100_000],
    ['duplicate', 'to-host', 100_000],
    ['drop', 'to-chip', 300],
  ] as const) {
    it(`comes to the right bytes with a ${kind} ${direction}`, async () => {
      const device = await launchBoard({ timing: 'none', seed: 5 });
      const board = new Board({ port: device.rfc2217, baudRate: 115200 });
      try {
        let harming: Promise<void> | undefined;
        const size = 0x60000;
        const bytes = await readBoard(
          board,
          { offset: 0, size },
          {
            baudRate: 921600,
            connectTimeoutMs: 15_000,
            onEvent: (event) => {
              if (event.kind === 'reading') harming ??= device.fault({ kind, direction, every, times: 2 });
            },
          },
        );
        await harming;
        const stats = await device.stats();
        assert.ok(stats[kind] > 0);
        assert.ok(Buffer.from(bytes).equals(await device.readFlash(0, size)));
      } finally {
        await board.close();
        await device.close();
      }
    }).timeout(60_000);
  }
});
