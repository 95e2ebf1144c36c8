/** The mp upload node with all it takes: content, files, folders, lists; in a real Node-RED on a virtual board. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { NodeUnderTest, keepBusy, runtimeSettings, stepsToldBy, withRuntime } from '../support/runtime.ts';
import type { Seen } from '../support/runtime.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

interface Payload {
  changed: boolean;
  seconds: number;
  files: { path: string; bytes: number; sha256?: string; action: string }[];
  [more: string]: unknown;
}

describe('mp upload', function () {
  this.timeout(60_000);
  withRuntime();
  let board: VirtualBoard;
  let folder: string;
  before(async () => {
    board = await launchBoard({ timing: 'none', bootMs: 0 });
    folder = await mkdtemp(join(tmpdir(), 'mp-upload-'));
  });
  after(async () => {
    await board.close();
    await rm(folder, { recursive: true, force: true });
  });

  const load = (settings: object = {}): Promise<NodeUnderTest> =>
    NodeUnderTest.load('mp-upload', board.rfc2217, { filename: '', after: 'nothing', ...settings });
  const sent = (node: NodeUnderTest, msg: Seen): Promise<Payload> => node.payload<Payload>(msg);
  const actions = ({ files }: Payload): string[] => files.map(({ action, path }) => `${action} ${path}`);
  const refused = async (node: NodeUnderTest, msg: Seen): Promise<unknown> =>
    (await node.send(msg)).caught?.diagnosis?.code;

  async function project(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const place = join(folder, name);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(place, path)), { recursive: true });
      await writeFile(join(place, path), content);
    }
    return place;
  }

  it('tells the steps by which it gets hold of a busy board', async () => {
    await keepBusy(board.rfc2217);
    const node = await load({ filename: 'busy.txt' });
    await sent(node, { payload: 'x' });
    assert.equal(stepsToldBy(node)[0], 'interrupt');
    assert.ok(node.statuses.some(({ text }) => text?.includes('mp-upload.status.getting-hold')));
  });

  it('takes text, bytes and objects as the content of a file, and does nothing the second time', async () => {
    const node = await load({ filename: 'first.txt' });
    const contents: [unknown, number][] = [
      ['ünï', 5],
      [Buffer.from([0, 1, 255]), 3],
      [{ led: 2 }, 14],
    ];
    for (const [payload, bytes] of contents) {
      const done = await sent(node, { payload });
      assert.deepEqual(
        [done.changed, done.files[0]?.bytes, done.files[0]?.path],
        [true, bytes, '/first.txt'],
      );
      assert.ok(done.seconds > 0);
      const again = await sent(node, { payload });
      assert.deepEqual([again.changed, ...actions(again)], [false, 'unchanged /first.txt']);
      assert.match(node.lastStatus?.text ?? '', /unchanged/);
    }
    assert.deepEqual(actions(await sent(node, { payload: '', filename: '/of/msg.txt' })), [
      'created /of/msg.txt',
    ]);
  });

  it('makes a folder of the board that of this machine, without what stays here, and only what differs travels', async () => {
    const place = await project('robot', {
      'main.py': 'import drive\n',
      'lib/drive.py': 'SPEED = 1\n',
      'notes.md': '# notes',
      'tests/test_drive.py': '',
      '.git/config': '',
      '.mpyignore': '*.md\n',
    });
    const settings = { source: 'path', value: place, valueType: 'str', target: '/robot', targetType: 'str' };
    const node = await load({ ...settings, exclude: 'tests/', mirror: true });
    assert.deepEqual(actions(await sent(node, {})), [
      'created /robot/lib/drive.py',
      'created /robot/main.py',
    ]);
    const told = node.meanwhile
      .filter(({ topic }) => topic === 'file')
      .map(({ payload }) => (payload as Seen)['path']);
    assert.deepEqual(told, ['/robot/lib/drive.py', '/robot/main.py']);
    await rm(join(place, 'lib'), { recursive: true });
    await writeFile(join(place, 'main.py'), 'print(1)\n');
    const planned = await sent(node, { dryRun: true });
    assert.deepEqual([planned['dryRun'], planned.changed], [true, true]);
    assert.deepEqual(actions(await sent(node, { mirror: false })), ['updated /robot/main.py']);
    assert.deepEqual(actions(await sent(node, { guard: ['drive.py'] })), [
      'unchanged /robot/main.py',
      'kept /robot/lib/drive.py',
    ]);
    const done = await sent(node, {});
    assert.deepEqual(
      [done.changed, ...actions(done)],
      [true, 'unchanged /robot/main.py', 'deleted /robot/lib/drive.py'],
    );
    assert.equal((await sent(node, {})).changed, false);
  });

  it('guards the way into the board against a mirror of the root', async () => {
    const place = await project('small', { 'main.py': '' });
    const node = await load({ source: 'path', mirror: true });
    const { files } = await sent(node, { payload: place });
    assert.deepEqual(
      files.filter(({ action }) => action === 'kept').map(({ path }) => path),
      ['/boot.py'],
    );
  });

  it('mirrors no folder without files', async () => {
    const node = await load({ source: 'path', mirror: true });
    assert.equal(
      await refused(node, { payload: await project('words', { 'notes.md': '' }), exclude: '*.md' }),
      'bad-payload',
    );
    assert.equal(await refused(node, { source: 'list', payload: [] }), 'bad-payload');
  });

  it('takes one file of this machine, under its own name or another', async () => {
    const path = join(await project('one', { 'sensor.py': 'x = 1\n' }), 'sensor.py');
    const node = await load({ source: 'path' });
    assert.deepEqual(actions(await sent(node, { payload: `${path}\n` })), ['created /sensor.py']);
    assert.deepEqual(actions(await sent(node, { payload: path, target: '/lib/' })), [
      'created /lib/sensor.py',
    ]);
    assert.deepEqual(actions(await sent(node, { payload: path, target: 'other.py' })), ['created /other.py']);
  });

  it('takes a list of contents, files and folders', async () => {
    const place = await project('parts', { 'a.py': 'a', 'b/c.py': 'c', 'b/d.txt': 'd' });
    const node = await load({ source: 'list', target: '/list' });
    const payload = [
      { path: 'config.json', content: { led: 2 } },
      { filename: '/list/raw.bin', payload: Buffer.from([1]) },
      { from: join(place, 'b'), to: '/list/lib', include: ['*.py'] },
      join(place, 'a.py'),
    ];
    assert.deepEqual(actions(await sent(node, { payload })), [
      'created /list/config.json',
      'created /list/raw.bin',
      'created /list/lib/c.py',
      'created /list/a.py',
    ]);
    const twice = [
      { path: 'x', content: '' },
      { path: '/list/x', content: '' },
    ];
    assert.equal(await refused(node, { payload: twice }), 'bad-payload');
    for (const bad of ['text', [5], [{ content: 'x' }], [{ path: 'x' }], [{ from: 7n }]])
      assert.equal(await refused(node, { payload: bad }), 'bad-payload');
  });

  it('runs a file, and checks the syntax of all', async () => {
    const node = await load();
    const ran = await sent(node, { filename: 'go.py', payload: 'print("gone")\n1 / 0\n', after: 'run' });
    const { path, stdout, error } = ran['run'] as {
      path: string;
      stdout: string;
      error: { type: string; line: number };
    };
    assert.equal(path, '/go.py');
    assert.deepEqual([stdout, error.type, error.line], ['gone\n', 'ZeroDivisionError', 2]);
    assert.equal(node.lastStatus?.fill, 'red');
    const place = await project('broken', { 'good.py': 'x = 1\n', 'bad.py': 'def f(\n' });
    const checked = await sent(node, { source: 'path', payload: place, target: '/check', after: 'check' });
    const { files, errors } = checked['check'] as { files: number; errors: { path: string; type: string }[] };
    assert.deepEqual(
      [files, errors.map(({ path, type }) => [path, type])],
      [2, [['/check/bad.py', 'SyntaxError']]],
    );
    assert.match(node.lastStatus.text ?? '', /broken/);
  });

  it('compiles sources for the board, which runs them; the second time there is nothing to do', async () => {
    const place = await project('compiled', {
      'main.py': 'import helper\nprint(helper.twice(21))\n',
      'helper.py': 'def twice(x):\n    return 2 * x\n',
      'fast.py': 'import micropython\n@micropython.native\ndef f():\n    pass\n',
      'data.txt': 'x',
    });
    const node = await load({ source: 'path', value: place, valueType: 'str' });
    await sent(node, {});
    const done = await sent(node, { mpy: true, after: 'soft-reset' });
    assert.deepEqual(actions(done), [
      'unchanged /data.txt',
      'unchanged /fast.py',
      'created /helper.mpy',
      'unchanged /main.py',
      'deleted /helper.py',
    ]);
    const printed = node.meanwhile
      .filter(({ topic }) => topic === 'console')
      .map(({ payload }) => String(payload));
    assert.match(printed.join(''), /^42\n/);
    assert.equal((await sent(node, { mpy: true })).changed, false);
    const ran = await sent(node, { mpy: true, after: 'run', run: 'helper.py' });
    assert.deepEqual(ran['run'], { path: '/helper.py', stdout: '' });
    await writeFile(join(place, 'helper.mpy'), 'older');
    assert.equal(await refused(node, { mpy: true }), 'bad-payload');
    await rm(join(place, 'helper.mpy'));
    await writeFile(join(place, '/helper.py'), 'def twice(x):\n    return 2 * * x\n');
    const { caught } = await node.send({ mpy: true });
    assert.equal(caught?.diagnosis?.code, 'not-compiled');
    assert.deepEqual(
      [caught.diagnosis.evidence['path'], caught.diagnosis.evidence['line']],
      ['/helper.py', 2],
    );
  });

  it('restarts the chip', async () => {
    const node = await load({ filename: 'main.py', after: 'hard-reset' });
    const { started } = await sent(node, { payload: 'print("after EN")\n' });
    assert.equal(started, 'prompt');
    const printed = node.meanwhile
      .filter(({ topic }) => topic === 'console')
      .map(({ payload }) => String(payload));
    assert.match(printed.join(''), /after EN\n/);
    const failed = await sent(node, { payload: 'import nothing_of_the_kind\n' });
    assert.equal((failed['error'] as { type: string }).type, 'ImportError');
    assert.equal(node.lastStatus?.fill, 'red');
    assert.match(node.lastStatus.text ?? '', /raised/);
  });

  it('writes no file of nothing', async () => {
    const node = await load({ filename: 'main.py' });
    await sent(node, { payload: 'x = 1' });
    for (const payload of [null, undefined, NaN]) {
      const { caught } = await node.send({ payload });
      const { property, found } = caught?.diagnosis?.evidence ?? {};
      assert.deepEqual([property, found], ['payload', String(payload)]);
    }
    // Neither a variable nor a context of that name is there.
    for (const valueType of ['env', 'flow', 'global', 'msg']) {
      const other = await load({ filename: 'main.py', value: 'notThere', valueType });
      const { caught } = await other.send({ payload: 'x = 2' });
      assert.deepEqual(
        [caught?.diagnosis?.code, caught?.diagnosis?.evidence['case']],
        ['bad-payload', 'content'],
      );
    }
    const again = await load({ filename: 'main.py' });
    assert.deepEqual(actions(await sent(again, { payload: 'x = 1' })), ['unchanged /main.py']);
    const json = [{ path: 'null.json', content: null }];
    assert.equal((await sent(again, { payload: json, source: 'list' })).files[0]?.bytes, 4);
  });

  it('says what is wrong', async () => {
    const place = await project('linked', { 'main.py': '', 'other.py': '' });
    await symlink('/etc/hostname', join(place, 'out'));
    const node = await load();
    const bad: [Seen, string][] = [
      [{ payload: 'x' }, 'bad-payload'],
      [{ payload: 'x', filename: '../x' }, 'bad-file-name'],
      [{ payload: 'x', filename: 'x', mirror: true }, 'bad-property'],
      [{ payload: 'x', filename: 'x', after: 'later' }, 'bad-property'],
      [{ payload: 'x', filename: 'x', after: 'run', timeout: '5s' }, 'bad-property'],
      [{ payload: 'x', source: 'cloud' }, 'bad-property'],
      [{ payload: '', source: 'path' }, 'bad-payload'],
      [{ payload: [{ path: 'x.txt', content: null }], source: 'list' }, 'bad-payload'],
      [{ payload: join(folder, 'none'), source: 'path' }, 'source-unreadable'],
      [{ payload: place, source: 'path' }, 'host-path-outside'],
      [{ payload: place, source: 'path', exclude: 5 }, 'bad-property'],
      [{ payload: place, source: 'path', exclude: 'out', after: 'run' }, 'bad-payload'],
    ];
    for (const [msg, code] of bad) assert.equal(await refused(node, msg), code, JSON.stringify(msg));
    const { caught } = await node.send({ payload: 'x', filename: 'x', mirror: true });
    assert.equal(caught?.diagnosis?.evidence['case'], 'one-file');
  });

  it('stays in the folder that the settings of Node-RED name', async () => {
    const root = await project('allowed', { 'app/main.py': '' });
    runtimeSettings({ esp32FileRoot: root });
    try {
      const node = await load({ source: 'path' });
      assert.deepEqual(actions(await sent(node, { payload: 'app', target: '/rooted' })), [
        'created /rooted/main.py',
      ]);
      assert.equal(await refused(node, { payload: folder }), 'host-path-outside');
      assert.equal(await refused(node, { payload: '../robot' }), 'host-path-outside');
      const flash = await NodeUnderTest.load('esp32-flash', board.rfc2217, {
        firmware: 'payload',
        firmwareType: 'msg',
      });
      const outside = [
        { payload: '/etc/hostname' },
        { payload: [{ offset: 0, path: '../robot/main.py' }] },
        { operation: 'restore', payload: folder },
        { operation: 'read', readTo: '/tmp/out.bin' },
      ];
      for (const msg of outside)
        assert.equal(await refused(flash, msg), 'host-path-outside', JSON.stringify(msg));
      const repl = await NodeUnderTest.load('mp-repl', board.rfc2217, { mode: 'run' });
      assert.equal(await refused(repl, { payload: join(folder, 'robot', 'main.py') }), 'host-path-outside');
    } finally {
      runtimeSettings({});
    }
  });
});
