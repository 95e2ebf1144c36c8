/** What the flash node does beside flashing, and where firmware may come from, on the virtual board. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeUnderTest, withRuntime } from '../support/runtime.ts';
import type { Facts, Seen } from '../support/runtime.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const DEF = {
  operation: 'flash',
  firmware: 'payload',
  firmwareType: 'msg',
  erase: 'needed',
  offset: '',
  size: '',
};
const firmware = Buffer.from(demoImage().bytes);

describe('operations of the flash node', () => {
  withRuntime();
  let board: VirtualBoard;
  let node: NodeUnderTest;
  before(async () => {
    board = await launchBoard();
  });
  beforeEach(async () => {
    node = await NodeUnderTest.load('esp32-flash', board.rfc2217, DEF);
  });
  after(() => board.close());

  const done = (msg: Seen): Promise<Facts> => node.payload<Facts>(msg);

  it('info tells what board it is and what is on it', async () => {
    const info = await done({ operation: 'info' });
    assert.equal(info['chip'], 'ESP32');
    assert.equal(info['mac'], '24:0a:c4:12:34:56');
    assert.equal(info['flashSize'], 4 * 1024 * 1024);
    assert.equal(info['flashId'], 'ef4016');
    assert.equal(info['package'], 'ESP32-D0WD-V3');
    assert.equal(info['revision'], 'v3.0');
    assert.equal(info['crystal'], 40);
    assert.ok((info['features'] as string[]).includes('Wi-Fi'));
    assert.deepEqual(info['security'], { secureBoot: false, secureDownload: false, flashEncryption: false });
    const labels = (info['partitions'] as { label: string }[]).map(({ label }) => label);
    assert.deepEqual(labels, ['nvs', 'phy_init', 'factory', 'vfs']);
    assert.match((info['micropython'] as { version: string }).version, /^v1\.\d+\.\d+$/);
  });

  it('verify finds the firmware equal, and says where it is not', async () => {
    assert.equal((await done({ operation: 'verify', payload: firmware }))['bytes'], firmware.length);
    const other = Buffer.from(demoImage({ seed: 9 }).bytes);
    const { caught } = await node.send({ operation: 'verify', payload: other });
    assert.equal(caught?.diagnosis?.code, 'verify-failed');
    // Nothing was written, so that the words are not those of a worn-out memory.
    assert.equal(caught.diagnosis.evidence['case'], 'compared');
  });

  it('verify leaves out what the board keeps for itself where the firmware has padding', async () => {
    await board.writeFlash(0x9000, Buffer.from('settings'));
    const result = await done({ operation: 'verify', payload: firmware });
    assert.deepEqual([result['offset'], result['bytes']], [0x1000, firmware.length]);
    await board.writeFlash(0x10005, Uint8Array.of(0));
    const { caught } = await node.send({ operation: 'verify', payload: firmware });
    assert.equal(caught?.diagnosis?.code, 'verify-failed');
    // The sector that differs, as people and tools write it.
    assert.equal(caught.diagnosis.evidence['offset'], '0x10000');
    await board.writeFlash(0x10005, firmware.subarray(0xf005, 0xf006));
  });

  for (const [operation, range] of [
    ['erase', { offset: '0x500000' }],
    ['erase', { offset: 0x3ff000, size: 0x2000 }],
    ['erase', { offset: 0x400000, size: 0x1000 }],
    ['read', { offset: 0x400000 }],
    ['read', { offset: 0x3ffff0, size: 17 }],
  ] as const) {
    it(`${operation} refuses ${JSON.stringify(range)}, which the flash of 4 MB has not, and sends nothing`, async () => {
      board.clearLog();
      const { caught } = await node.send({ operation, ...range });
      assert.equal(caught?.diagnosis?.code, 'range-outside-flash');
      assert.equal(caught.diagnosis.evidence['flashSize'], 0x400000);
      const touching = /ERASE|READ_FLASH|FLASH_BEGIN/;
      assert.deepEqual(
        board.log().filter(({ facts }) => touching.test(String(facts['op']))),
        [],
      );
    });
  }

  it('read takes all up to the last byte', async () => {
    const bytes = (await done({ operation: 'read', offset: 0x3ffff0 })) as unknown as Buffer;
    assert.equal(bytes.length, 16);
  });

  it('read gives a range as a Buffer', async () => {
    const bytes = (await done({ operation: 'read', offset: '0x1000', size: 10_000 })) as unknown as Buffer;
    assert.ok(Buffer.isBuffer(bytes));
    assert.deepEqual(bytes, firmware.subarray(0, 10_000));
  });

  it('read gives a range into a file, and refuses before it reads what cannot be written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'read-'));
    try {
      const readTo = join(folder, 'deep', 'range.bin');
      const result = await done({ operation: 'read', offset: '0x1000', size: 10_000, readTo });
      const { path, size, sha256, offset } = result;
      assert.deepEqual([path, size, offset], [readTo, 10_000, 0x1000]);
      assert.ok(readFileSync(readTo).equals(firmware.subarray(0, 10_000)));
      assert.equal(sha256, createHash('sha256').update(firmware.subarray(0, 10_000)).digest('hex'));
      assert.deepEqual(readdirSync(join(folder, 'deep')), ['range.bin']);
      board.clearLog();
      const { caught } = await node.send({ operation: 'read', readTo: join(readTo, 'below-a-file') });
      assert.equal(caught?.diagnosis?.code, 'backup-not-written');
      assert.ok(!board.log().some(({ facts }) => facts['op'] === 'READ_FLASH'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('flash says in yellow that the start was not watched', async () => {
    assert.equal((await done({ payload: firmware, watch: 'never' }))['started'], 'unwatched');
    assert.equal(node.lastStatus?.fill, 'yellow');
    assert.match(node.lastStatus.text ?? '', /unwatched/);
  });

  it('flash of the same firmware again writes nothing', async () => {
    const result = await done({ payload: firmware });
    assert.equal(result['written'], 0);
    assert.equal(result['started'], 'prompt');
    assert.match(node.lastStatus?.text ?? '', /runs-already/);
  });

  it('a dry run tells the plan and changes nothing', async () => {
    const other = Buffer.from(demoImage({ seed: 9 }).bytes);
    const before = await board.readFlash(0, 0x60000);
    const result = await done({ payload: other, dryRun: true });
    const plan = result['plan'] as { write: number; total: number; parts: unknown[] };
    assert.ok(plan.write > 0 && plan.parts.length > 0);
    assert.equal(result['written'], 0);
    assert.deepEqual(await board.readFlash(0, 0x60000), before);
  });

  it('erase takes a range of whole sectors, and nothing else', async () => {
    await board.writeFlash(0x3fe000, Buffer.from('mark'));
    const { verified } = await done({ operation: 'erase', offset: '0x3fe000', size: '0x1000' });
    assert.equal(verified, true);
    assert.equal(Buffer.from(await board.readFlash(0x3fe000, 4)).toString('hex'), 'ffffffff');
    const { caught } = await node.send({ operation: 'erase', offset: 5, size: 10 });
    assert.equal(caught?.diagnosis?.code, 'erase-unaligned');
    assert.equal(caught.diagnosis.evidence['offset'], '0x5');
  });

  it('erase is confirmed where a message asks a node that is set to something else, and names no range', async () => {
    const range = { offset: '0x3fe000', size: '0x1000' };
    const there = async (): Promise<string> => String(Buffer.from(await board.readFlash(0x3fe000, 4)));
    node = await NodeUnderTest.load('esp32-flash', board.rfc2217, { ...DEF, ...range });
    await board.writeFlash(0x3fe000, Buffer.from('mark'));
    for (const msg of [
      {},
      { offset: '', size: '' },
      { offset: 0 },
      { confirm: true },
      { confirm: 'format' },
    ]) {
      const { caught } = await node.send({ operation: 'erase', ...msg });
      assert.equal(caught?.diagnosis?.code, 'not-confirmed', JSON.stringify(msg));
      assert.equal(caught.diagnosis.evidence['case'], 'erase');
    }
    assert.equal(await there(), 'mark');
    await done({ operation: 'erase', confirm: 'erase' });
    assert.notEqual(await there(), 'mark');
    await board.writeFlash(0x3fe000, Buffer.from('mark'));
    node = await NodeUnderTest.load('esp32-flash', board.rfc2217, { ...DEF, ...range, operation: 'erase' });
    await done({});
    assert.notEqual(await there(), 'mark');
  });

  it('reset into the loader stays there, and out of it runs the program', async () => {
    const held = await done({ operation: 'reset', into: 'loader' });
    assert.deepEqual([held['bootMode'], held['started']], ['0x3', undefined]);
    // No stub runs: another tool finds the mask ROM at its own rate.
    assert.equal(board.log().findLast(({ name }) => name === 'command')?.facts['loader'], 'rom');
    const run = await done({ operation: 'reset' });
    assert.deepEqual([run['bootMode'], run['started']], ['0x13', 'prompt']);
  });

  it('writes the flash settings that a message names, and says which there are', async () => {
    const result = await done({ payload: firmware, flashMode: 'dout', flashSize: 'detect', dryRun: true });
    assert.deepEqual((result['plan'] as { parts: unknown[] }).parts[0], { offset: 0x1000, size: 0x1000 });
    const { caught } = await node.send({ payload: firmware, flashSize: '3MB' });
    assert.equal(caught?.diagnosis?.code, 'bad-property');
    assert.match(String(caught.diagnosis.evidence['expected']), /keep \| detect \| 256KB/);
  });

  it('says which operations there are', async () => {
    const { caught } = await node.send({ operation: 'flsh', payload: firmware });
    assert.equal(caught?.diagnosis?.code, 'bad-property');
    assert.match(String(caught.diagnosis.evidence['expected']), /flash \| restore \| verify \| erase/);
  });

  describe('with firmware from a server', () => {
    let server: Server;
    let url = '';
    before(async () => {
      server = createServer((request, response) => {
        if (request.url === '/ESP32.bin') response.end(firmware);
        else response.writeHead(404).end();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => server.close());

    it('flashes from a URL', async () => {
      const result = await done({ payload: `${url}/ESP32.bin` });
      assert.equal(result['bytes'], firmware.length);
    });

    it('says that the file is not there, or not the one meant', async () => {
      const missing = await node.send({ payload: `${url}/none.bin` });
      assert.equal(missing.caught?.diagnosis?.code, 'download-failed');
      const other = await node.send({ payload: `${url}/ESP32.bin`, sha256: '0'.repeat(64) });
      assert.equal(other.caught?.diagnosis?.code, 'download-hash');
    });
  });
});
