/** Files of firmware as tools write them, and each damage that is told by its name. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { readContents } from '../../lib/firmware/contents.ts';
import type { Contents } from '../../lib/firmware/parts.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { hexRecord, idfBuild, intelHex, noise, uf2, zip } from './files.ts';
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
const APP = noise(20_000, 2);

describe('firmware: files as they are', () => {
  it('leaves an image, and anything unknown, as one part without an offset', async () => {
    for (const bytes of [MERGED.bytes, new Uint8Array(), Buffer.from('<html>'), Buffer.from(':-)')]) {
      assert.deepEqual(await read(bytes), { parts: [{ bytes, name: 'file' }] });
    }
  });
});

describe('firmware: UF2', () => {
  it('gives parts at their offsets, and the chip', async () => {
    const file = uf2([
      { address: 0x10000, bytes: APP },
      { address: 0x1000, bytes: LOADER },
    ]);
    const contents = await read(file);
    assert.equal(contents.chip, 'ESP32');
    assert.deepEqual(layout(contents), [
      [0x1000, LOADER.length],
      [0x10000, APP.length],
    ]);
    assert.deepEqual(Buffer.from(contents.parts[1]!.bytes), APP);
  });

  it('takes blocks in any order, with MD5, of the largest size', async () => {
    const file = uf2([{ address: 0, bytes: APP }], { family: 0xc47e5767, md5: true, size: 452 });
    const blocks = Array.from({ length: file.length / 512 }, (_, i) => file.subarray(i * 512, (i + 1) * 512));
    const contents = await read(Buffer.concat(blocks.reverse()));
    assert.equal(contents.chip, 'ESP32-S3');
    assert.deepEqual(Buffer.from(contents.parts[0]!.bytes), APP);
  });

  it('knows no chip where no family is named', async () => {
    const contents = await read(uf2([{ address: 0x1000, bytes: LOADER }], { family: 0 }));
    assert.equal(contents.chip, undefined);
  });

  it('gives an application for TinyUF2, at address 0, without an offset', async () => {
    const app = MERGED.bytes.subarray(0x10000 - MERGED.offset);
    const contents = await read(uf2([{ address: 0, bytes: app }], { family: 0xbfdd4eee }));
    assert.equal(contents.parts[0]!.offset, undefined);
    assert.deepEqual(Buffer.from(contents.parts[0]!.bytes.subarray(0, app.length)), Buffer.from(app));
    const merged = demoImage({ chip: 'esp32s3', payloadSize: 2000 });
    assert.equal(
      (await read(uf2([{ address: 0, bytes: merged.bytes }], { family: 0xc47e5767 }))).parts[0]!.offset,
      0,
    );
  });

  it('leaves out blocks that are not for the main flash', async () => {
    const file = uf2([{ address: 0x1000, bytes: noise(512, 1) }]);
    file.writeUInt32LE(0x2001, 512 + 8);
    assert.deepEqual(layout(await read(file)), [[0x1000, 256]]);
  });

  const DAMAGES: readonly [string, (file: Buffer) => Buffer | undefined, number][] = [
    ['truncated', (file) => file.subarray(0, -1), 20 * 512 - 1],
    ['number of blocks', (file) => file.subarray(0, -512), 0],
    ['magic', (file) => void file.writeUInt8(0, 512), 512],
    ['magic', (file) => void file.writeUInt8(0, 1023), 512],
    ['block number', (file) => void file.writeUInt32LE(0, 512 + 20), 512],
    ['block number', (file) => void file.writeUInt32LE(99, 512 + 20), 512],
    ['size', (file) => void file.writeUInt32LE(477, 512 + 16), 512],
    ['size', (file) => void file.writeUInt32LE(0, 512 + 16), 512],
    ['address', (file) => void file.writeUInt32LE(0xffffff00, 512 + 12), 512],
    ['overlap', (file) => void file.writeUInt32LE(0x1001, 512 + 12), 512],
    ['MD5', (file) => void file.writeUInt8(file[512 + 40]! ^ 1, 512 + 40), 512],
    ['file container', (file) => void file.writeUInt32LE(0x1000, 512 + 8), 512],
  ];
  for (const [what, damage, offset] of DAMAGES) {
    it(`tells a damage: ${what} at ${offset}`, async () => {
      const file = uf2([{ address: 0x1000, bytes: noise(5120, 3) }], { md5: true });
      await refuses(read(damage(file) ?? file), 'uf2-damaged', { what, offset, source: 'file' });
    });
  }

  it('refuses a file for other chips, or for several', async () => {
    const pico = uf2([{ address: 0x10000000 & 0xffffff, bytes: LOADER }], { family: 0xe48bff56 });
    await refuses(read(pico), 'uf2-wrong-family', { family: '0xe48bff56' });
    const mixed = uf2([{ address: 0, bytes: noise(512, 1) }]);
    mixed.writeUInt32LE(0xd42ba06c, 512 + 28);
    await refuses(read(mixed), 'uf2-wrong-family', { family: '0xd42ba06c' });
  });

  it('refuses what comes to more than is allowed', async () => {
    await refuses(read(uf2([{ address: 0, bytes: APP }]), 10_000), 'source-too-large', { limit: 10_000 });
  });
});

describe('firmware: Intel HEX', () => {
  for (const newline of ['\n', '\r\n']) {
    it(`gives parts at their offsets (${JSON.stringify(newline)})`, async () => {
      const file = intelHex(
        [
          { address: 0x1000, bytes: LOADER },
          { address: 0x1f000, bytes: APP },
        ],
        newline,
      );
      const contents = await read(file);
      assert.deepEqual(layout(contents), [
        [0x1000, LOADER.length],
        [0x1f000, APP.length],
      ]);
      assert.deepEqual(Buffer.from(contents.parts[1]!.bytes), APP);
    });
  }

  const lines = (...records: string[]): Buffer =>
    Buffer.from([...records, hexRecord(1, 0, Buffer.alloc(0))].join('\n'));
  const data = (address: number, length = 4): string => hexRecord(0, address, Buffer.alloc(length, 0x55));

  it('reads segment addresses, start records, small letters and no newline at the end', async () => {
    const segment = hexRecord(2, 0, Buffer.from([0x10, 0x00]));
    const file = lines(
      segment,
      data(0x20),
      hexRecord(5, 0, Buffer.alloc(4)),
      hexRecord(3, 0, Buffer.alloc(4)),
    );
    assert.deepEqual(layout(await read(Buffer.from(file.toString().toLowerCase()))), [[0x10020, 4]]);
  });

  it('fills gaps within a flash sector with the erased state', async () => {
    const contents = await read(lines(data(0x100), data(0x110), data(0x2000)));
    assert.deepEqual(layout(contents), [
      [0x100, 20],
      [0x2000, 4],
    ]);
    assert.equal(contents.parts[0]!.bytes[4], 0xff);
  });

  const DAMAGES: readonly [string, number, Buffer][] = [
    ['checksum', 2, lines(data(0), data(16).replace('55', '54'))],
    ['digit', 1, lines(data(0).replace('55', '5G'))],
    ['length', 1, lines(data(0).slice(0, -2))],
    ['length', 1, lines(':0000')],
    ['no colon', 2, lines(data(0), 'x')],
    ['truncated', 1, Buffer.from(data(0))],
    ['type', 1, lines(hexRecord(6, 0, Buffer.alloc(4)))],
    ['length', 1, lines(hexRecord(4, 0, Buffer.alloc(4)))],
    ['address', 2, lines(hexRecord(4, 0, Buffer.from([0x42, 0x00])), data(0))],
    ['overlap', 3, lines(data(0), data(2))],
    ['text behind the end', 2, Buffer.concat([lines(), Buffer.from('\n:00')])],
    ['no data', 1, lines()],
  ];
  for (const [what, line, file] of DAMAGES) {
    it(`tells a damage: ${what}`, async () => {
      await refuses(read(file), 'hex-damaged', { what, line, source: 'file' });
    });
  }

  it('stays small where a few records fill whole sectors', async () => {
    const far = Array.from({ length: 15 }, (_, i) => [data(i * 4096), data(i * 4096 + 4000)]).flat();
    await refuses(read(lines(...far), 20_000), 'source-too-large');
  });

  it('lets the event loop turn while it reads', async () => {
    const reading = read(intelHex([{ address: 0, bytes: noise(2 * MB, 5) }]));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await reading;
    clearInterval(timer);
    assert.ok(turns > 3, `${turns} turns`);
  });
});

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
    ['encrypted files', { app: { offset: '0x10000', file: 'hello.bin', encrypted: 'true' } }],
    ['chip esp99', { extra_esptool_args: { chip: 'esp99' } }],
  ];
  for (const [what, changes] of UNUSABLE) {
    it(`refuses ${what}`, async () => refuses(read(packed(changes)), 'flasher-args-unusable', { what }));
  }

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
