/** Files from anywhere: whatever they hold, they are read or refused by an error with a code, and soon. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parseCatalogueName } from '../../lib/firmware/catalogue.ts';
import { readContents } from '../../lib/firmware/contents.ts';
import { FirmwareError } from '../../lib/firmware/errors.ts';
import { WebError } from '../../lib/web/errors.ts';
import { parseFlasherArgs } from '../../lib/firmware/flasher-args.ts';
import { firmwareSource } from '../../lib/firmware/source.ts';
import { hexRecord, idfBuild, intelHex, noise, uf2, zip } from './files.ts';

const LIMIT = 256 * 1024;
const signal = new AbortController().signal;

/** Runs and lets only our own errors pass; what comes out keeps to the limit and has its place in a flash. */
async function survives(bytes: Uint8Array): Promise<void> {
  try {
    const { parts } = await readContents(bytes, { name: 'file', maxBytes: LIMIT, signal });
    const total = parts.reduce((sum, part) => sum + part.bytes.length, 0);
    assert.ok(total <= Math.max(LIMIT, bytes.length));
    for (const { offset = 0, bytes: part } of parts)
      assert.ok(offset >= 0 && offset + part.length <= 2 ** 27 + LIMIT);
  } catch (error) {
    assert.ok(error instanceof FirmwareError, error instanceof Error ? error.stack : String(error));
  }
}

const part = { address: 0x1000, bytes: noise(2000, 1) };
const SEEDS: Readonly<Record<string, Buffer>> = {
  UF2: uf2([part]),
  'UF2 with MD5': uf2([part], { md5: 'at the end' }),
  'Intel HEX': intelHex([part, { address: 0xfff0, bytes: noise(64, 2) }]),
  'zip of a build': zip(idfBuild()),
  'zip of a firmware': zip([{ path: 'a.uf2', bytes: uf2([part]) }]),
  gzip: gzipSync(intelHex([part])),
};

describe('firmware out of noise', function () {
  this.timeout(120_000);

  for (const [name, seed] of Object.entries(SEEDS)) {
    it(`survives ${name} with any bytes written over, cut anywhere`, async () => {
      // The headers of an archive lie at its begin and its end.
      const place = fc.oneof(
        fc.nat({ max: seed.length - 1 }),
        fc.nat({ max: 100 }),
        fc.nat({ max: 400 }).map((back) => Math.max(0, seed.length - 1 - back)),
      );
      const value = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
      const writes = fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(writes, fc.option(fc.nat(), { freq: 4 }), async (changes, length) => {
          const bytes = Buffer.from(seed);
          for (const [at, byte] of changes) bytes[at] = byte;
          await survives(length === null ? bytes : bytes.subarray(0, length % seed.length));
        }),
        { numRuns: 400 },
      );
    });
  }

  const MAGICS: Readonly<Record<string, number[]>> = {
    UF2: [0x55, 0x46, 0x32, 0x0a, 0x57, 0x51, 0x5d, 0x9e],
    'Intel HEX': [0x3a, 0x30, 0x30],
    zip: [0x50, 0x4b, 3, 4],
    'empty zip': [0x50, 0x4b, 5, 6],
    gzip: [0x1f, 0x8b, 8],
  };
  for (const [name, magic] of Object.entries(MAGICS)) {
    it(`survives any bytes behind the magic of ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 1200 }), async (bytes) =>
          survives(Buffer.from([...magic, ...bytes])),
        ),
        { numRuns: 300 },
      );
    });
  }

  it('survives any records with right checksums', async () => {
    const record = fc
      .tuple(fc.nat({ max: 7 }), fc.nat({ max: 0xffff }), fc.uint8Array({ maxLength: 20 }))
      .map(([type, address, data]) => hexRecord(type, address, data));
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 60 }), async (records) => {
        await survives(Buffer.from([...records, hexRecord(1, 0, Buffer.alloc(0))].join('\n')));
      }),
      { numRuns: 300 },
    );
  });

  it('gives back every UF2 and HEX file that it can have been', async () => {
    const sectors = fc.uniqueArray(fc.nat({ max: 20 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sectors, fc.integer({ min: 1, max: 4000 }), async (numbers, length) => {
        // Two sectors apart, so that no two join.
        const made = numbers
          .sort((a, b) => a - b)
          .map((number) => ({ address: number * 8192 + 4096, bytes: noise(length, number) }));
        const asEsptool = uf2(made, { size: 452, md5: 'behind the data', numberedApart: true });
        for (const file of [uf2(made), asEsptool, intelHex(made)]) {
          const { parts } = await readContents(file, { name: 'file', maxBytes: LIMIT, signal });
          assert.deepEqual(
            parts.map(({ offset, bytes }) => ({ address: offset, bytes: Buffer.from(bytes) })),
            made,
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('survives any flasher_args.json', () => {
    const args = fc.record(
      {
        flash_files: fc.oneof(
          fc.json(),
          fc.dictionary(fc.oneof(fc.string(), fc.constant('0x0')), fc.string()),
        ),
        app: fc.jsonValue(),
        extra_esptool_args: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(args, fc.jsonValue()), (value) => {
        try {
          for (const { offset, path } of parseFlasherArgs(Buffer.from(JSON.stringify(value)), 'file').files) {
            assert.ok(Number.isInteger(offset) && !path.split('/').includes('..'));
          }
        } catch (error) {
          assert.ok(error instanceof FirmwareError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('survives any value', async () => {
    const options = {
      cacheDir: '/nonexistent',
      catalogueUrl: 'http://127.0.0.1:1/',
      maxBytes: LIMIT,
      timeoutMs: 100,
      signal,
    };
    const entry = fc.record(
      {
        offset: fc.anything(),
        data: fc.anything(),
        path: fc.anything(),
        url: fc.anything(),
        sha256: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const value = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.webUrl({ validSchemes: ['ftp', 'file'] }),
      entry,
      fc.array(entry),
    );
    await fc.assert(
      fc.asyncProperty(value, async (firmware) => {
        try {
          await firmwareSource(firmware, options);
        } catch (error) {
          assert.ok(
            error instanceof FirmwareError || error instanceof WebError,
            error instanceof Error ? error.stack : String(error),
          );
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('reads any text as a name, or not', () => {
    const near = fc.tuple(fc.constant('micropython'), fc.string()).map((halves) => halves.join(''));
    fc.assert(fc.property(fc.oneof(fc.string(), near), (text) => void parseCatalogueName(text)));
    // A pattern that looks back would take hours for these.
    parseCatalogueName(`micropython${' '.repeat(100_000)}x`);
    parseCatalogueName(`micropython/${'a'.repeat(100_000)}-`);
  });
});
