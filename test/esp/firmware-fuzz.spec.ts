/** Files from anywhere: whatever they hold, they are recognised or refused by an error with a code. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { CHIPS as ALL_CHIPS } from '../../lib/esp/chips.ts';
import { EspError } from '../../lib/esp/errors.ts';
import { recogniseFirmware } from '../../lib/esp/firmware.ts';
import { parseImage } from '../../lib/esp/image.ts';
import { parsePartitions } from '../../lib/esp/partitions.ts';
import type { Partition } from '../../lib/esp/partitions.ts';
import { checkParts, placeParts } from '../../lib/esp/place.ts';
import type { Placed } from '../../lib/esp/place.ts';
import { placeOn } from '../../lib/esp/place-on-board.ts';
import { checksum, words } from '../../lib/esp/protocol.ts';
import { strategiesFor } from '../../lib/esp/reset.ts';
import { withSession } from '../../lib/esp/session.ts';
import type { Session } from '../../lib/esp/session.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { Transport } from '../../lib/transport/transport.ts';
import { failsWith } from '../support/failures.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';

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

  /** What chips say of themselves: by these fields an image that is whole is refused or taken. */
  const identities = fc.record({
    chipId: fc.oneof(fc.constantFrom(0, 2, 5, 9, 12, 13, 16, 18, 20, 23), fc.nat({ max: 0xffff })),
    minRevision: fc.constantFrom(0, 1, 101, 301, 400, 0xfffe),
    maxRevision: fc.constantFrom(0, 99, 300, 399, 0xffff),
    length: fc.constantFrom(undefined, 0x7000, 0xf000),
  });
  type SaidOfChip = typeof identities extends fc.Arbitrary<infer T> ? T : never;

  /** A merged image whose loader says so, its SHA-256 made anew. */
  function saying(which: number, { chipId, minRevision, maxRevision, length }: SaidOfChip): Uint8Array {
    const bytes = Buffer.from(images[which]!.slice(0, length));
    const { hashAt = 0 } = parseImage(bytes);
    bytes.writeUInt16LE(chipId, 12);
    bytes.writeUInt16LE(minRevision, 15);
    bytes.writeUInt16LE(maxRevision, 17);
    bytes.set(createHash('sha256').update(bytes.subarray(0, hashAt)).digest(), hashAt);
    return bytes;
  }

  it('goes nowhere but where its chip begins, and on no other chip', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1 }), identities, (which, said) =>
        survives(() => {
          const parts = checkParts([{ bytes: saying(which, said) }]);
          for (const chip of ALL_CHIPS) {
            const target = { chip, flashSize: 0x400000, revision: 300 };
            const place = (): Placed => placeParts(parts, target, {});
            if (chip.imageId !== said.chipId) assert.throws(place, failsWith('image-wrong-chip'));
            else survives(() => assert.equal(place().regions[0]?.offset, chip.loaderOffset));
          }
        }),
      ),
      { numRuns: 100 },
    );
  });

  it('that is refused has erased nothing', async () => {
    const board = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0 });
    const transport = await openTransport(board.rfc2217);
    let refused = 0;
    try {
      await inSession(transport, async (session) => {
        for (const said of fc.sample(identities, { seed: 7, numRuns: 60 })) {
          try {
            await placeOn(session, checkParts([{ bytes: saying(0, said) }]), {});
          } catch (error) {
            survives(() => {
              throw error as Error;
            });
            refused++;
          }
        }
      });
      assert.ok(refused > 20, String(refused));
      const touching = board
        .log()
        .filter(({ facts }) => /FLASH.*(BEGIN|DATA)|ERASE/.test(String(facts['op'])));
      assert.deepEqual(touching, []);
    } finally {
      await transport.close();
      await board.close();
    }
  }).timeout(20_000);

  it('reads an image that does not begin at the begin of its memory', () => {
    for (const image of images) {
      const memory = new Uint8Array(image.length + 7);
      memory.set(image, 7);
      assert.equal(recogniseFirmware(memory.subarray(7)).kind, recogniseFirmware(image).kind);
    }
  });
});

