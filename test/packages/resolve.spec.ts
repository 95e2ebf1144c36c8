/** Packages by the real format of the index, from a server of this machine. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolvePackages } from '../../lib/packages/resolve.ts';
import type { ResolveOptions } from '../../lib/packages/resolve.ts';
import { addressUrl, parseSpec } from '../../lib/packages/spec.ts';
import { failsWith } from '../support/failures.ts';
import { IndexServer } from './index-server.ts';

describe('packages', () => {
  let server: IndexServer;
  let folder: string;
  beforeEach(async () => {
    server = new IndexServer();
    await server.start();
    folder = await mkdtemp(join(tmpdir(), 'packages-'));
  });
  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const options = (changes: Partial<ResolveOptions> = {}): ResolveOptions => ({
    index: server.index,
    mpy: 6,
    cacheDir: join(folder, 'cache'),
    timeoutMs: 2000,
    signal: new AbortController().signal,
    ...changes,
  });
  const resolve = async (specs: string | string[], changes: Partial<ResolveOptions> = {}) => {
    const { files, packages } = await resolvePackages([specs].flat(), options(changes));
    return {
      files: Object.fromEntries(files.map(({ path, content }) => [path, Buffer.from(content).toString()])),
      packages: packages.map(({ name, version }) => `${name} ${version}`),
    };
  };

  it('of the index come compiled for the board, or as sources', async () => {
    server.package('6', 'ssd1306', { version: '0.1.0', files: { 'ssd1306.mpy': 'M6' } });
    server.package('py', 'ssd1306', { version: '0.1.0', files: { 'ssd1306.py': 'source' } });
    assert.deepEqual(await resolve('ssd1306'), {
      files: { 'ssd1306.mpy': 'M6' },
      packages: ['ssd1306 0.1.0'],
    });
    assert.deepEqual((await resolve('ssd1306', { mpy: undefined })).files, { 'ssd1306.py': 'source' });
    assert.deepEqual((await resolve('ssd1306', { mpy: 5 })).files, { 'ssd1306.py': 'source' });
    assert.deepEqual((await resolve('ssd1306', { index: `${server.index}/` })).files, {
      'ssd1306.mpy': 'M6',
    });
  });

  it('come in the version asked for', async () => {
    server.package('6', 'aioble', { version: '0.6.1', files: { 'aioble/core.mpy': 'new' } });
    const url = '/pi/v2/package/6/aioble/0.2.0.json';
    server.file(
      url,
      JSON.stringify({ v: 1, version: '0.2.0', urls: [['aioble/core.mpy', server.url('/old')]] }),
    );
    server.file('/old', 'old');
    assert.deepEqual(await resolve('aioble@0.2.0'), {
      files: { 'aioble/core.mpy': 'old' },
      packages: ['aioble 0.2.0'],
    });
    assert.deepEqual((await resolve('aioble')).files, { 'aioble/core.mpy': 'new' });
    await assert.rejects(resolve('aioble@9'), failsWith('package-not-found', { name: 'aioble' }));
  });

  it('bring what they need, each once, also when they need each other', async () => {
    server.package('6', 'a', {
      files: { 'a.mpy': 'a' },
      deps: [
        ['b', ''],
        ['c', '2.0'],
      ],
    });
    server.package('6', 'b', {
      files: { 'b.mpy': 'b' },
      deps: [
        ['a', 'latest'],
        ['c', 'latest'],
      ],
    });
    server.package('6', 'c', { version: '2.0', files: { 'c/__init__.mpy': 'c' } });
    const { files, packages } = await resolve('a');
    assert.deepEqual(Object.keys(files).toSorted(), ['a.mpy', 'b.mpy', 'c/__init__.mpy']);
    assert.deepEqual(packages, ['a 1.0', 'b 1.0', 'c 2.0']);
  });

  it('of a URL: a file, a package.json, or a folder with one; its addresses may be relative', async () => {
    server.file('/x/one.py', 'one');
    assert.deepEqual((await resolve(server.url('/x/one.py'))).files, { 'one.py': 'one' });
    server.package('6', 'needed', { files: { 'needed.mpy': 'n' } });
    const json = {
      version: '3',
      urls: [
        ['lib/two.py', 'src/two.py'],
        ['one.py', server.url('/x/one.py')],
      ],
      deps: [['needed', '']],
    };
    server.file('/pkg/package.json', JSON.stringify(json));
    server.file('/pkg/src/two.py', 'two');
    const expected = { 'lib/two.py': 'two', 'one.py': 'one', 'needed.mpy': 'n' };
    for (const place of ['/pkg', '/pkg/', '/pkg/package.json'])
      assert.deepEqual((await resolve(server.url(place))).files, expected);
  });

  it('are checked by the hash they are asked for with', async () => {
    server.package('6', 'evil', { files: { 'evil.mpy': 'good' } });
    server.hashed('bad', server.hashed('good').slice(-8));
    await assert.rejects(resolve('evil'), failsWith('download-hash'));
  });

  it('are there without a network once they were loaded, and files by hash are not asked for again', async () => {
    server.package('6', 'kept', { files: { 'kept.mpy': 'k' } });
    await resolve('kept');
    const [file] = server.requests.filter(({ path }) => path.includes('/file/'));
    await resolve('kept');
    assert.equal(server.count(file!.path), 1);
    await server.stop();
    assert.deepEqual((await resolve('kept')).files, { 'kept.mpy': 'k' });
    // The words are of packages, not of firmware.
    await assert.rejects(resolve('other'), failsWith('download-failed', { case: 'package' }));
  });

  it('that are no packages are refused', async () => {
    server.file('/none/package.json', 'no JSON');
    server.file('/list/package.json', '[]');
    server.file('/pairs/package.json', '{"urls": ["x"]}');
    server.file('/hash/package.json', '{"hashes": [["x.py", "../../etc"]]}');
    server.file('/out/package.json', '{"urls": [["x.py", "../other/x.py"]]}');
    server.file('/scheme/package.json', '{"urls": [["x.py", "file:///etc/passwd"]]}');
    for (const place of ['none', 'list', 'pairs', 'hash', 'out', 'scheme'])
      await assert.rejects(resolve(server.url(`/${place}`)), failsWith('package-damaged'), place);
    await assert.rejects(resolve('nothere'), failsWith('package-not-found', { name: 'nothere' }));
  });

  it('that differ in one file are refused', async () => {
    server.package('6', 'a', { files: { 'same.mpy': '1', 'x.mpy': 'a' } });
    server.package('6', 'b', { files: { 'same.mpy': '1', 'x.mpy': 'b' } });
    const facts = { path: 'x.mpy', first: 'a', second: 'b' };
    await assert.rejects(resolve(['a', 'b']), failsWith('packages-collide', facts));
  });

  it('have bounds', async () => {
    for (let n = 0; n < 70; n++) server.package('6', `p${n}`, { deps: [[`p${n + 1}`, '']] });
    await assert.rejects(resolve('p0'), failsWith('package-too-large', { limit: 64, unit: 'packages' }));
    server.package('6', 'big', { files: { 'big.bin': Buffer.alloc(8 * 1024 * 1024 + 1) } });
    await assert.rejects(resolve('big'), failsWith('download-too-large'));
  });

  it('are named as mip names them', () => {
    assert.deepEqual(parseSpec(' aioble@0.6.1 '), { name: 'aioble', version: '0.6.1' });
    assert.deepEqual(parseSpec('github:org/repo@feature/x'), {
      name: 'github:org/repo',
      version: 'feature/x',
    });
    assert.deepEqual(parseSpec('https://host/x.py'), { name: 'https://host/x.py' });
    assert.deepEqual(parseSpec('https://host/o/r@1.2/package.json'), {
      name: 'https://host/o/r@1.2/package.json',
    });
    assert.deepEqual(parseSpec('https://host/p.json@1.2'), { name: 'https://host/p.json', version: '1.2' });
    for (const bad of [
      '',
      '..',
      'a b',
      'a/b',
      'github:org',
      'x@../y',
      'x@',
      'ftp://host/x',
      'github:o/r/../x',
      'https://[/x',
    ])
      assert.throws(() => parseSpec(bad), failsWith('bad-package-name'), bad);
  });

  it('of repositories have the addresses that mip has', () => {
    const rows: [string, string | undefined, string][] = [
      ['github:o/r/p/x.py', undefined, 'https://raw.githubusercontent.com/o/r/HEAD/p/x.py'],
      ['github:o/r/x.py', 'v1.0', 'https://raw.githubusercontent.com/o/r/v1.0/x.py'],
      ['gitlab:o/r/x y.py', 'main', 'https://gitlab.com/o/r/-/raw/main/x%20y.py'],
      ['codeberg:o/r/p/x.py', 'dev', 'https://codeberg.org/api/v1/repos/o/r/raw/p/x.py?ref=dev'],
      ['https://host/x.py', 'v1', 'https://host/x.py'],
    ];
    for (const [address, ref, url] of rows) assert.equal(addressUrl(address, ref), url);
  });
});
