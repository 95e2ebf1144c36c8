/** Files of firmware as tools write them, and each damage that is told by its name. */
import assert from 'node:assert/strict';
import { readContents } from '../../lib/firmware/contents.ts';
import type { Contents } from '../../lib/firmware/parts.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { hexRecord, intelHex, noise, uf2 } from './files.ts';
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
    const file = uf2([{ address: 0, bytes: APP }], { family: 0xc47e5767, md5: 'at the end', size: 452 });
    const blocks = Array.from({ length: file.length / 512 }, (_, i) => file.subarray(i * 512, (i + 1) * 512));
    const contents = await read(Buffer.concat(blocks.reverse()));
    assert.equal(contents.chip, 'ESP32-S3');
    assert.deepEqual(Buffer.from(contents.parts[0]!.bytes), APP);
  });

  it('takes files as esptool writes them: each part numbered apart, MD5 behind the data', async () => {
    const made = [
      { address: 0x1000, bytes: LOADER },
      { address: 0x8000, bytes: noise(LOADER.length, 9) },
      { address: 0x10000, bytes: APP },
    ];
    const file = uf2(made, { size: 452, md5: 'behind the data', numberedApart: true });
    assert.deepEqual(
      (await read(file)).parts.map(({ offset, bytes }) => ({ address: offset, bytes: Buffer.from(bytes) })),
      made,
    );
    const last = file.length - 512 + 40;
    file[last] = file[last]! ^ 1;
    await refuses(read(file), 'uf2-damaged', { what: 'MD5', offset: file.length - 512 });
    await refuses(read(file.subarray(0, -512)), 'uf2-damaged', { what: 'number of blocks' });
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
      const file = uf2([{ address: 0x1000, bytes: noise(5120, 3) }], { md5: 'at the end' });
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
