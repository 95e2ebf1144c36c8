/** Downloads over every kind of line a school has: good, slow, gone, and one that lies. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { download } from '../../lib/firmware/download.ts';
import { sha256Of } from '../../lib/firmware/cache.ts';
import { noise } from './files.ts';
import { refuses, withBench } from './server.ts';

const FILE = noise(200_000, 7);

describe('firmware: download', () => {
  const bench = withBench();

  it('gives the bytes and tells how it goes', async () => {
    bench.server.file('/a.bin', FILE);
    const bytes = await download(bench.server.url('/a.bin'), bench.options());
    assert.deepEqual(Buffer.from(bytes), FILE);
    const url = bench.server.url('/a.bin');
    assert.deepEqual(bench.events.at(-1), {
      kind: 'downloading',
      url,
      done: FILE.length,
      total: FILE.length,
    });
  });

  for (const address of [
    'ftp://host/a.bin',
    'file:///etc/hostname',
    'nothing',
    'http://me:secret@127.0.0.1/a.bin',
  ]) {
    it(`refuses ${address}`, async () => {
      await refuses(download(address, bench.options()), 'source-unusable');
    });
  }

  it('tells a missing file with its status, and does not ask again', async () => {
    const url = bench.server.url('/none.bin');
    await refuses(download(url, bench.options()), 'download-failed', {
      status: 404,
      reason: '404 Not Found',
    });
    assert.equal(bench.server.count('/none.bin'), 1);
  });

  it('tells that nobody answers', async () => {
    await bench.server.stop();
    await refuses(download(bench.server.url('/a.bin'), bench.options()), 'download-failed', {
      status: undefined,
    });
  });

  it('tells that the line broke in the middle', async () => {
    bench.server.on('/a.bin', (_request, response) => {
      response.writeHead(200, { 'content-length': FILE.length });
      response.write(FILE.subarray(0, 1000), () => response.destroy());
    });
    await refuses(download(bench.server.url('/a.bin'), bench.options()), 'download-failed');
    assert.deepEqual(await readdir(bench.folder), []);
  });

  describe('size', () => {
    it('refuses by the length announced, before a byte of it', async () => {
      bench.server.file('/a.bin', FILE);
      const work = download(bench.server.url('/a.bin'), bench.options({ maxBytes: 1000 }));
      await refuses(work, 'download-too-large', { limit: 1000 });
      assert.equal(bench.told('downloading').length, 0);
    });

    it('refuses a body without a length as soon as it is too long', async () => {
      let sent = 0;
      bench.server.on('/endless.bin', (_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(FILE)) sent += FILE.length;
        };
        response.on('drain', more);
        more();
      });
      const work = download(bench.server.url('/endless.bin'), bench.options({ maxBytes: 300_000 }));
      await refuses(work, 'download-too-large', { limit: 300_000 });
      assert.ok(sent < 50_000_000);
    });
  });

  describe('time', () => {
    it('gives up on a server that does not answer', async () => {
      bench.server.on('/a.bin', () => undefined);
      const work = download(bench.server.url('/a.bin'), bench.options({ timeoutMs: 80 }));
      await refuses(work, 'download-timeout', { seconds: 0.08, done: 0 });
    });

    it('gives up on a body that stops', async () => {
      bench.server.on('/a.bin', (_request, response) => void response.write(FILE.subarray(0, 1000)));
      const work = download(bench.server.url('/a.bin'), bench.options({ timeoutMs: 80 }));
      await refuses(work, 'download-timeout', { done: 1000 });
    });

    it('gives up on a body that trickles for ever', async () => {
      bench.server.on('/a.bin', (_request, response) => {
        const drip = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(drip));
      });
      const work = download(bench.server.url('/a.bin'), bench.options({ timeoutMs: 60 }));
      await refuses(work, 'download-timeout', { seconds: 0.6 });
    });

    it('ends when it is aborted, and closes the line', async () => {
      const closed = new Promise((resolve) => {
        bench.server.on('/a.bin', (_request, response) => {
          response.on('close', resolve);
          response.write('begin');
        });
      });
      const abort = new AbortController();
      const work = download(bench.server.url('/a.bin'), bench.options({ signal: abort.signal }));
      setTimeout(() => abort.abort(new Error('enough')), 50);
      await assert.rejects(work, /enough/);
      await closed;
    });

    it('does not begin when it is aborted already', async () => {
      const signal = AbortSignal.abort(new Error('enough'));
      await assert.rejects(download(bench.server.url('/a.bin'), bench.options({ signal })), /enough/);
      assert.equal(bench.server.requests.length, 0);
    });
  });

  describe('redirects', () => {
    const redirect = (path: string, to: string, status = 302): void =>
      bench.server.on(path, (_request, response) => response.writeHead(status, { location: to }).end());

    it('follows five of them, of every kind, also relative ones', async () => {
      [301, 302, 303, 307, 308].forEach((status, i) => redirect(`/${i}`, `/${i + 1}`, status));
      bench.server.file('/5', FILE);
      assert.equal((await download(bench.server.url('/0'), bench.options())).length, FILE.length);
    });

    it('refuses the sixth', async () => {
      for (let i = 0; i < 6; i++) redirect(`/${i}`, `/${i + 1}`);
      bench.server.file('/6', FILE);
      await refuses(download(bench.server.url('/0'), bench.options()), 'redirect-refused', {
        reason: 'too many',
      });
    });

    it('refuses a loop', async () => {
      redirect('/a', '/b');
      redirect('/b', '/a');
      await refuses(download(bench.server.url('/a'), bench.options()), 'redirect-refused', {
        reason: 'too many',
      });
      assert.equal(bench.server.requests.length, 6);
    });

    for (const to of ['file:///etc/passwd', 'ftp://host/x', 'data:,x', '', 'http://[']) {
      it(`refuses to go to "${to}"`, async () => {
        redirect('/a', to);
        await refuses(download(bench.server.url('/a'), bench.options()), 'redirect-refused', {
          reason: 'scheme',
        });
      });
    }

    it('refuses to go from https to http', async () => {
      const real = globalThis.fetch;
      globalThis.fetch = async () =>
        new Response(null, { status: 302, headers: { location: 'http://host/a' } });
      try {
        await refuses(download('https://host/a', bench.options()), 'redirect-refused', {
          reason: 'insecure',
        });
      } finally {
        globalThis.fetch = real;
      }
    });
  });

  describe('SHA-256', () => {
    it('passes what has it, in either case', async () => {
      bench.server.file('/a.bin', FILE);
      const sha256 = sha256Of(FILE).toUpperCase();
      assert.equal(
        (await download(bench.server.url('/a.bin'), bench.options({ sha256 }))).length,
        FILE.length,
      );
    });

    it('refuses what has it not, and tells both', async () => {
      bench.server.file('/a.bin', FILE);
      const sha256 = 'ab'.repeat(32);
      const facts = { expected: sha256, found: sha256Of(FILE) };
      await refuses(download(bench.server.url('/a.bin'), bench.options({ sha256 })), 'download-hash', facts);
    });

    it('takes the file kept here without a word to the server', async () => {
      bench.server.file('/a.bin', FILE);
      await download(bench.server.url('/a.bin'), bench.options());
      await download(bench.server.url('/a.bin'), bench.options({ sha256: sha256Of(FILE) }));
      assert.equal(bench.server.count('/a.bin'), 1);
    });

    it('loads anew where the file kept here is another', async () => {
      bench.server.file('/a.bin', 'old', '"1"');
      await download(bench.server.url('/a.bin'), bench.options());
      bench.server.file('/a.bin', FILE, '"1"');
      const bytes = await download(bench.server.url('/a.bin'), bench.options({ sha256: sha256Of(FILE) }));
      assert.equal(bytes.length, FILE.length);
    });
  });

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
