/** The mask ROM's manners, against what a real one said. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { ascii, concat, u32, words } from './bytes.ts';
import { OP } from './commands.ts';
import { DATASHEET, NO_TIME } from './flash-chip.ts';
import { block, fromHex, LoaderBench, request, toHex } from './peers/loader-bench.ts';

const SYNC = concat(fromHex('07 07 12 20'), new Uint8Array(32).fill(0x55));
const OK4 = '00 00 00 00';
const PARAMS_4MB = words(0, 0x400000, 0x10000, 0x1000, 0x100, 0xffff);

/** An ESP32 with its flash connected and its size told. */
async function attached(): Promise<LoaderBench> {
  const bench = new LoaderBench('esp32', 'rom');
  await bench.ask(OP.SPI_ATTACH, words(0, 0));
  await bench.ask(OP.SPI_SET_PARAMS, PARAMS_4MB);
  return bench;
}

describe('virtual board: ROM loader', () => {
  it('answers a sync eight times, with its own bytes in the value field', async () => {
    const answers = await new LoaderBench('esp32', 'rom').ask(OP.SYNC, SYNC);
    assert.deepEqual(answers, Array(8).fill(`01 08 04 00 07 07 12 20 ${OK4}`));
  });

  it('answers what it does not know eight times under the op before', async () => {
    const bench = new LoaderBench('esp32', 'rom');
    await bench.ask(OP.SYNC, SYNC);
    const answers = await bench.ask(OP.GET_SECURITY_INFO);
    assert.deepEqual(answers, Array(8).fill('01 08 04 00 07 07 12 20 01 05 00 00'));
  });

  it('keeps the last register read in the value field', async () => {
    const bench = new LoaderBench('esp32', 'rom');
    assert.deepEqual(await bench.ask(OP.READ_REG, words(0x40001000)), [`01 0a 04 00 83 1d f0 00 ${OK4}`]);
    assert.deepEqual(await bench.ask(OP.READ_REG, words(0x3ff5a00c)), [`01 0a 04 00 00 82 00 00 ${OK4}`]);
    assert.deepEqual(await bench.ask(OP.SPI_ATTACH, words(0, 0)), [`01 0d 04 00 00 82 00 00 ${OK4}`]);
    await bench.ask(OP.READ_REG, words(0x3ff5a004));
    assert.deepEqual(await bench.ask(OP.MEM_BEGIN, words(0x17fc, 1, 0x1800, 0x400a8000)), [
      `01 05 04 00 56 34 12 c4 ${OK4}`,
    ]);
  });

  it('reports a damaged block as 01 07 and stays in step', async () => {
    const bench = new LoaderBench('esp32', 'rom');
    await bench.ask(OP.READ_REG, words(0x3ff5a004));
    await bench.ask(OP.MEM_BEGIN, words(8, 1, 0x1800, 0x400a8000));
    const good = block(0, ascii('stubstub'));
    const bad = good.slice();
    bad[20]! ^= 1;
    assert.deepEqual(await bench.ask(OP.MEM_DATA, bad, 0xef), ['01 07 04 00 56 34 12 c4 01 07 00 00']);
    assert.equal(await bench.status(OP.MEM_DATA, good), '00 00');
    assert.deepEqual(bench.chip.ram.read(0x400a8000, 8), ascii('stubstub'));
  });

  it('does not touch the flash before it is attached', async () => {
    const bench = new LoaderBench('esp32', 'rom');
    assert.equal(await bench.status(OP.FLASH_BEGIN, words(0x400, 1, 0x400, 0)), '01 06');
    await bench.ask(OP.SPI_ATTACH, words(0, 0));
    assert.equal(await bench.status(OP.FLASH_BEGIN, words(0x400, 1, 0x400, 0)), '00 00');
  });

  it('believes in 2 MB until it is told better', async () => {
    const bench = new LoaderBench('esp32', 'rom');
    await bench.ask(OP.SPI_ATTACH, words(0, 0));
    const beyond = words(0x400, 1, 0x400, 0x200000);
    assert.equal(await bench.status(OP.FLASH_BEGIN, beyond), '01 06');
    await bench.ask(OP.SPI_SET_PARAMS, PARAMS_4MB);
    assert.equal(await bench.status(OP.FLASH_BEGIN, beyond), '00 00');
  });

  it('erases at BEGIN, writes before it answers, and hashes in ASCII', async () => {
    const bench = await attached();
    bench.chip.flash.cells.bytes.fill(0, 0x20000, 0x23000);
    assert.deepEqual(await bench.ask(OP.FLASH_BEGIN, words(0x800, 2, 0x400, 0x20000)), [
      `01 02 04 00 00 00 10 00 ${OK4}`,
    ]);
    assert.equal(bench.chip.flash.cells.bytes[0x20fff], 0xff);
    assert.equal(bench.chip.flash.cells.bytes[0x21000], 0);
    const data = Uint8Array.from({ length: 0x400 }, (_, i) => i & 0xff);
    assert.deepEqual(await bench.ask(OP.FLASH_DATA, block(0, data)), [`01 03 04 00 00 00 10 00 ${OK4}`]);
    assert.deepEqual(bench.chip.flash.cells.read(0x20000, 0x400), data);
    const md5 = createHash('md5').update(data).digest('hex');
    const [answer] = await bench.ask(OP.SPI_FLASH_MD5, words(0x20000, 0x400, 0, 0));
    assert.equal(answer, `01 13 24 00 00 00 10 00 ${toHex(ascii(md5))} ${OK4}`);
  });

  it('takes no more than it was told, and no data without BEGIN', async () => {
    const bench = await attached();
    const data = block(0, new Uint8Array(0x400));
    assert.equal(await bench.status(OP.FLASH_DATA, data), '01 06');
    await bench.ask(OP.FLASH_BEGIN, words(0x400, 1, 0x400, 0));
    assert.equal(await bench.status(OP.FLASH_DATA, data), '00 00');
    assert.equal(await bench.status(OP.FLASH_DATA, data), '01 06');
  });

  it('inflates a stream over several blocks', async () => {
    const bench = await attached();
    const data = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) >> 7);
    const packed = deflateSync(data, { level: 9 });
    const blocks = Math.ceil(packed.length / 0x400);
    await bench.ask(
      OP.FLASH_DEFL_BEGIN,
      words(Math.ceil(data.length / 0x400) * 0x400, blocks, 0x400, 0x1000),
    );
    for (let i = 0; i < blocks; i++) {
      const piece = Uint8Array.from(packed.subarray(i * 0x400, (i + 1) * 0x400));
      assert.equal(await bench.status(OP.FLASH_DEFL_DATA, block(i, piece)), '00 00');
    }
    assert.deepEqual(bench.chip.flash.cells.read(0x1000, data.length), data);
  });

  it('says so when a stream cannot be inflated', async () => {
    const bench = await attached();
    await bench.ask(OP.FLASH_DEFL_BEGIN, words(0x400, 1, 0x400, 0));
    assert.equal(await bench.status(OP.FLASH_DEFL_DATA, block(0, new Uint8Array(64).fill(0x99))), '01 0b');
  });

  it('wants the word for encryption from S2 on, and not before', async () => {
    const fourWords = words(0x400, 1, 0x400, 0);
    const fiveWords = words(0x400, 1, 0x400, 0, 0);
    for (const [chip, right, wrong] of [
      ['esp32', fourWords, fiveWords],
      ['esp32s3', fiveWords, fourWords],
    ] as const) {
      const bench = new LoaderBench(chip, 'rom');
      await bench.ask(OP.SPI_ATTACH, words(0, 0));
      assert.equal((await bench.ask(OP.FLASH_BEGIN, wrong)).length, 8);
      assert.equal((await bench.ask(OP.FLASH_BEGIN, right)).length, 1);
    }
  });

  it('reads 64 bytes at a time, always', async () => {
    const bench = await attached();
    bench.chip.flash.cells.program(0, ascii('hello'));
    const [answer] = await bench.send(request(OP.READ_FLASH_SLOW, words(0, 5)));
    assert.equal(answer?.length, 8 + 64 + 4);
    assert.deepEqual(answer.slice(8, 14), concat(ascii('hello'), Uint8Array.of(0)));
    assert.equal(await bench.status(OP.READ_FLASH_SLOW, words(0, 65)), '01 06');
  });

  it('tells its chip id from S3 on, and the ESP8266 knows little', async () => {
    const [s3] = await new LoaderBench('esp32s3', 'rom').send(
      request(OP.GET_SECURITY_INFO, new Uint8Array(0)),
    );
    assert.equal(s3?.length, 8 + 20 + 4);
    assert.equal(u32(s3, 8 + 12), 9);
    const [s2] = await new LoaderBench('esp32s2', 'rom').send(
      request(OP.GET_SECURITY_INFO, new Uint8Array(0)),
    );
    assert.equal(s2?.length, 8 + 12 + 4);
    const esp8266 = new LoaderBench('esp8266', 'rom');
    assert.deepEqual(await esp8266.ask(OP.SYNC, SYNC), Array(8).fill('01 08 02 00 07 07 12 20 00 00'));
    for (const [op, data] of [
      [OP.SPI_ATTACH, words(0, 0)],
      [OP.CHANGE_BAUDRATE, words(230400, 0)],
      [OP.SPI_FLASH_MD5, words(0, 4, 0, 0)],
      [OP.FLASH_DEFL_BEGIN, words(4, 1, 4, 0)],
    ] as const) {
      assert.equal((await esp8266.ask(op, data)).length, 8, String(op));
    }
  });

  it('erases too much on an ESP8266 that is asked for what is wanted', async () => {
    const bench = new LoaderBench('esp8266', 'rom');
    bench.chip.flash.cells.bytes.fill(0);
    await bench.ask(OP.FLASH_BEGIN, words(0x4000, 16, 0x400, 0));
    assert.equal(bench.chip.flash.cells.bytes.lastIndexOf(0xff), 0x7fff);
  });

  it('changes its rate after the answer, and jumps where it is told', async () => {
    const bench = new LoaderBench('esp32', 'rom');
    assert.deepEqual(await bench.ask(OP.CHANGE_BAUDRATE, words(460800, 0)), [
      `01 0f 04 00 00 00 00 00 ${OK4}`,
    ]);
    // It takes its crystal for 3 % faster than it is.
    assert.deepEqual(bench.rates.map(Math.round), [447379]);
    await bench.ask(OP.MEM_BEGIN, words(4, 1, 0x1800, 0x40080000));
    await bench.ask(OP.MEM_END, words(0, 0x40080000));
    assert.deepEqual(await bench.exit, { kind: 'entry', address: 0x40080000 });
  });

  it('gives the flash id through the SPI registers once attached', async () => {
    const bench = new LoaderBench('esp32', 'rom');
    const { base, usr, usr2, w0, lengths } = bench.chip.facts.spi;
    const write = (register: number, value: number): Promise<string[]> =>
      bench.ask(OP.WRITE_REG, words(base + register, value, 0xffffffff, 0));
    const id = async (): Promise<string> => {
      await write('miso' in lengths ? lengths.miso : 0, 23);
      await write(usr, 0x90000000);
      await write(usr2, 0x7000009f);
      await write(0, 1 << 18);
      return toHex((await bench.send(request(OP.READ_REG, words(base + w0))))[0]!.subarray(4, 8));
    };
    assert.equal(await id(), 'ff ff ff 00');
    await bench.ask(OP.SPI_ATTACH, words(0, 0));
    assert.equal(await id(), 'ef 40 16 00');
  });

  it('takes the time of the datasheet', async () => {
    const bench = new LoaderBench('esp32', 'rom', { ...NO_TIME, sectorEraseMs: DATASHEET.sectorEraseMs });
    await bench.ask(OP.SPI_ATTACH, words(0, 0));
    await bench.ask(OP.FLASH_BEGIN, words(0x2001, 9, 0x400, 0x1000));
    assert.equal(bench.sleptMs, 3 * DATASHEET.sectorEraseMs);
  });
});
