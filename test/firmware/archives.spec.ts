/** Archives and ESP-IDF builds, and each damage that is told by its name. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { readContents } from '../../lib/firmware/contents.ts';
import type { Contents } from '../../lib/firmware/parts.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { idfBuild, noise, uf2, zip } from './files.ts';
import { refuses } from './server.ts';

const MB = 1024 * 1024;

async function read(bytes: Uint8Array, maxBytes = 4 * MB): Promise<Contents> {
  return readContents(bytes, { name: 'file', maxBytes, signal: new AbortController().signal });
}

/** Offsets and lengths, for a glance. */
const layout = ({ parts }: Contents): [number | undefined, number][] =>
  parts.map(({ offset, bytes }) => [offset, bytes.length]);

const MERGED = demoImage({ payloadSize: 3000 });
const LOADER = noise(5000, 1);

describe('firmware: archives', () => {
  const build = idfBuild();

  for (const folder of ['', 'build/', 'project/build/']) {
    it(`reads an ESP-IDF build out of a zip, in "${folder}"`, async () => {
      const contents = await read(zip(build.map((file) => ({ ...file, path: folder + file.path }))));
      assert.equal(contents.chip, 'ESP32');
      assert.deepEqual(layout(contents), [
        [0x1000, 5000],
        [0x8000, 0xc00],
        [0x10000, 20_000],
      ]);
      assert.deepEqual(Buffer.from(contents.parts[2]!.bytes), build[3]!.bytes);
    });
  }

  it('reads the only firmware of a zip, whatever lies beside it', async () => {
    const files = [
      { path: 'docs/', bytes: Buffer.alloc(0), stored: true },
      { path: 'LICENSE.txt', bytes: noise(100, 1) },
      { path: '__MACOSX/._fw.bin', bytes: noise(100, 1) },
    ];
    const image = await read(zip([...files, { path: 'fw.bin', bytes: MERGED.bytes }], 'a comment'));
    assert.deepEqual(Buffer.from(image.parts[0]!.bytes), Buffer.from(MERGED.bytes));
    assert.equal(image.parts[0]!.name, 'fw.bin');
    const packed = await read(
      zip([...files, { path: 'fw.uf2', bytes: uf2([{ address: 0x1000, bytes: LOADER }]) }]),
    );
    assert.deepEqual(layout(packed), [[0x1000, LOADER.length]]);
  });

  it('refuses a zip that holds several, none, or not what its list names', async () => {
    const bins = [1, 2].map((i) => ({ path: `${i}.bin`, bytes: LOADER }));
    await refuses(read(zip(bins)), 'flasher-args-missing', { files: ['1.bin', '2.bin'] });
    await refuses(read(zip([])), 'flasher-args-missing', { files: [] });
    await refuses(read(zip(build.slice(0, 3))), 'flasher-args-missing');
  });

  it('reads gzip', async () => {
    assert.deepEqual(
      Buffer.from((await read(gzipSync(MERGED.bytes))).parts[0]!.bytes),
      Buffer.from(MERGED.bytes),
    );
  });

  it('refuses bombs', async () => {
    const bomb = new Uint8Array(8 * MB);
    await refuses(read(gzipSync(bomb), MB), 'source-too-large', { limit: MB });
    await refuses(read(zip([{ path: 'a.bin', bytes: bomb }]), MB), 'source-too-large', { limit: MB });
    await refuses(read(zip([{ path: 'a.bin', bytes: bomb, size: 100 }]), MB), 'zip-damaged', {
      what: 'data',
    });
    const many = build.map((file) =>
      file.path.endsWith('.bin') ? { ...file, bytes: new Uint8Array(MB) } : file,
    );
    await refuses(read(zip(many), 2 * MB), 'source-too-large');
  });

  it('does not unpack an archive in an archive', async () => {
    const inner = gzipSync(MERGED.bytes);
    assert.deepEqual(Buffer.from((await read(gzipSync(inner))).parts[0]!.bytes), inner);
  });

  const one = zip([{ path: 'a.bin', bytes: LOADER, stored: true }]);
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(one);
    copy[at < 0 ? copy.length + at : at] = value;
    return copy;
  };
  const directory = one.length - 22 - 46 - 5;
  const DAMAGES: readonly [string, Buffer][] = [
    ['truncated', one.subarray(0, -1)],
    ['truncated', Buffer.concat([one, Buffer.from('x')])],
    ['checksum', changed(100, one[100]! ^ 1)],
    ['directory', changed(directory, 0)],
    ['directory', changed(-22 + 10, 9)],
    ['file header', changed(directory + 42, 1)],
    ['truncated', changed(directory + 22, 1)],
    ['method', changed(directory + 10, 12)],
    ['encrypted', zip([{ path: 'a.bin', bytes: LOADER, flags: 1 }])],
    ['size', zip([{ path: 'a.bin', bytes: LOADER, size: 5001 }])],
  ];
  for (const [what, file] of DAMAGES) {
    it(`tells a damage: ${what}`, async () => refuses(read(file), 'zip-damaged', { what, source: 'file' }));
  }

  it('tells a damaged gzip', async () => {
    await refuses(read(gzipSync(LOADER).subarray(0, -3)), 'zip-damaged', { what: 'data' });
  });
});

describe('firmware: flasher_args.json', () => {
  const packed = (changes: Record<string, unknown>): Buffer => zip(idfBuild(changes));

  const UNUSABLE: readonly [string, Record<string, unknown>][] = [
    ['flash_files', { flash_files: {} }],
    ['flash_files', { flash_files: null }],
    ['offset -4', { flash_files: { '-4': 'hello.bin' } }],
    ['offset 0x8000000', { flash_files: { '0x8000000': 'hello.bin' } }],
    ['file ../../etc/passwd', { flash_files: { 0: '../../etc/passwd' } }],
    ['file /etc/passwd', { flash_files: { 0: '/etc/passwd' } }],
    ['file C:/x.bin', { flash_files: { 0: 'C:/x.bin' } }],
    ['file 7', { flash_files: { 0: 7 } }],
    ['chip esp99', { extra_esptool_args: { chip: 'esp99' } }],
  ];
  for (const [what, changes] of UNUSABLE) {
    it(`refuses ${what}`, async () => refuses(read(packed(changes)), 'flasher-args-unusable', { what }));
  }

  it('takes a build for an encrypted chip: what is done about it is told by the chip', async () => {
    const app = { offset: '0x10000', file: 'hello.bin', encrypted: 'true' };
    assert.ok(await read(packed({ app })));
  });

  it('refuses what is no JSON', async () => {
    const file = zip([{ path: 'flasher_args.json', bytes: Buffer.from('{') }]);
    await refuses(read(file), 'flasher-args-unusable', { what: 'no JSON' });
  });

  it('refuses parts that overlap', async () => {
    const files = { '0x1000': 'bootloader/bootloader.bin', '0x2000': 'hello.bin' };
    await refuses(read(packed({ flash_files: files })), 'parts-overlap', {
      first: 'bootloader/bootloader.bin',
      second: 'hello.bin',
      offset: '0x2000',
    });
  });

  it('knows no chip where none is named', async () => {
    assert.equal((await read(packed({ extra_esptool_args: undefined }))).chip, undefined);
  });
});
