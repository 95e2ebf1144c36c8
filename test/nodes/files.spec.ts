/** The mp files node, each operation in a real Node-RED on a virtual board. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeUnderTest, keepBusy, runtimeSettings, stepsToldBy, withRuntime } from '../support/runtime.ts';
import { IndexServer } from '../packages/index-server.ts';
import type { Seen } from '../support/runtime.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

const FILES: Readonly<Record<string, string>> = {
  '/app/config.json': '{"led":2}',
  '/app/lib/a b.py': 'x = 1\n',
  '/app/lib/deep/ünï.txt': 'ü',
};

describe('mp files', function () {
  this.timeout(60_000);
  withRuntime();
  let board: VirtualBoard;
  let folder: string;
  let node: NodeUnderTest;
  before(async () => {
    board = await launchBoard({ timing: 'none', bootMs: 0 });
    folder = await mkdtemp(join(tmpdir(), 'mp-files-'));
  });
  after(async () => {
    await board.close();
    await rm(folder, { recursive: true, force: true });
  });

  const load = async (settings: object = {}): Promise<void> => {
    node = await NodeUnderTest.load('mp-files', board.rfc2217, { operation: 'list', ...settings });
  };
  const does = (operation: string, msg: Seen = {}): Promise<unknown> => node.payload({ operation, ...msg });
  const refused = async (operation: string, msg: Seen = {}): Promise<string> =>
    (await node.diagnosis({ operation, ...msg })).code;
  const put = async (files: Readonly<Record<string, string>>): Promise<void> => {
    const upload = await NodeUnderTest.load('mp-upload', board.rfc2217, { source: 'list', filename: '' });
    const payload = Object.entries(files).map(([path, content]) => ({ path, content }));
    assert.ok((await upload.send({ payload })).result);
  };
  beforeEach(async () => {
    await put(FILES);
    await load();
  });

  it('tells the steps by which it gets hold of a busy board', async () => {
    await keepBusy(board.rfc2217);
    await load();
    await does('list');
    assert.equal(stepsToldBy(node)[0], 'interrupt');
    assert.ok(node.statuses.some(({ text }) => text?.includes('mp-files.status.getting-hold')));
  });

  it('lists a folder, with hashes or without what is deeper', async () => {
    const all = (await does('list', { path: '/app', hashes: true })) as { path: string; sha256?: string }[];
    assert.deepEqual(
      all.map(({ path, sha256: hash }) => [path, hash]),
      [
        ['/app/config.json', sha256(FILES['/app/config.json']!)],
        ['/app/lib', undefined],
        ['/app/lib/a b.py', sha256('x = 1\n')],
        ['/app/lib/deep', undefined],
        ['/app/lib/deep/ünï.txt', sha256('ü')],
      ],
    );
    assert.equal(((await does('list', { path: 'app/', recursive: false })) as unknown[]).length, 2);
    assert.ok(((await does('list')) as { path: string }[]).some(({ path }) => path === '/app'));
    assert.equal(await refused('list', { path: '/none' }), 'file-not-found');
  });

  it('reads a file as Buffer, text or JSON', async () => {
    const path = '/app/config.json';
    assert.deepEqual(await does('read', { path }), Buffer.from('{"led":2}'));
    assert.equal(await does('read', { path, as: 'text' }), '{"led":2}');
    assert.deepEqual(await does('read', { path, as: 'json' }), { led: 2 });
    assert.equal(await refused('read', { path: '/app/lib/a b.py', as: 'json' }), 'not-json');
    assert.equal(await refused('read', { path: '/app' }), 'is-a-folder');
    assert.equal(await refused('read'), 'bad-payload');
  });

  it('looks whether something is there, and what it is', async () => {
    assert.deepEqual(await does('stat', { path: '/app/lib' }), {
      path: '/app/lib',
      isFolder: true,
      bytes: 0,
    });
    assert.equal(await refused('stat', { path: '/app/x' }), 'file-not-found');
    assert.equal(await does('exists', { path: '/app/lib/a b.py' }), true);
    assert.equal(await does('exists', { path: '/app/lib/b.py' }), false);
  });

  it('makes folders, moves and copies', async () => {
    assert.deepEqual(await does('mkdir', { path: '/new/one' }), { path: '/new/one', changed: true });
    assert.deepEqual(await does('mkdir', { path: '/new/one' }), { path: '/new/one', changed: false });
    await does('copy', { path: '/app/lib', to: '/new/two' });
    assert.equal(await does('read', { path: '/new/two/a b.py', as: 'text' }), 'x = 1\n');
    await does('move', { path: '/new/two/a b.py', to: '/new/b.py' });
    assert.equal(await refused('copy', { path: '/app/config.json', to: '/new/b.py' }), 'file-exists');
    await does('copy', { path: '/app/config.json', to: '/new/b.py', force: true });
    assert.deepEqual(await does('read', { path: '/new/b.py', as: 'json' }), { led: 2 });
    assert.equal(await refused('move', { path: '/new/b.py' }), 'bad-payload');
  });

  it('answers each path from the root, however it was asked for', async () => {
    const path = '/rel/a.txt';
    assert.deepEqual(await does('mkdir', { path: 'rel/b/' }), { path: '/rel/b', changed: true });
    await put({ [path]: '{' });
    await load();
    assert.deepEqual(await does('copy', { path: 'rel/a.txt', to: 'rel/c.txt' }), {
      path,
      to: '/rel/c.txt',
      files: ['/rel/c.txt'],
    });
    assert.deepEqual(await does('move', { path: 'rel/c.txt', to: 'rel/d.txt' }), {
      path: '/rel/c.txt',
      to: '/rel/d.txt',
    });
    assert.equal((await node.send({ operation: 'read', path: 'rel/a.txt' })).result?.['path'], path);
    for (const [operation, msg] of [
      ['stat', { path: 'rel/none' }],
      ['read', { path: 'rel/none' }],
      ['delete', { path: 'rel/none' }],
    ] as const)
      assert.equal((await node.diagnosis({ operation, ...msg })).evidence['path'], '/rel/none', operation);
    const noJson = await node.diagnosis({ operation: 'read', path: 'rel/a.txt', as: 'json' });
    assert.deepEqual([noJson.code, noJson.evidence['path']], ['not-json', path]);
    const { path: gone } = (await does('delete', { path: 'rel/', recursive: true })) as { path: string };
    assert.equal(gone, '/rel');
    assert.equal(await refused('delete', { path: '/', recursive: true }), 'bad-file-name');
  });

  it('deletes: folders when told so, what is guarded only by force', async () => {
    assert.equal(await refused('delete', { path: '/app/lib' }), 'folder-not-empty');
    const path = '/app/lib';
    assert.equal(
      await refused('delete', { path, recursive: true, guard: '/app/**/*.txt, x' }),
      'file-guarded',
    );
    const { deleted } = (await does('delete', { path, recursive: true })) as { deleted: string[] };
    assert.deepEqual(deleted.toSorted(), [path, '/app/lib/a b.py', '/app/lib/deep', '/app/lib/deep/ünï.txt']);
    assert.equal(await refused('delete', { path: '/boot.py' }), 'file-guarded');
    await put({ '/boot.py': '' });
    await load();
    assert.deepEqual(await does('delete', { path: '/boot.py', force: true }), {
      path: '/boot.py',
      deleted: ['/boot.py'],
    });
  });

  it('downloads a folder into one of this machine, or as a list that goes back', async () => {
    const to = join(folder, 'copy');
    const { files } = (await does('download', { path: '/app', to })) as {
      files: { path: string; bytes: number; sha256: string; file: string }[];
    };
    assert.deepEqual(
      files.map(({ path, bytes, sha256: hash }) => [path, bytes, hash]),
      Object.entries(FILES).map(([path, content]) => [path, Buffer.byteLength(content), sha256(content)]),
    );
    for (const { path, file } of files) {
      assert.equal(file, join(to, path.replace('/app/', '')));
      assert.equal(await readFile(file, 'utf8'), FILES[path]);
    }
    const list = await does('download', { path: '/app/lib' });
    await does('delete', { path: '/app/lib', recursive: true });
    const upload = await NodeUnderTest.load('mp-upload', board.rfc2217, { source: 'list', filename: '' });
    assert.ok((await upload.send({ payload: list })).result);
    await load();
    assert.equal(await does('read', { path: '/app/lib/deep/ünï.txt', as: 'text' }), 'ü');
    assert.deepEqual(await does('download', { path: '/app/config.json', as: 'json' }), [
      { path: '/app/config.json', bytes: 9, sha256: sha256('{"led":2}'), content: { led: 2 } },
    ]);
  });

  it('writes nowhere but where it may', async () => {
    runtimeSettings({ esp32FileRoot: folder });
    try {
      await load();
      assert.equal(await refused('download', { path: '/app', to: '/tmp/elsewhere' }), 'host-path-outside');
      await symlink(tmpdir(), join(folder, 'lib'));
      assert.equal(await refused('download', { path: '/app', to: '.' }), 'host-path-outside');
      await does('download', { path: '/app', to: 'inside' });
      assert.equal(await readFile(join(folder, 'inside', 'config.json'), 'utf8'), '{"led":2}');
    } finally {
      runtimeSettings({ esp32FileRoot: undefined });
    }
    await load();
    assert.equal(
      await refused('download', { path: '/app', to: join(folder, 'inside', 'config.json', 'x') }),
      'host-not-written',
    );
  });

  it('formats only when that is confirmed, and tells what is free', async () => {
    const before = (await does('space')) as { total: number; free: number; used: number };
    assert.equal(before.free + before.used, before.total);
    for (const confirm of [undefined, true, 'yes'])
      assert.equal(await refused('format', { confirm }), 'not-confirmed');
    const after = (await does('format', { confirm: 'format' })) as { free: number };
    assert.ok(after.free > before.free);
    assert.deepEqual(await does('list'), []);
  });

  it('uses what the node is set to', async () => {
    await load({ operation: 'read', path: 'file', pathType: 'msg', as: 'json' });
    const { result } = await node.send({ file: '/app/config.json' });
    assert.deepEqual([result?.payload, result?.['path']], [{ led: 2 }, '/app/config.json']);
  });

  describe('install', () => {
    let server: IndexServer;
    before(async () => {
      server = new IndexServer();
      await server.start();
      server.package('6', 'ssd1306', { version: '0.1.0', files: { 'ssd1306.mpy': 'M\x06compiled' } });
      server.package('py', 'ssd1306', { version: '0.1.0', files: { 'ssd1306.py': 'source' } });
      server.package('6', 'app', { files: { 'app/__init__.mpy': 'a' }, deps: [['ssd1306', '']] });
    });
    after(() => server.stop());
    beforeEach(async () => {
      runtimeSettings({ userDir: folder, esp32PackageIndex: server.index });
      await load();
    });
    afterEach(() => runtimeSettings({ userDir: undefined, esp32PackageIndex: undefined }));
    const actions = (payload: unknown): string[] =>
      (payload as { files: { path: string; action: string }[] }).files.map(
        ({ path, action }) => `${action} ${path}`,
      );

    it('puts a package and what it needs where the board looks for them, only what differs', async () => {
      await put({ '/lib/ssd1306.py': 'of old' });
      await load();
      const done = (await does('install', { payload: 'app' })) as { packages: unknown; changed: boolean };
      assert.deepEqual(done.packages, [
        { name: 'app', version: '1.0', url: `${server.index}/package/6/app/latest.json` },
        { name: 'ssd1306', version: '0.1.0', url: `${server.index}/package/6/ssd1306/latest.json` },
      ]);
      assert.deepEqual(actions(done), [
        'created /lib/app/__init__.mpy',
        'created /lib/ssd1306.mpy',
        'deleted /lib/ssd1306.py',
      ]);
      const again = (await does('install', { payload: ['app'] })) as { changed: boolean };
      assert.equal(again.changed, false);
      assert.match(node.lastStatus?.text ?? '', /up-to-date/);
    });

    it('takes sources, another folder and another index where told so', async () => {
      const msg = { package: 'ssd1306@0.1.0', sources: true, target: '/vendor/', dryRun: true };
      assert.deepEqual(actions(await does('install', msg)), ['created /vendor/ssd1306.py']);
      assert.equal(await does('exists', { path: '/vendor' }), false);
      assert.equal(
        await refused('install', { payload: 'ssd1306', index: server.url('/other') }),
        'package-not-found',
      );
      server.file('/one.py', 'x = 1\n');
      assert.deepEqual(actions(await does('install', { payload: server.url('/one.py'), target: '/' })), [
        'created /one.py',
      ]);
    });

    it('says what is no package', async () => {
      assert.equal(await refused('install', {}), 'bad-payload');
      assert.equal(await refused('install', { payload: 'no such thing' }), 'bad-package-name');
      assert.equal(await refused('install', { payload: 'nothere' }), 'package-not-found');
      server.file('/evil/package.json', JSON.stringify({ urls: [['../boot.py', 'x.py']] }));
      server.file('/evil/x.py', '');
      assert.equal(await refused('install', { payload: server.url('/evil') }), 'bad-file-name');
    });
  });
});
