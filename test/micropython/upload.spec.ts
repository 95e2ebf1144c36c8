/** Files put on a board whole or not at all, whatever happens on the way. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { evaluate } from '../../lib/micropython/answer.ts';
import { boardPath } from '../../lib/micropython/board-path.ts';
import { uploadFiles } from '../../lib/micropython/upload.ts';
import type { UploadProgress, UploadResult } from '../../lib/micropython/upload.ts';
import type { RawRepl } from '../../lib/micropython/raw-repl.ts';
import { describeOverDoors } from '../support/doors.ts';
import { failsWith } from '../support/failures.ts';
import { MicroPythonBoard } from '../support/micropython-board.ts';
import { random } from '../virtual-board/faults.ts';

const soon = { timeoutMs: 20_000 };
/** One file; fails where it is none. */
async function uploadFile(
  repl: RawRepl,
  path: string,
  content: Uint8Array,
  onProgress: (progress: UploadProgress) => void,
): Promise<UploadResult> {
  const [result] = await uploadFiles(repl, [{ path, content }], { onProgress });
  return result as UploadResult;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Bytes of every value, those among them that are keys of the REPL. */
function noise(length: number, seed = 1): Buffer {
  const next = random(seed);
  return Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
}

/** Half the time, and the ring is still all that is trusted to the board. */
const REPL_BAUD = 230_400;
/** A packet without its header, the stream's begin before the content, and its end. */
const PACKET = 8192;
const AROUND = 7 + '/sized.bin'.length + 8 + 7;

describeOverDoors('micropython: upload', (door) => {
  let mp: MicroPythonBoard;
  before(async () => {
    mp = await MicroPythonBoard.start({ ...door.options, replBaud: REPL_BAUD });
  });
  after(() => mp.close());

  const upload = async (name: string, content: Uint8Array, signal?: AbortSignal) =>
    uploadFile(await mp.repl(signal), name, content, () => undefined);
  const ask = async (expression: string): Promise<unknown> => evaluate(await mp.repl(), expression, soon);
  const held = async (name: string): Promise<Buffer> =>
    (await ask(`open(${JSON.stringify(name)}, "rb").read()`)) as Buffer;
  const listing = (folder = '/'): Promise<unknown> =>
    ask(`sorted(__import__("os").listdir(${JSON.stringify(folder)}))`);
  /** What an upload writes before it is the file that was meant. */
  const left = async (): Promise<string[]> =>
    ((await listing()) as string[]).filter((name) => /uploading|part/.test(name));

  const lengths = {
    empty: 0,
    'one byte': 1,
    'one block of the disk': 4096,
    'one packet less one': PACKET - AROUND - 1,
    'one packet': PACKET - AROUND,
    'one packet and a byte': PACKET - AROUND + 1,
  };
  for (const [what, length] of Object.entries(lengths)) {
    it(`of a file of ${what}`, async () => {
      const content = noise(length, length + 1);
      const result = await upload('sized.bin', content);
      assert.deepEqual(result, { path: '/sized.bin', bytes: length, sha256: sha256(content) });
      assert.deepEqual(await held('/sized.bin'), content);
    });
  }

  it('of nothing but keys of the REPL: they are data', async () => {
    const content = Buffer.from('\x03\x03\x04\x01\x02\x05'.repeat(300), 'latin1');
    await upload('keys.bin', content);
    assert.deepEqual(await held('/keys.bin'), content);
  });

  it('under names that are data: quotes, backslashes and lines do not become code', async () => {
    const names = [
      'n'.repeat(200),
      `it's "so"`,
      'back\\slash',
      'line\nbreak',
      `');print(1)#`,
      'ünï 😀',
      '{x} %s',
      ' ',
    ];
    for (const name of names) {
      const result = await upload(`names/${name}`, Buffer.from(name));
      assert.equal(result.path, `/names/${name}`);
    }
    assert.deepEqual(await listing('/names'), names.toSorted());
  });

  it('into folders that are not there yet, over a file that is', async () => {
    await upload('/a/b/c.txt', Buffer.from('first'));
    await upload('a/b/c.txt', Buffer.from('second'));
    assert.equal((await held('/a/b/c.txt')).toString(), 'second');
    assert.deepEqual(await listing('/a/b'), ['c.txt']);
  });

  it('refuses names of no file before the board is asked', () => {
    const refused: [string, string][] = [
      ['', 'empty'],
      ['/', 'empty'],
      ['lib/', 'empty'],
      ['../main.py', 'dots'],
      ['/lib/./x', 'dots'],
      ['a//b', 'double-slash'],
      ['a\0b', 'zero-byte'],
    ];
    for (const [name, why] of refused) {
      assert.throws(() => boardPath(name), failsWith('bad-file-name', { path: name, why }));
    }
    assert.equal(boardPath('main.py'), '/main.py');
    assert.equal(boardPath('/lib/..x'), '/lib/..x');
  });

  it('over a folder fails and leaves nothing behind', async () => {
    await upload('/folder/inside.txt', Buffer.from('x'));
    await assert.rejects(upload('/folder', Buffer.from('y')), failsWith('is-a-folder', { kept: 'old' }));
    assert.deepEqual(await listing('/folder'), ['inside.txt']);
    assert.deepEqual(await left(), []);
  });

  it('under a name that is a file on the way fails and keeps that file', async () => {
    await upload('/plain', Buffer.from('x'));
    await assert.rejects(upload('/plain/below.txt', Buffer.from('y')), failsWith('not-a-folder'));
    assert.equal((await held('/plain')).toString(), 'x');
  });

  it('that does not fit says so and keeps the old file', async () => {
    await upload('full.bin', Buffer.from('old'));
    await assert.rejects(upload('full.bin', noise(2_500_000)), (error: unknown) => {
      failsWith('disk-full', { path: '/full.bin', bytes: 2_500_000 })(error);
      assert.ok((error as { facts: { free: number } }).facts.free < 2_500_000);
      return true;
    });
    assert.equal((await held('/full.bin')).toString(), 'old');
    assert.deepEqual(await left(), []);
  });

  it('finds the room that one before it took, which was cut off', async () => {
    const fill = [
      'import os',
      'os.mkdir("/.uploading")',
      'fs = os.statvfs("/")',
      'with open("/.uploading/new", "wb") as f:',
      '  for _ in range(fs[3] * fs[1] // 4096 - 6): f.write(bytes(4096))',
    ];
    await (await mp.repl()).run(fill.join('\n'), {});
    const content = noise(30_000);
    assert.equal((await upload('room.bin', content)).bytes, content.length);
    assert.deepEqual(await left(), []);
  });

  it('onto a disk that is read-only says so', async () => {
    // A block device that takes no writes, as a CIRCUITPY drive that a computer holds.
    const mount = [
      'import vfs',
      'class Disk:',
      '  def readblocks(self, n, buffer, offset=0): raise OSError(30)',
      '  def writeblocks(self, n, buffer, offset=0): raise OSError(30)',
      '  def ioctl(self, op, arg): return 0',
      '  def mount(self, readonly, mkfs): pass',
      '  def umount(self): pass',
      '  def stat(self, path): raise OSError(2)',
      '  def statvfs(self, path): return (4096, 4096, 100, 100, 100, 0, 0, 0, 0, 255)',
      '  def open(self, path, mode): raise OSError(30)',
      '  def mkdir(self, path): raise OSError(30)',
      '  def remove(self, path): raise OSError(30)',
      'vfs.mount(Disk(), "/ro")',
    ].join('\n');
    const repl = await mp.repl();
    await repl.run(mount, soon);
    const work = uploadFiles(repl, [{ path: '/ro/x.txt', content: Buffer.from('x') }]);
    await assert.rejects(work, failsWith('disk-read-only', { path: '/ro/x.txt', kept: 'old' }));
    const below = uploadFiles(await mp.repl(), [{ path: '/ro/folder/x.txt', content: Buffer.from('x') }]);
    await assert.rejects(below, failsWith('disk-read-only'));
    await (await mp.repl()).run('vfs.umount("/ro")', soon);
  });

  it('onto another disk, as an SD card is, and back', async () => {
    // MicroPython renames nothing from one mounted file system to another.
    const mount = [
      'import os, vfs',
      'os.mkdir("/card")',
      'class Card:',
      '  def mount(self, readonly, mkfs): pass',
      '  def umount(self): pass',
      '  def open(self, path, mode): return open("/card" + path, mode)',
      '  def rename(self, old, new): os.rename("/card" + old, "/card" + new)',
      ...['ilistdir', 'mkdir', 'remove', 'rmdir', 'stat', 'statvfs'].map(
        (name) => `  def ${name}(self, path): return os.${name}("/card" + path)`,
      ),
      'vfs.mount(Card(), "/sd")',
    ].join('\n');
    await (await mp.repl()).run(mount, soon);
    const files = ['sd/log/a.txt', 'here.txt', 'sd/b.txt'].map((path) => ({
      path,
      content: Buffer.from(path),
    }));
    await uploadFiles(await mp.repl(), files);
    for (const { path, content } of files) assert.deepEqual(await held(`/${path}`), content);
    assert.deepEqual(await listing('/sd'), ['b.txt', 'log']);
    assert.deepEqual(await left(), []);
    await (await mp.repl()).run('vfs.umount("/sd")', soon);
  });

  it('of many files in one session: those before the one that fails are there', async () => {
    const files = ['many/a', 'many/b', 'plain/below', 'many/c'].map((path) => ({
      path,
      content: Buffer.from(`this is ${path}`),
    }));
    await upload('/plain', Buffer.from('x'));
    const seen: string[] = [];
    const work = uploadFiles(await mp.repl(), files, { onFile: ({ path }) => void seen.push(path) });
    await assert.rejects(
      work,
      failsWith('not-a-folder', { path: '/plain/below', kept: 'old', done: ['/many/a', '/many/b'] }),
    );
    assert.deepEqual(seen, ['/many/a', '/many/b']);
    assert.deepEqual(await listing('/many'), ['a', 'b']);
    assert.deepEqual(await uploadFiles(await mp.repl(), []), []);
  });

  it('cancelled in the middle keeps the old file and leaves the board usable', async () => {
    await upload('main.py', Buffer.from('old = 1\n'));
    for (const at of [1, 9000]) {
      const stop = new AbortController();
      const repl = await mp.repl(stop.signal);
      const work = uploadFile(repl, 'main.py', noise(20_000), ({ done }) => {
        if (done >= at) stop.abort(new Error('enough'));
      });
      await assert.rejects(work, /enough/);
      assert.equal((await held('/main.py')).toString(), 'old = 1\n');
      assert.deepEqual(await left(), []);
    }
    await upload('main.py', Buffer.from('new = 1\n'));
    assert.equal((await held('/main.py')).toString(), 'new = 1\n');
  });

  it('of bytes that are harmed on the way, either way, is asked for again', async () => {
    const content = noise(12_000);
    await upload('harmed.bin', Buffer.from('old'));
    const repl = await mp.repl();
    for (const kind of ['flip', 'drop', 'duplicate'] as const)
      await mp.board.fault({ kind, every: 3000, direction: 'to-chip', times: 2 });
    await mp.board.fault({ kind: 'flip', every: 100, direction: 'to-host', times: 2 });
    const result = await uploadFile(repl, 'harmed.bin', content, () => undefined);
    assert.equal(result.sha256, sha256(content));
    const { flip, drop, duplicate } = await mp.board.stats();
    assert.ok(flip > 1 && drop > 0 && duplicate > 0, 'bytes were harmed');
    await mp.board.clearFaults();
    assert.deepEqual(await held('/harmed.bin'), content);
  });

  it('unplugged at every packet keeps the old file; the next one arrives', async () => {
    await upload('main.py', Buffer.from('old = 2\n'));
    const content = noise(3 * PACKET);
    for (let at = 0; at < content.length; at += PACKET / 2) {
      let back: Promise<void> | undefined;
      const work = uploadFile(await mp.repl(), 'main.py', content, ({ done }) => {
        if (done > at) back ??= mp.board.unplug({ ms: 20 });
      });
      await assert.rejects(work, failsWith('port-lost', { path: '/main.py', done: [] }));
      await back;
      await mp.reopen();
      assert.equal((await held('/main.py')).toString(), 'old = 2\n');
    }
    await upload('main.py', Buffer.from('new = 2\n'));
    assert.equal((await held('/main.py')).toString(), 'new = 2\n');
    assert.deepEqual(await left(), []);
  });
});

describe('micropython: upload of 1 MB', function () {
  this.timeout(120_000);

  it('arrives whole, telling how far it is', async () => {
    const mp = await MicroPythonBoard.start({ replBaud: 921_600 });
    try {
      const content = noise(1_000_000);
      const steps: UploadProgress[] = [];
      const result = await uploadFile(await mp.repl(), 'large.bin', content, (step) => steps.push(step));
      assert.equal(result.sha256, sha256(content));
      const size = await evaluate(await mp.repl(), '__import__("os").stat("/large.bin")[6]', soon);
      assert.equal(size, content.length);
      assert.ok(steps.length > content.length / PACKET, 'smoothly');
      assert.ok(steps.every(({ done }, i) => done >= (steps[i - 1]?.done ?? 0)));
      assert.deepEqual(steps.at(-1), { done: content.length, total: content.length });
    } finally {
      await mp.close();
    }
  });
});
