/** Files from anywhere: whatever they hold, they are recognised or refused by an error with a code. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EspError } from '../../lib/esp/errors.ts';
import { recogniseFirmware } from '../../lib/esp/firmware.ts';
import { parsePartitions } from '../../lib/esp/partitions.ts';
import { demoImage } from '../virtual-board/demo-image.ts';

/** Runs and lets only our own errors pass. */
function survives(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof EspError, String(error));
    assert.match(error.code, /^image-/);
  }
}

const CHIPS = ['esp32', 'esp32c3', 'esp8266'] as const;
const images = CHIPS.map((chip) => demoImage({ chip, payloadSize: 2000 }).bytes);

describe('esp: firmware out of noise', () => {
  it('survives any bytes behind the magic of an image', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) =>
        survives(() => recogniseFirmware(Uint8Array.from([0xe9, ...bytes]))),
      ),
      { numRuns: 500 },
    );
  });

  it('survives headers and tables with any bytes written over', () => {
    const places = fc.oneof(
      fc.nat({ max: 64 }),
      fc.integer({ min: 0x7000, max: 0x70c0 }),
      fc.integer({ min: 0x8000, max: 0x80c0 }),
      fc.integer({ min: 0xf000, max: 0xf040 }),
      fc.integer({ min: 0x10000, max: 0x10040 }),
    );
    const writes = fc.array(fc.tuple(places, fc.uint8Array({ minLength: 1, maxLength: 8 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.nat({ max: 2 }), writes, fc.option(fc.nat()), (which, changes, length) => {
        const bytes = images[which]!.slice(0, length === null ? undefined : length % 0x12000);
        for (const [at, over] of changes) if (at + over.length <= bytes.length) bytes.set(over, at);
        survives(() => recogniseFirmware(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('survives any partition table', () => {
    const row = fc.oneof(
      fc.uint8Array({ minLength: 30, maxLength: 30 }).map((rest) => Uint8Array.from([0xaa, 0x50, ...rest])),
      fc.uint8Array({ minLength: 30, maxLength: 30 }).map((rest) => Uint8Array.from([0xeb, 0xeb, ...rest])),
      fc.uint8Array({ maxLength: 40 }),
    );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 100 }), (rows) => {
        survives(() => {
          const partitions = parsePartitions(Buffer.concat(rows));
          assert.ok(partitions.length <= 96);
        });
      }),
    );
  });

  it('reads an image that does not begin at the begin of its memory', () => {
    for (const image of images) {
      const memory = new Uint8Array(image.length + 7);
      memory.set(image, 7);
      assert.equal(recogniseFirmware(memory.subarray(7)).kind, recogniseFirmware(image).kind);
    }
  });
});
