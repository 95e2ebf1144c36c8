/** Programs call things what they like: what is run on the board beside them means Python's own names all the same. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { listBoardFiles, readBoardFile, removeBoardFile } from '../../lib/board/file-jobs.ts';
import { callPython, evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { syncBoard } from '../../lib/board/sync-job.ts';
import { uploadFilesToBoard } from '../../lib/board/upload-jobs.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const soon = { timeoutMs: 10_000 };
const TAKEN = [
  'bytearray',
  'dict',
  'float',
  'int',
  'isinstance',
  'json',
  'len',
  'list',
  'memoryview',
  'min',
  'open',
]
  .concat(['OSError', 'os', 'print', 'range', 'repr', 'set', 'str', 'sys', 'zip'])
  .map((name) => `${name} = [3, 1]\n`)
  .join('');

describe('board: names of programs', () => {
  let device: VirtualBoard;
  let board: Board;
  before(async () => {
    device = await launchBoard({ timing: 'none', bootMs: 0 });
    board = new Board({ port: device.rfc2217, baudRate: 115200 });
  });
  after(async () => {
    await board.close();
    await device.close();
  });

  it('do not change the values that are told', async () => {
    await runPython(board, TAKEN, soon);
    await runPython(board, 'x = 1', soon);
    assert.deepEqual(await evaluatePython(board, '[x, 2.5, {"a": b"b"}]', soon), [
      1,
      2.5,
      { a: Buffer.from('b') },
    ]);
    assert.deepEqual(await evaluatePython(board, 'list', soon), [3, 1]);
    const args = Array.from({ length: 40 }, (_, i) => i);
    assert.equal(await callPython(board, { name: 'max', args, kwargs: {} }, soon), 39);
  });

  it('are left alone by an upload, all of them and no others', async () => {
    const names = 'snpqidb';
    await runPython(board, `for name in "${names}": globals()[name] = name\ndel name`, soon);
    const all = (): Promise<unknown> => evaluatePython(board, 'sorted(globals())', soon);
    const before = await all();
    await uploadFilesToBoard(board, [{ path: '/own.py', content: Buffer.from('z = 1\n') }]);
    assert.deepEqual(await all(), before);
    assert.equal(await evaluatePython(board, Array.from(names).join(' + '), soon), names);
  });

  it('do not hinder files', async () => {
    const content = Buffer.from('y = 2\n'.repeat(50));
    await uploadFilesToBoard(board, [{ path: '/own.py', content }]);
    assert.deepEqual(await readBoardFile(board, '/own.py'), content);
    const after = { kind: 'check' } as const;
    const options = { after, isGuarded: () => false, onOutput: () => undefined };
    const { changed, check } = await syncBoard(board, [{ path: '/own.py', content }], options);
    assert.deepEqual([changed, check], [false, { files: 1, errors: [] }]);
    assert.ok((await listBoardFiles(board, '/', { hashes: true })).some(({ path }) => path === '/own.py'));
    assert.deepEqual(await removeBoardFile(board, '/own.py'), ['/own.py']);
  });
});
