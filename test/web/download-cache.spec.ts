/** Downloads that are kept: asked about, served without a network, loaded once for many. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { download } from '../../lib/web/download.ts';
import { noise } from '../firmware/files.ts';
import { refuses, withBench } from '../firmware/server.ts';

const FILE = noise(200_000, 7);

describe('web: downloads kept', () => {
  const bench = withBench();

  describe('cache', () => {
    it('asks whether the file is still the same, by ETag', async () => {
      bench.server.file('/a.bin', FILE, '"v1"');
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(Buffer.from(await download(bench.server.url('/a.bin'), bench.options())), FILE);
      }
      assert.equal(bench.server.requests[1]?.headers['if-none-match'], '"v1"');
      assert.deepEqual(bench.told('cached'), [{ kind: 'cached', url: bench.server.url('/a.bin') }]);
      bench.server.file('/a.bin', 'new', '"v2"');
      assert.equal(
        Buffer.from(await download(bench.server.url('/a.bin'), bench.options())).toString(),
        'new',
      );
    });

    it('asks by Last-Modified where there is no ETag', async () => {
      const date = 'Wed, 21 Oct 2025 07:28:00 GMT';
      bench.server.on('/a.bin', (request, response) => {
        if (request.headers['if-modified-since'] === date) response.writeHead(304).end();
        else response.writeHead(200, { 'last-modified': date }).end('first');
      });
      for (let i = 0; i < 2; i++) {
        assert.equal(
          Buffer.from(await download(bench.server.url('/a.bin'), bench.options())).toString(),
          'first',
        );
      }
      assert.equal(bench.told('cached').length, 1);
    });

    it('works without a network, and says so', async () => {
      bench.server.file('/a.bin', FILE);
      await download(bench.server.url('/a.bin'), bench.options());
      await bench.server.stop();
      assert.deepEqual(Buffer.from(await download(bench.server.url('/a.bin'), bench.options())), FILE);
      const [note] = bench.told('cached');
      assert.ok(note?.kind === 'cached' && note.reason !== undefined);
    });

    it('serves while the server is silent or broken', async () => {
      bench.server.file('/a.bin', FILE);
      await download(bench.server.url('/a.bin'), bench.options());
      bench.server.on('/a.bin', (_request, response) => response.writeHead(503).end());
      assert.equal((await download(bench.server.url('/a.bin'), bench.options())).length, FILE.length);
      bench.server.on('/a.bin', () => undefined);
      const silent = await download(bench.server.url('/a.bin'), bench.options({ timeoutMs: 80 }));
      assert.equal(silent.length, FILE.length);
    });

    it('does not serve what the server has taken away', async () => {
      bench.server.file('/a.bin', FILE);
      await download(bench.server.url('/a.bin'), bench.options());
      bench.server.on('/a.bin', (_request, response) => response.writeHead(410).end());
      await refuses(download(bench.server.url('/a.bin'), bench.options()), 'download-failed', {
        status: 410,
      });
    });

    it('does not trust a damaged file of its own', async () => {
      bench.server.file('/a.bin', FILE, '"v1"');
      await download(bench.server.url('/a.bin'), bench.options());
      const folder = join(bench.folder, 'cache');
      const [name] = await readdir(folder);
      const kept = await readFile(join(folder, name!));
      const flipped = Buffer.concat([kept.subarray(0, -1), Buffer.from([(kept.at(-1) ?? 0) ^ 1])]);
      for (const damaged of [flipped, kept.subarray(0, 50), Buffer.from('[]\n'), Buffer.from('{\n')]) {
        await writeFile(join(folder, name!), damaged);
        assert.deepEqual(Buffer.from(await download(bench.server.url('/a.bin'), bench.options())), FILE);
        assert.equal(bench.server.requests.at(-1)?.headers['if-none-match'], undefined);
      }
      assert.equal((await readdir(folder)).length, 1);
    });

    it('keeps not more than 64 files', async () => {
      for (let i = 0; i < 70; i++) {
        bench.server.file(`/${i}`, String(i));
        await download(bench.server.url(`/${i}`), bench.options());
      }
      assert.equal((await readdir(join(bench.folder, 'cache'))).length, 64);
    });

    it('does without where the folder cannot be written, and says so', async () => {
      bench.server.file('/a.bin', FILE);
      await writeFile(join(bench.folder, 'file'), '');
      const bytes = await download(
        bench.server.url('/a.bin'),
        bench.options({ cacheDir: join(bench.folder, 'file') }),
      );
      assert.equal(bytes.length, FILE.length);
      assert.equal(bench.told('not-cached').length, 1);
    });
  });

  describe('many at once', () => {
    const slowly = (path: string): void =>
      bench.server.on(path, (_request, response) => {
        response.write(FILE.subarray(0, 1000));
        setTimeout(() => response.end(FILE.subarray(1000)), 80);
      });

    it('load a file once', async () => {
      slowly('/a.bin');
      const url = bench.server.url('/a.bin');
      const all = await Promise.all(Array.from({ length: 20 }, () => download(url, bench.options())));
      assert.ok(all.every((bytes) => FILE.equals(bytes)));
      assert.equal(bench.server.count('/a.bin'), 1);
    });

    it('fail together, and the next one tries anew', async () => {
      const url = bench.server.url('/a.bin');
      const works = [0, 1].map(async () => refuses(download(url, bench.options()), 'download-failed'));
      await Promise.all(works);
      assert.equal(bench.server.count('/a.bin'), 1);
      bench.server.file('/a.bin', FILE);
      assert.equal((await download(url, bench.options())).length, FILE.length);
    });

    it('go on when one of them leaves', async () => {
      slowly('/a.bin');
      const url = bench.server.url('/a.bin');
      const abort = new AbortController();
      const leaving = download(url, bench.options({ signal: abort.signal }));
      const staying = download(url, bench.options());
      await pause(40);
      abort.abort(new Error('enough'));
      await assert.rejects(leaving, /enough/);
      assert.equal((await staying).length, FILE.length);
      assert.equal(bench.server.count('/a.bin'), 1);
    });
  });
});
