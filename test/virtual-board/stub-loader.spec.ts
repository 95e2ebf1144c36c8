/** The flasher stub: what it answers, and when. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { ascii, concat, words } from './bytes.ts';
import { OP } from './commands.ts';
import { block, fromHex, LoaderBench, request, toHex } from './peers/loader-bench.ts';
import { Ram } from './registers.ts';
import { ESPTOOL_JS_STUBS, OfficialStubs } from './stub-images.ts';

const SYNC = concat(fromHex('07 07 12 20'), new Uint8Array(32).fill(0x55));

const stub = (): LoaderBench => new LoaderBench('esp32', 'stub');

describe('virtual board: stub', () => {
  it('answers a sync eight times with value 0 and two status bytes', async () => {
    assert.deepEqual(await stub().ask(OP.SYNC, SYNC), Array(8).fill('01 08 02 00 00 00 00 00 00 00'));
  });

  it('answers a block before it writes it, and tells of a failure with the next command', async () => {
    const bench = stub();
    await bench.ask(OP.FLASH_DEFL_BEGIN, words(1000, 1, 0x4000, 0, 0));
    assert.equal(await bench.status(OP.FLASH_DEFL_DATA, block(0, new Uint8Array(50).fill(0x77))), '00 00');
    const md5 = words(0, 4, 0, 0);
    assert.equal(await bench.status(OP.SPI_FLASH_MD5, md5), 'c7 00');
    assert.notEqual(await bench.status(OP.SPI_FLASH_MD5, md5), 'c7 00');
  });

  it('knows its errors', async () => {
    const bench = stub();
    const data = block(0, ascii('data'));
    assert.equal(await bench.status(OP.FLASH_DATA, data), 'c6 00');
    assert.equal(await bench.status(OP.FLASH_END, words(1)), 'c6 00');
    assert.equal(await bench.status(OP.FLASH_BEGIN, words(4, 1, 0x4000)), 'c0 00');
    await bench.ask(OP.FLASH_BEGIN, words(4, 1, 0x4000, 0, 0));
    assert.equal(await bench.status(OP.FLASH_END, words(1)), 'c0 00', 'not all was written');
    assert.equal(await bench.status(OP.FLASH_DATA, data, 0), 'c1 00');
    assert.equal(await bench.status(OP.FLASH_DATA, block(0, ascii('data')).slice(0, 18)), 'c9 00');
    assert.equal(await bench.status(0x55, new Uint8Array(0)), 'c3 00');
    assert.equal(await bench.status(OP.GET_SECURITY_INFO, new Uint8Array(0)), 'ff 00');
    assert.equal(await bench.status(OP.ERASE_REGION, words(0x1001, 0x1000)), 'c0 00');
    assert.equal(await bench.status(OP.FLASH_DATA, data), '00 00');
    assert.equal(await bench.status(OP.FLASH_END, words(1)), '00 00');
  });

  it('says nothing to RUN_USER_CODE', async () => {
    assert.deepEqual(await stub().ask(OP.RUN_USER_CODE), []);
  });

  it('erases as it reaches sectors, and only those of the range', async () => {
    const bench = stub();
    bench.chip.flash.cells.bytes.fill(0);
    const data = new Uint8Array(0x4000).fill(0xaa);
    await bench.ask(OP.FLASH_BEGIN, words(0x8000, 2, 0x4000, 0x11000, 0));
    await bench.ask(OP.FLASH_DATA, block(0, data));
    assert.deepEqual(bench.chip.flash.cells.read(0x11000, 0x4000), data);
    assert.equal(bench.chip.flash.cells.bytes[0x18000], 0, 'not reached yet');
    await bench.ask(OP.FLASH_DATA, block(1, data));
    assert.deepEqual(bench.chip.flash.cells.read(0x15000, 0x4000), data);
    assert.equal(bench.chip.flash.cells.bytes[0x10fff], 0);
    assert.equal(bench.chip.flash.cells.bytes[0x19000], 0);
  });

  it('inflates and writes a stream of blocks, with a raw MD5 at the end', async () => {
    const bench = stub();
    bench.chip.flash.cells.bytes.fill(0);
    const data = Uint8Array.from({ length: 150_000 }, (_, i) => (i * i) >> 9);
    const packed = deflateSync(data, { level: 9 });
    const blocks = Math.ceil(packed.length / 0x4000);
    await bench.ask(OP.FLASH_DEFL_BEGIN, words(data.length, blocks, 0x4000, 0x1000, 0));
    for (let i = 0; i < blocks; i++) {
      const piece = Uint8Array.from(packed.subarray(i * 0x4000, (i + 1) * 0x4000));
      assert.equal(await bench.status(OP.FLASH_DEFL_DATA, block(i, piece)), '00 00');
    }
    assert.equal(await bench.status(OP.FLASH_DEFL_END, words(1)), '00 00');
    const digest = createHash('md5').update(data).digest();
    assert.deepEqual(await bench.ask(OP.SPI_FLASH_MD5, words(0x1000, data.length, 0, 0)), [
      `01 13 12 00 00 00 00 00 ${toHex(digest)} 00 00`,
    ]);
  });

  it('fails the MD5 when a sector does not erase', async () => {
    const bench = stub();
    bench.chip.flash.cells.bytes.fill(0x55);
    bench.chip.flash.wornOut.add(2);
    await bench.ask(OP.FLASH_BEGIN, words(0x4000, 1, 0x4000, 0, 0));
    const data = new Uint8Array(0x4000).fill(0xa5);
    await bench.ask(OP.FLASH_DATA, block(0, data));
    const written = bench.chip.flash.cells.read(0, 0x4000);
    assert.equal(written[0x2000], 0xa5 & 0x55);
    assert.equal(written[0x1fff], 0xa5);
  });

  it('sends one packet of a read at a time, each after its acknowledgement, then the MD5', async () => {
    const bench = stub();
    const data = Uint8Array.from({ length: 0x2800 }, (_, i) => i % 251);
    bench.chip.flash.cells.program(0, data);
    const first = await bench.send(request(OP.READ_FLASH, words(0, data.length, 0x1000, 64)));
    assert.deepEqual(
      first.map((frame) => frame.length),
      [10, 0x1000],
    );
    const [second] = await bench.send(words(0x1000));
    const [third] = await bench.send(words(0x2000));
    assert.equal(third?.length, 0x800);
    const last = await bench.send(words(0x2800));
    assert.deepEqual(concat(first[1]!, second!, third), data);
    assert.deepEqual(last.map(toHex), [toHex(createHash('md5').update(data).digest())]);
  });

  it('is started by the official image and by nothing that differs in one bit', () => {
    const json = JSON.parse(readFileSync(join(ESPTOOL_JS_STUBS, 'esp32.json'), 'utf8')) as {
      text: string;
      data: string;
      text_start: number;
      data_start: number;
      entry: number;
    };
    const stubs = new OfficialStubs('esp32', []);
    const ram = new Ram();
    assert.equal(stubs.isLoaded(ram, json.entry), false);
    ram.write(json.text_start, Buffer.from(json.text, 'base64'));
    ram.write(json.data_start, Buffer.from(json.data, 'base64'));
    assert.equal(stubs.isLoaded(ram, json.entry), true);
    assert.equal(stubs.isLoaded(ram, json.entry + 4), false);
    const at = json.text_start + 1000;
    ram.write(
      at,
      ram.read(at, 1).map((byte) => byte ^ 0x10),
    );
    assert.equal(stubs.isLoaded(ram, json.entry), false);
  });
});
