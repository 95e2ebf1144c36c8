/** Downloads over every kind of line a school has: good, slow, gone, and one that lies. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { download } from '../../lib/web/download.ts';
import { sha256Of } from '../../lib/bytes/sha256.ts';
import { noise } from '../firmware/files.ts';
import { refuses, withBench } from '../firmware/server.ts';

const FILE = noise(200_000, 7);

describe('web: download', () => {
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
      await refuses(download(address, bench.options()), 'bad-url');
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
      const work = download(bench.server.url('/a.bin'), bench.options({ timeoutMs: 1500 }));
      await refuses(work, 'download-timeout', { done: 1000 });
    });

    it('gives up on a body that trickles for ever', async () => {
      bench.server.on('/a.bin', (_request, response) => {
        const drip = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(drip));
      });
      // Ten times as long as it may be silent.
      const work = download(bench.server.url('/a.bin'), bench.options({ timeoutMs: 1000 }));
      await refuses(work, 'download-timeout', { seconds: 10 });
    });

    it('ends when it is aborted, and closes the line', async () => {
      const abort = new AbortController();
      const closed = new Promise((resolve) => {
        bench.server.on('/a.bin', (_request, response) => {
          response.on('close', resolve);
          response.write('begin', () => abort.abort(new Error('enough')));
        });
      });
      const work = download(bench.server.url('/a.bin'), bench.options({ signal: abort.signal }));
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
      globalThis.fetch = () =>
        Promise.resolve(new Response(null, { status: 302, headers: { location: 'http://host/a' } }));
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
});
