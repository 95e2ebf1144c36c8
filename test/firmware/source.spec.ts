/** What people name as firmware: bytes, paths, URLs, lists, and what they name by mistake. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256Of } from '../../lib/bytes/sha256.ts';
import { firmwareSource } from '../../lib/firmware/source.ts';
import type { FirmwarePart, SourceOptions } from '../../lib/firmware/source.ts';
import { recogniseFirmware } from '../../lib/esp/firmware.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { idfBuild, intelHex, noise, uf2, zip } from './files.ts';
import { refuses, withBench } from './server.ts';

const IMAGE = Buffer.from(demoImage({ payloadSize: 3000 }).bytes);

describe('firmware: source', () => {
  const bench = withBench();

  async function parts(value: unknown, changes: Partial<SourceOptions> = {}): Promise<FirmwarePart[]> {
    const source = await firmwareSource(value, bench.options(changes));
    assert.ok(source.kind === 'parts');
    return source.parts;
  }

  async function put(path: string, bytes: Uint8Array | string): Promise<string> {
    const file = join(bench.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    return file;
  }

  async function putBuild(folder: string, changes: Record<string, unknown> = {}): Promise<string> {
    for (const { path, bytes } of idfBuild(changes)) await put(join(folder, path), bytes);
    return join(bench.folder, folder);
  }

  describe('one firmware', () => {
    it('takes a Buffer, a Uint8Array, and a Buffer that went through JSON', async () => {
      const throughJson: unknown = JSON.parse(JSON.stringify(IMAGE));
      for (const value of [IMAGE, Uint8Array.from(IMAGE), throughJson, { data: IMAGE }]) {
        const [part] = await parts(value);
        assert.deepEqual(Buffer.from(part!.bytes), IMAGE);
        assert.equal(recogniseFirmware(part!.bytes).kind, 'merged');
      }
    });

    it('takes a path, with spaces around it', async () => {
      const path = await put('my firmware.bin', IMAGE);
      for (const value of [path, ` ${path}\n`, { path }]) {
        const [part] = await parts(value);
        assert.deepEqual(Buffer.from(part!.bytes), IMAGE);
        assert.equal(part!.name, 'my firmware.bin');
      }
    });

    it('takes a URL, alone or with its SHA-256', async () => {
      bench.server.file('/files/fw.bin?v=2', IMAGE);
      const url = bench.server.url('/files/fw.bin?v=2');
      for (const value of [url, { url }, { url, sha256: sha256Of(IMAGE) }]) {
        const [part] = await parts(value);
        assert.deepEqual(Buffer.from(part!.bytes), IMAGE);
        assert.equal(part!.name, 'fw.bin');
      }
      await refuses(parts({ url, sha256: '0'.repeat(64) }), 'download-hash');
    });

    it('tells by the bytes what a file is, wherever it comes from', async () => {
      const inUf2 = uf2([{ address: 0x1000, bytes: IMAGE }]);
      const source = await firmwareSource(await put('firmware.bin', inUf2), bench.options());
      assert.ok(source.kind === 'parts' && source.chip === 'ESP32');
      bench.server.file(
        '/fw',
        zip([{ path: 'fw.hex', bytes: intelHex([{ address: 0x1000, bytes: IMAGE }]) }]),
      );
      const [part] = await parts(bench.server.url('/fw'));
      assert.equal(part!.offset, 0x1000);
      assert.deepEqual(Buffer.from(part!.bytes), IMAGE);
    });

    it('checks a SHA-256 of files and Buffers, too', async () => {
      const path = await put('fw.bin', IMAGE);
      for (const value of [path, IMAGE, { path }, { data: IMAGE }]) {
        await parts(value, { sha256: sha256Of(IMAGE) });
        await refuses(parts(value, { sha256: '0'.repeat(64) }), 'download-hash', { found: sha256Of(IMAGE) });
      }
      await refuses(parts(path, { sha256: 'abc' }), 'source-unusable');
      await refuses(parts({ path, offset: 0, sha256: 'abc' }), 'source-unusable');
    });

    it('refuses what is too large, before it is read', async () => {
      const path = await put('fw.bin', IMAGE);
      await refuses(parts(path, { maxBytes: 1000 }), 'source-too-large', { source: path, limit: 1000 });
      await refuses(parts(IMAGE, { maxBytes: 1000 }), 'source-too-large');
      await refuses(parts({ data: IMAGE, offset: 0 }, { maxBytes: 1000 }), 'source-too-large');
    });

    it('tells that a file is not there, or none', async () => {
      const path = join(bench.folder, 'none.bin');
      await refuses(parts(path), 'source-unreadable', { path });
      if (process.platform !== 'win32') await refuses(parts('/dev/zero'), 'source-unreadable');
    });
  });

  describe('an ESP-IDF build', () => {
    it('takes the build folder, the project, and the list itself', async () => {
      const build = await putBuild('project/build');
      for (const path of [build, dirname(build), join(build, 'flasher_args.json')]) {
        const source = await firmwareSource(path, bench.options());
        assert.ok(source.kind === 'parts' && source.chip === 'ESP32');
        assert.deepEqual(
          source.parts.map(({ offset, bytes, name }) => [offset, bytes.length, name]),
          [
            [0x1000, 5000, 'bootloader/bootloader.bin'],
            [0x8000, 0xc00, 'partition_table/partition-table.bin'],
            [0x10000, 20_000, 'hello.bin'],
          ],
        );
      }
    });

    it('refuses a folder without a list, and a list whose files are not there', async () => {
      await put('empty/readme.txt', '');
      const folder = join(bench.folder, 'empty');
      await refuses(parts(folder), 'flasher-args-missing', { source: folder });
      await put('half/flasher_args.json', idfBuild()[0]!.bytes);
      await refuses(parts(join(bench.folder, 'half')), 'source-unreadable');
    });

    it('does not follow a link out of the folder', async function () {
      if (process.platform === 'win32') return this.skip();
      const build = await putBuild('build', { flash_files: { 0: 'secret.bin' } });
      await symlink(await put('elsewhere.bin', IMAGE), join(build, 'secret.bin'));
      await refuses(parts(build), 'source-unusable');
    });

    it('refuses files that are too large together, and a hash for a whole folder', async () => {
      const build = await putBuild('build');
      await refuses(parts(build, { maxBytes: 21_000 }), 'source-too-large');
      await refuses(parts(build, { sha256: '0'.repeat(64) }), 'source-unusable');
    });
  });

  describe('a list', () => {
    it('takes parts from everywhere, each as it is', async () => {
      bench.server.file('/app', IMAGE);
      const zipped = zip([{ path: 'a.bin', bytes: IMAGE }]);
      const list = [
        { offset: '0x10000', url: bench.server.url('/app'), sha256: sha256Of(IMAGE) },
        { offset: 0x1000, data: noise(100, 1) },
        { offset: '32768', path: await put('table.bin', noise(0xc00, 2)) },
        { offset: 0x200000, data: zipped },
      ];
      assert.deepEqual(
        (await parts(list)).map(({ offset, bytes, name }) => [offset, bytes.length, name]),
        [
          [0x10000, IMAGE.length, 'app'],
          [0x1000, 100, 'Buffer'],
          [0x8000, 0xc00, 'table.bin'],
          [0x200000, zipped.length, 'Buffer'],
        ],
      );
    });

    it('takes one without an offset for what it holds', async () => {
      const [first, second] = await parts([
        { data: uf2([{ address: 0x1000, bytes: noise(256, 1) }]) },
        { data: IMAGE },
      ]);
      assert.deepEqual([first?.offset, second?.offset], [0x1000, undefined]);
    });

    it('refuses parts that overlap', async () => {
      const list = [
        { offset: 0x1000, data: noise(5000, 1) },
        { offset: 0x2000, data: noise(10, 1) },
      ];
      await refuses(parts(list), 'parts-overlap', { offset: '0x2000' });
    });

    it('refuses parts for different chips', async () => {
      const list = [0x1c5f21b0, 0xd42ba06c].map((family, i) => ({
        data: uf2([{ address: i * 0x1000, bytes: noise(256, 1) }], { family }),
      }));
      await refuses(parts(list), 'source-unusable', { found: 'ESP32, ESP32-C3' });
    });

    it('refuses what is too large together', async () => {
      const list = [0, 1, 2].map((i) => ({ offset: i * 0x10000, data: noise(1000, i) }));
      await refuses(parts(list, { maxBytes: 2500 }), 'source-too-large');
    });
  });

  const USELESS: readonly [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['a number', 42],
    ['a truth', true],
    ['an empty text', '  '],
    ['an empty object', {}],
    ['an empty list', []],
    ['a list of numbers', [0xe9, 1, 2]],
    ['a list of paths', ['a.bin']],
    ['a list of a catalogue name', [{ url: 'MicroPython' }]],
    ['two ways at once', { path: 'a.bin', url: 'http://host/a.bin' }],
    ['data that is text', { offset: 0, data: 'abc' }],
    ['a path that is a number', { path: 7 }],
    ['a URL that is none', { url: 'a.bin' }],
    ['an offset below zero', { offset: -1, data: IMAGE }],
    ['an offset that is a half', { offset: 0.5, data: IMAGE }],
    ['an offset in words', { offset: 'begin', data: IMAGE }],
    ['an offset out of any flash', { offset: 0x8000000, data: IMAGE }],
    ['a hash that is a number', { url: 'http://host/a.bin', sha256: 7 }],
    ['65 parts', Array.from({ length: 65 }, (_, i) => ({ offset: i, data: Buffer.alloc(1) }))],
  ];
  for (const [what, value] of USELESS) {
    it(`refuses ${what}`, async () => refuses(firmwareSource(value, bench.options()), 'source-unusable'));
  }
  for (const url of ['ftp://host/a.bin', 'file:///tmp/a.bin']) {
    it(`refuses ${url}`, async () => refuses(firmwareSource(url, bench.options()), 'bad-url'));
  }

  it('refuses a hash for a whole list', async () => {
    await refuses(parts([{ offset: 0, data: IMAGE }], { sha256: sha256Of(IMAGE) }), 'source-unusable');
  });

  it('does not begin when it is aborted already', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    for (const value of [
      IMAGE,
      'MicroPython',
      'a.bin',
      'http://127.0.0.1:1/',
      [{ offset: 0, data: IMAGE }],
    ]) {
      await assert.rejects(firmwareSource(value, bench.options({ signal })), /enough/);
    }
  });
});
