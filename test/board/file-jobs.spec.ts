/** Files of a board as the node and the sidebar work with them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Board } from '../../lib/board/board.ts';
import {
  boardDiskSpace,
  copyBoardFile,
  formatBoard,
  listBoardFiles,
  makeBoardFolder,
  moveBoardFile,
  readBoardFile,
  readBoardFiles,
  removeBoardFile,
  statBoardFile,
} from '../../lib/board/file-jobs.ts';
import { uploadFilesToBoard } from '../../lib/board/upload-jobs.ts';
import { evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { syncBoard } from '../../lib/board/sync-job.ts';
import { describeOverDoors } from '../support/doors.ts';
import { failsWith } from '../support/failures.ts';
import { random } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

function noise(length: number): Buffer {
  const next = random(length);
  return Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
}

const inTheWay = (code: string, path: string) => failsWith(code, { path });

describeOverDoors('board: files', (door) => {
  let device: VirtualBoard;
  let board: Board;
  before(async () => {
    device = await launchBoard({ timing: 'none', bootMs: 0, ...door.options });
    board = new Board({ port: door.port(device), baudRate: 115200 });
  });
  after(async () => {
    await board.close();
    await device.close();
  });

  const write = (path: string, content: Uint8Array | string) =>
    uploadFilesToBoard(board, [{ path, content: Buffer.from(content) }]);
  const paths = async (folder: string): Promise<string[]> =>
    (await listBoardFiles(board, folder)).map(({ path }) => path);

  it('are listed as a tree, with sizes and hashes', async () => {
    await write('/tree/b/two.txt', 'two');
    await write('/tree/one.txt', '');
    const two = { path: '/tree/b/two.txt', isFolder: false, bytes: 3 };
    const one = { path: '/tree/one.txt', isFolder: false, bytes: 0 };
    const folder = { path: '/tree/b', isFolder: true, bytes: 0 };
    assert.deepEqual(await listBoardFiles(board, 'tree'), [folder, two, one]);
    assert.deepEqual(await listBoardFiles(board, '/tree/', { recursive: false }), [folder, one]);
    assert.deepEqual(await listBoardFiles(board, '/tree', { hashes: true }), [
      folder,
      { ...two, sha256: sha256('two') },
      { ...one, sha256: sha256('') },
    ]);
    assert.ok((await paths('/')).includes('/boot.py'));
    await assert.rejects(listBoardFiles(board, '/nowhere'), failsWith('file-not-found'));
  });

  it('come back as they were sent: every byte, text, nothing', async () => {
    const every = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7) & 0xff));
    for (const content of [every, noise(4096), Buffer.from('line\n'.repeat(3000)), Buffer.alloc(0)]) {
      await write('/back.bin', content);
      assert.deepEqual(await readBoardFile(board, 'back.bin'), content);
    }
    await assert.rejects(readBoardFile(board, '/tree'), failsWith('is-a-folder'));
    await assert.rejects(readBoardFile(board, '/none'), failsWith('file-not-found', { path: '/none' }));
  });

  it('come back whole over a bad line', async () => {
    const content = noise(8000);
    await write('/bad-line.bin', content);
    const [first] = await readBoardFiles(board, ['/bad-line.bin'], {
      onProgress: (done) => {
        if (done > 1000 && done < 4000)
          void device.fault({ kind: 'flip', every: 500, direction: 'to-host', times: 3 });
      },
    });
    assert.deepEqual(first, { path: '/bad-line.bin', content });
    assert.ok((await device.stats()).flip > 0, 'bytes were harmed');
    await device.clearFaults();
  });

  it('are looked at one by one', async () => {
    await write('/looked/at.txt', 'text');
    assert.deepEqual(await statBoardFile(board, '/looked/at.txt', { hashes: true }), {
      path: '/looked/at.txt',
      isFolder: false,
      bytes: 4,
      sha256: sha256('text'),
    });
    assert.deepEqual(await statBoardFile(board, '/'), { path: '/', isFolder: true, bytes: 0 });
    assert.equal(await statBoardFile(board, '/looked/for'), undefined);
    assert.equal(await statBoardFile(board, '/looked/at.txt/below'), undefined);
  });

  it('leave room on the disk', async () => {
    const before = await boardDiskSpace(board);
    await write('/room.bin', noise(10_000));
    const after = await boardDiskSpace(board);
    assert.equal(before.free - after.free, Math.ceil(10_000 / before.blockSize) * before.blockSize);
    assert.equal(after.total, before.total);
  });

  it('have folders made for them, once', async () => {
    assert.equal(await makeBoardFolder(board, '/made/on/the/way'), true);
    assert.equal(await makeBoardFolder(board, 'made/on/the/way/'), false);
    await write('/made/file', 'x');
    await assert.rejects(makeBoardFolder(board, '/made/file/below'), inTheWay('not-a-folder', '/made/file'));
  });

  it('are moved, over another one only by force', async () => {
    await write('/from.txt', 'new');
    await write('/to.txt', 'old');
    await assert.rejects(moveBoardFile(board, '/from.txt', '/to.txt'), inTheWay('file-exists', '/to.txt'));
    assert.equal(String(await readBoardFile(board, '/to.txt')), 'old');
    await moveBoardFile(board, '/from.txt', '/to.txt', { force: true });
    await moveBoardFile(board, '/to.txt', '/folder/of/it.txt');
    const intoItself = moveBoardFile(board, '/folder', '/folder/of/folder');
    await assert.rejects(intoItself, failsWith('bad-file-name', { case: 'in-itself' }));
    assert.equal(String(await readBoardFile(board, '/folder/of/it.txt')), 'new');
    await assert.rejects(moveBoardFile(board, '/to.txt', '/x'), failsWith('file-not-found'));
  });

  it('stay where something is in the way, which is what is told', async () => {
    await write('/way/file', 'x');
    await write('/way/folder/file', 'y');
    const places: readonly [from: string, to: string, code: string, path?: string][] = [
      ['/way/file', '/way/folder', 'is-a-folder'],
      ['/way/folder', '/way/file', 'not-a-folder'],
      ['/way/folder', '/way', 'is-a-folder'],
      ['/way/file', '/boot.py/x.py', 'not-a-folder', '/boot.py'],
      ['/way/none', '/way/new', 'file-not-found', '/way/none'],
    ];
    // Force is for a file in the place of another one.
    for (const [from, to, code, path = to] of places) {
      await assert.rejects(moveBoardFile(board, from, to, { force: true }), inTheWay(code, path));
      await assert.rejects(copyBoardFile(board, from, to), inTheWay(code, path));
    }
    const all = ['/way/file', '/way/folder', '/way/folder/file'];
    assert.deepEqual(await paths('/way'), all);
  });

  it('are removed: folders only when asked, guarded ones not', async () => {
    await write('/gone/a/b.txt', 'x');
    await write('/gone/c.txt', 'x');
    await assert.rejects(removeBoardFile(board, '/gone'), failsWith('folder-not-empty'));
    const gone = await removeBoardFile(board, '/gone', { recursive: true });
    assert.deepEqual(gone.toSorted(), ['/gone', '/gone/a', '/gone/a/b.txt', '/gone/c.txt']);
    assert.equal(gone.at(-1), '/gone');
    await assert.rejects(removeBoardFile(board, '/gone'), failsWith('file-not-found'));
    const guarded = '/kept/by/guard.txt';
    const isGuarded = (path: string): boolean => path === guarded;
    await write(guarded, 'x');
    for (const path of ['/kept', guarded]) {
      const removal = removeBoardFile(board, path, { recursive: true, isGuarded });
      await assert.rejects(removal, failsWith('file-guarded', { guarded }));
    }
    await assert.rejects(removeBoardFile(board, '/'), failsWith('bad-file-name'));
    assert.ok((await paths('/')).includes('/kept/by/guard.txt'));
  });

  it('are copied, folders with all that is in them', async () => {
    await write('/copy/a/b.bin', noise(3000));
    await write('/copy/c.txt', 'c');
    assert.deepEqual(await copyBoardFile(board, '/copy/c.txt', '/other/d.txt'), ['/other/d.txt']);
    await assert.rejects(
      copyBoardFile(board, '/copy/a/b.bin', '/other/d.txt'),
      inTheWay('file-exists', '/other/d.txt'),
    );
    await copyBoardFile(board, '/copy/a/b.bin', '/other/d.txt', { force: true });
    assert.deepEqual(await readBoardFile(board, '/other/d.txt'), noise(3000));
    assert.deepEqual((await copyBoardFile(board, '/copy', '/copy/copy')).toSorted(), [
      '/copy/copy/a/b.bin',
      '/copy/copy/c.txt',
    ]);
    assert.deepEqual(await paths('/copy/copy'), ['/copy/copy/a', '/copy/copy/a/b.bin', '/copy/copy/c.txt']);
    await assert.rejects(copyBoardFile(board, '/none', '/x'), failsWith('file-not-found'));
    const half = "with open('/half.bin', 'wb') as f:\n  for _ in range(275): f.write(bytes(4096))";
    await runPython(board, half, {});
    await assert.rejects(
      copyBoardFile(board, '/half.bin', '/whole.bin'),
      inTheWay('disk-full', '/whole.bin'),
    );
    assert.ok(!(await paths('/')).some((path) => path.includes('.uploading')));
  });

  it('may be named like modules of the firmware, which are used all the same', async () => {
    const names = ['binascii', 'hashlib', 'io', 'json', 'os', 'select', 'struct', 'time'];
    const modules = names.map((name) => ({
      path: `/lib/${name}.py`,
      content: Buffer.from('raise ValueError("mine")\n'),
    }));
    await uploadFilesToBoard(board, modules);
    assert.equal((await listBoardFiles(board, '/lib', { hashes: true })).length, names.length);
    const files = await readBoardFiles(
      board,
      modules.map(({ path }) => path),
    );
    assert.deepEqual(files, modules);
    await removeBoardFile(board, '/lib', { recursive: true });
  });

  it('of all file systems are listed, not only those of the flash', async () => {
    const mount = [
      'import vfs',
      'class Card:',
      '  def mount(self, readonly, mkfs): pass',
      '  def umount(self): pass',
      '  def stat(self, path): return (0x4000 if path == "/" else 0x8000, 0, 0, 0, 0, 0, 3, 0, 0, 0)',
      '  def ilistdir(self, path): return iter([("on-card.txt", 0x8000, 0, 3)])',
      '  def statvfs(self, path): return (512, 512, 100, 7, 7, 0, 0, 0, 0, 255)',
      'vfs.mount(Card(), "/sd")',
    ];
    await runPython(board, mount.join('\n'), {});
    assert.ok((await paths('/')).includes('/sd/on-card.txt'));
    const mirror = { mirror: '/', dryRun: true, isGuarded: (): boolean => false };
    const { files } = await syncBoard(board, [], {
      ...mirror,
      after: { kind: 'nothing' },
      onOutput: () => undefined,
    });
    assert.ok(!files.some(({ path }) => path.startsWith('/sd')), 'a mirror is of its own disk');
    assert.deepEqual(await paths('/sd'), ['/sd/on-card.txt']);
    assert.equal((await boardDiskSpace(board, { path: '/sd' })).free, 7 * 512);
    await runPython(board, 'import vfs\nvfs.umount("/sd")', {});
  });

  it('are all gone when the disk is formatted, and the next ones are kept', async () => {
    const space = await formatBoard(board);
    assert.deepEqual(await paths('/'), []);
    assert.equal(space.free, (await boardDiskSpace(board)).free);
    await write('/after.txt', 'x');
    assert.deepEqual(await paths('/'), ['/after.txt']);
  });
});

describe('board: its disk where there is no flashbdev', () => {
  /** As a Pico has it: the flash in a module of its own. Notes what is made. */
  const PICO = `import sys, vfs
made = []
class Lfs2:
  def __call__(self, disk, **options):
    made.append(options)
    return Vfs.lfs2(disk)
  def mkfs(self, disk, **options):
    made.append(options)
    Vfs.lfs2.mkfs(disk)
class Vfs:
  lfs2 = vfs.VfsLfs2
  mount = staticmethod(vfs.mount)
  umount = staticmethod(vfs.umount)
  VfsLfs2 = Lfs2()
class Rp2:
  class Flash:
    def readblocks(self, block, into): into[8:16] = b"littlefs"
sys.modules.update({"vfs": Vfs, "rp2": Rp2})`;

  it('is formatted on a Pico, as MicroPython does it there; on other boards that is refused', async () => {
    const device = await launchBoard({ timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115200 });
    try {
      await uploadFilesToBoard(board, [{ path: '/a.txt', content: Buffer.from('a') }]);
      await runPython(board, 'import sys\nsys.modules["flashbdev"] = type("", (), {})', {});
      await assert.rejects(formatBoard(board), failsWith('format-unsupported'));
      assert.ok((await listBoardFiles(board, '/')).some(({ path }) => path === '/a.txt'));
      await runPython(board, PICO, {});
      await formatBoard(board);
      assert.deepEqual(await listBoardFiles(board, '/'), []);
      assert.deepEqual(await evaluatePython(board, 'made', {}), [{ progsize: 256 }, { progsize: 256 }]);
    } finally {
      await board.close();
      await device.close();
    }
  });
});