describe('esp: what is whole', () => {
  it('is an image of any segments, with its checksum and hash', () => {
    const segment = fc.tuple(fc.nat({ max: 0xffffffff }), fc.uint8Array({ minLength: 1, maxLength: 200 }));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 16 }), fc.boolean(), (segments, isHashed) => {
        const bytes = imageOf(segments, isHashed);
        const image = parseImage(Uint8Array.from([...bytes, 1, 2, 3]));
        assert.equal(image.length, bytes.length);
        assert.equal(image.hashAt !== undefined, isHashed);
      }),
    );
  });

  it('is a table of any partitions', () => {
    const partition = fc.record(
      {
        label: fc.stringMatching(/^[\w-]{1,16}$/),
        type: fc.nat({ max: 0xfe }),
        subtype: fc.nat({ max: 0xff }),
        offset: fc.nat({ max: 0xffffffff }),
        size: fc.nat({ max: 0xffffffff }),
        encrypted: fc.boolean(),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(partition, { maxLength: 94 }), (partitions) => {
        assert.deepEqual(parsePartitions(tableOf(partitions)), partitions);
      }),
    );
  });

  it('is nothing with any bit of it flipped', () => {
    for (const image of images.slice(0, 2)) {
      const { image: loader, applications, offset = 0 } = recogniseFirmware(image);
      const [table, app] = [0x8000 - offset, 0x10000 - offset];
      // Four partitions and the row with their MD5, of which the first two bytes and the last sixteen count.
      const covered: [from: number, length: number][] = [
        [0, loader.length],
        [table, 4 * 32 + 2],
        [table + 4 * 32 + 16, 16],
        [app, applications[0]!.length],
      ];
      // Whether there is a hash is said in a byte of the header.
      const says = new Set([23, app + 23]);
      const places = fc.oneof(
        ...covered.map(([from, length]) => fc.integer({ min: from, max: from + length - 1 })),
      );
      fc.assert(
        fc.property(places, fc.nat({ max: 7 }), (at, bit) => {
          fc.pre(!says.has(at));
          const bytes = image.slice();
          bytes[at] = bytes[at]! ^ (1 << bit);
          assert.throws(() => recogniseFirmware(bytes), EspError);
        }),
        { numRuns: 300 },
      );
    }
  });
});

function imageOf(segments: readonly [number, Uint8Array][], isHashed: boolean): Buffer {
  const header = Buffer.alloc(24);
  header.set([0xe9, segments.length]);
  header[23] = Number(isHashed);
  const parts = segments.map(([address, data]) => Buffer.concat([words(address, data.length), data]));
  const body = Buffer.concat([header, ...parts]);
  const sealed = Buffer.alloc((body.length | 15) + 1);
  body.copy(sealed);
  sealed[sealed.length - 1] = segments.reduce((sum, [, data]) => checksum(data, sum), 0xef);
  return isHashed ? Buffer.concat([sealed, createHash('sha256').update(sealed).digest()]) : sealed;
}

function tableOf(partitions: readonly Partition[]): Buffer {
  const rows = partitions.map(({ label, type, subtype, offset, size, encrypted }) => {
    const row = Buffer.alloc(32);
    row.set([0xaa, 0x50, type, subtype]);
    row.set(words(offset, size), 4);
    row.write(label, 12, 16);
    row.writeUInt32LE(Number(encrypted), 28);
    return row;
  });
  const hash = Buffer.alloc(32, 0xff);
  hash.set([0xeb, 0xeb]);
  hash.set(createHash('md5').update(Buffer.concat(rows)).digest(), 16);
  const table = Buffer.alloc(0xc00, 0xff);
  Buffer.concat([...rows, hash]).copy(table);
  return table;
}

async function inSession(transport: Transport, work: (session: Session) => Promise<void>): Promise<void> {
  const { kind, hasModemLines } = transport;
  await withSession(
    transport,
    {
      strategies: strategiesFor({ kind, hasModemLines, platform: process.platform }),
      timeoutMs: 8000,
      baudRate: 921600,
      after: { baudRate: 115200, idleLines: undefined },
      signal: new AbortController().signal,
      onEvent: () => undefined,
    },
    work,
  );
}
