/** Files of a board brought to what they shall be, against real MicroPython. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Board } from '../../lib/board/board.ts';
import {
  listBoardFiles,
  makeBoardFolder,
  readBoardFile,
  readBoardFiles,
  removeBoardFile,
} from '../../lib/board/file-jobs.ts';
import { BoardError } from '../../lib/board/errors.ts';
import { runPython } from '../../lib/board/python-jobs.ts';
import { syncBoard } from '../../lib/board/sync-job.ts';
import type { SyncJobOptions, SyncJobResult } from '../../lib/board/sync-job.ts';
import { describeOverDoors } from '../support/doors.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

describeOverDoors('board: sync', (door) => {
  let device: VirtualBoard;
  let board: Board;
  let printed = '';
  before(async () => {
    device = await launchBoard({ timing: 'none', bootMs: 0, ...door.options });
    board = new Board({ port: door.port(device), baudRate: 115200 });
  });
  after(async () => {
    await board.close();
    await device.close();
  });
  beforeEach(async () => {
    printed = '';
    await sync({}, { mirror: '/' });
  });

  const sync = (
    files: Readonly<Record<string, string>>,
    options: Partial<SyncJobOptions> = {},
  ): Promise<SyncJobResult> =>
    syncBoard(
      board,
      Object.entries(files).map(([path, content]) => ({ path, content: Buffer.from(content) })),
      {
        isGuarded: (path) => path === '/boot.py',
        after: { kind: 'nothing' },
        onOutput: (bytes) => (printed += Buffer.from(bytes).toString()),
        ...options,
      },
    );
  const actions = ({ files }: SyncJobResult): Record<string, string> =>
    Object.fromEntries(files.map(({ path, action }) => [path, action]));
  const tree = async (): Promise<string[]> => (await listBoardFiles(board, '/')).map(({ path }) => path);

  it('writes what is new or differs, and says so of each', async () => {
    const first = await sync({ 'main.py': 'x = 1\n', '/lib/a.py': '', '/data/ünï "x".txt': 'ä' });
    assert.equal(first.changed, true);
    assert.deepEqual(first.files[0], {
      path: '/main.py',
      bytes: 6,
      sha256: sha256('x = 1\n'),
      action: 'created',
    });
    assert.equal(first.files[2]?.bytes, 2);
    const second = await sync({ 'main.py': 'x = 2\n', '/lib/a.py': '', '/data/ünï "x".txt': 'ä!' });
    assert.deepEqual(actions(second), {
      '/main.py': 'updated',
      '/lib/a.py': 'unchanged',
      '/data/ünï "x".txt': 'updated',
    });
    assert.equal((await readBoardFile(board, '/main.py')).toString(), 'x = 2\n');
  });

  it('writes nothing when all is there, however many', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 45 }, (_, at) => [`/many/${at}.py`, `n = ${at}\n`]),
    );
    await sync(files);
    const told: string[] = [];
    const again = await sync(files, { onFile: ({ action }) => told.push(action) });
    assert.equal(again.changed, false);
    assert.deepEqual(new Set(again.files.map(({ action }) => action)), new Set(['unchanged']));
    assert.equal(again.files.length, 45);
    assert.deepEqual(
      told,
      Array.from({ length: 45 }, () => 'unchanged'),
    );
    assert.equal(again.files[17]?.sha256, sha256('n = 17\n'));
    const back = await readBoardFiles(board, Object.keys(files));
    assert.deepEqual(
      back.map(({ path, content }) => [path, content.toString()]),
      Object.entries(files),
    );
  });

  it('goes faster with turbo, and the board answers at its own rate after', async () => {
    const content = Array.from({ length: 3000 }, (_, at) => String((at * 7919) % 1000)).join('');
    assert.deepEqual(actions(await sync({ '/fast.txt': content }, { turbo: true })), {
      '/fast.txt': 'created',
    });
    assert.equal((await readBoardFile(board, '/fast.txt')).toString(), content);
  });

  it('mirrors: what is not wanted goes, with its folders; what is guarded stays', async () => {
    await sync({
      '/app/old.py': '1',
      '/app/sub/deep/older.py': '2',
      '/app/keep/cfg.txt': '3',
      '/other.py': '4',
    });
    const options = { mirror: '/app', isGuarded: (path: string) => path.endsWith('cfg.txt') };
    const planned = await sync({ '/app/new.py': '5' }, { ...options, dryRun: true });
    assert.equal(planned.changed, true);
    assert.ok(!(await tree()).includes('/app/new.py'));
    const done = await sync({ '/app/new.py': '5' }, options);
    assert.deepEqual(done.files, planned.files);
    assert.deepEqual(actions(done), {
      '/app/new.py': 'created',
      '/app/old.py': 'deleted',
      '/app/sub/deep/older.py': 'deleted',
      '/app/keep/cfg.txt': 'kept',
    });
    assert.deepEqual(await tree(), [
      '/app',
      '/app/keep',
      '/app/keep/cfg.txt',
      '/app/new.py',
      '/boot.py',
      '/other.py',
    ]);
    assert.equal((await sync({ '/app/new.py': '5' }, options)).changed, false);
  });

  it('mirrors: folders that were empty before stay', async () => {
    await sync({ '/app/a.py': '1', '/app/old/b.py': '2' });
    await makeBoardFolder(board, '/app/data');
    const done = await sync({ '/app/a.py': '1' }, { mirror: '/app' });
    assert.deepEqual(actions(done), { '/app/a.py': 'unchanged', '/app/old/b.py': 'deleted' });
    const left = (await tree()).filter((path) => path.startsWith('/app/'));
    assert.deepEqual(left, ['/app/a.py', '/app/data']);
    assert.equal((await sync({ '/app/a.py': '1' }, { mirror: '/app' })).changed, false);
    await removeBoardFile(board, '/app/data');
  });

  it('mirrors: a file that a disk knows by another case is the one that is wanted', async () => {
    // As FAT does it.
    const mount = `import vfs, io
class Card:
  files = {"Index.html": b"<html>", "Old.txt": b"old"}
  def mount(self, readonly, mkfs): pass
  def umount(self): pass
  def name(self, path):
    return next((n for n in self.files if n.lower() == path[1:].lower()), None)
  def stat(self, path):
    if path == "/": return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    if not self.name(path): raise OSError(2)
    return (0x8000, 0, 0, 0, 0, 0, len(self.files[self.name(path)]), 0, 0, 0)
  def ilistdir(self, path): return iter([(n, 0x8000, 0, len(c)) for n, c in self.files.items()])
  def open(self, path, mode):
    if not self.name(path): raise OSError(2)
    return io.BytesIO(self.files[self.name(path)])
  def remove(self, path): del self.files[self.name(path)]
vfs.mount(Card(), "/sd")`;
    await runPython(board, mount, {});
    const done = await sync({ '/sd/index.html': '<html>' }, { mirror: '/sd' });
    assert.deepEqual(actions(done), { '/sd/index.html': 'unchanged', '/sd/Old.txt': 'deleted' });
    assert.deepEqual(
      (await listBoardFiles(board, '/sd')).map(({ path }) => path),
      ['/sd/Index.html'],
    );
    await runPython(board, 'import vfs\nvfs.umount("/sd")', {});
  });

  it('mirrors into a folder that is not there yet', async () => {
    assert.deepEqual(actions(await sync({ '/fresh/a.py': '' }, { mirror: '/fresh' })), {
      '/fresh/a.py': 'created',
    });
  });

  it('takes a source away that would hide what was compiled from it', async () => {
    await sync({ '/lib/a.py': 'source', '/lib/b.py': 'source' });
    const done = await sync({ '/lib/a.mpy': 'compiled', '/lib/c.mpy': 'compiled' });
    assert.deepEqual(actions(done), {
      '/lib/a.mpy': 'created',
      '/lib/c.mpy': 'created',
      '/lib/a.py': 'deleted',
    });
    assert.deepEqual(
      (await tree()).filter((path) => path.startsWith('/lib/')),
      ['/lib/a.mpy', '/lib/b.py', '/lib/c.mpy'],
    );
  });

  it('refuses a file where a folder is, before anything is written', async () => {
    await sync({ '/place/x.py': '' });
    await assert.rejects(
      sync({ '/first.py': '', '/place': 'x' }),
      failsWith('is-a-folder', { path: '/place' }),
    );
    assert.ok(!(await tree()).includes('/first.py'));
    await removeBoardFile(board, '/place', { recursive: true });
  });

  it('deletes nothing when what is new could not be written', async () => {
    await sync({ '/app/old.py': 'old' });
    const big = 'x'.repeat(2_500_000);
    await assert.rejects(sync({ '/app/big.bin': big }, { mirror: '/app' }), failsWith('disk-full'));
    assert.ok((await tree()).includes('/app/old.py'));
  });

  it('tells that nothing was written, where it ends before that', async () => {
    const untouched = failsWith('cancelled', { kept: 'old', done: [] });
    const stop = new AbortController();
    const reason = new BoardError('cancelled', 'enough');
    const comparing = sync({ '/a.py': '' }, { signal: stop.signal, onPhase: () => stop.abort(reason) });
    // It waits for its turn until then.
    const waiting = sync({ '/b.py': '' }, { signal: stop.signal });
    await Promise.all([assert.rejects(comparing, untouched), assert.rejects(waiting, untouched)]);
    assert.deepEqual(reason.facts, {}, 'other jobs may have the same reason');
    const gone = new Board({ port: 'tcp://127.0.0.1:1', baudRate: 115200 });
    const options = {
      isGuarded: () => false,
      after: { kind: 'nothing' },
      onOutput: () => undefined,
    } as const;
    await assert.rejects(
      syncBoard(gone, [{ path: 'a.py', content: Buffer.alloc(0) }], options),
      failsWith('port-refused', { kept: 'old', done: [] }),
    );
  });

  describe('and then', () => {
    it('tells of the files, too, where that fails', async () => {
      const source = 'import time\nprint("up")\ntime.sleep(60)\n';
      const files = [{ path: '/main.py', bytes: source.length, sha256: sha256(source), action: 'created' }];
      const run = sync({ '/main.py': source }, { after: { kind: 'run', path: '/main.py', timeoutMs: 300 } });
      await assert.rejects(run, failsWith('run-timeout', { changed: true, files }));
      await removeBoardFile(board, '/main.py');
      let pulled: Promise<unknown> | undefined;
      const boot = sync(
        { '/main.py': source },
        { after: { kind: 'soft-reset' }, onOutput: () => void (pulled ??= device.unplug({ ms: 50 })) },
      );
      await assert.rejects(boot, failsWith('port-lost', { changed: true, files }));
      await pulled;
    });

    it('a soft reset, after which main.py has run', async () => {
      const { started } = await sync({ '/main.py': 'print("hello")' }, { after: { kind: 'soft-reset' } });
      assert.equal(started, 'prompt');
      assert.match(printed, /^hello\r\nMicroPython/);
    });

    it('a soft reset, and what main.py raised', async () => {
      const main = { '/main.py': 'import nothing_of_the_kind' };
      const { started, error } = await sync(main, { after: { kind: 'soft-reset' } });
      assert.deepEqual(
        [started, error?.type, error?.file, error?.line],
        ['prompt', 'ImportError', 'main.py', 1],
      );
    });

    it('a restart of the chip', async () => {
      const { started } = await sync({ '/main.py': 'print("up")' }, { after: { kind: 'hard-reset' } });
      assert.equal(started, 'prompt');
      assert.match(printed, /rst:0x(1|c) [^]*up\r\n/);
    });

    it('a run of a file, its output and its error as data', async () => {
      const fine = await sync(
        { '/go.py': 'print("gone")' },
        { after: { kind: 'run', path: '/go.py', timeoutMs: 5000 } },
      );
      assert.deepEqual(fine.run, { path: '/go.py', stdout: 'gone\n' });
      assert.equal(printed, 'gone\r\n');
      const source = 'def f():\n  1 / 0\nprint("x")\nf()\n';
      const { run } = await sync(
        { '/go.py': source },
        { after: { kind: 'run', path: '/go.py', timeoutMs: 5000 } },
      );
      assert.equal(run?.stdout, 'x\n');
      const { type, file, line, frames } = run.error!;
      assert.deepEqual([type, file, line, frames.length], ['ZeroDivisionError', '/go.py', 2, 2]);
      const late = sync(
        { '/go.py': 'while True: pass' },
        { after: { kind: 'run', path: '/go.py', timeoutMs: 300 } },
      );
      await assert.rejects(late, failsWith('run-timeout'));
    });

    it('a check: syntax errors with file and line, none of the files run', async () => {
      const files = {
        '/good.py': 'print("run")\n',
        '/lib/bad.py': 'x = 1\n\ndef f(:\n  pass\n',
        '/notes.txt': 'no Python',
        '/indent.py': 'if True:\nx = 1\n',
      };
      const { check } = await sync(files, { after: { kind: 'check' } });
      assert.equal(check?.files, 3);
      assert.deepEqual(
        check.errors.map(({ path, type, line }) => [path, type, line]),
        [
          ['/lib/bad.py', 'SyntaxError', 3],
          ['/indent.py', 'SyntaxError', 2],
        ],
      );
      assert.equal(printed, '');
    });
  });
});
