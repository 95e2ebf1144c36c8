/** MicroPython's compiler on this machine. */
import assert from 'node:assert/strict';
import { compileFiles } from '../../lib/micropython/mpy-cross.ts';
import { failsWith } from '../support/failures.ts';

describe('micropython: mpy-cross', () => {
  const { signal } = new AbortController();
  const file = (path: string, text = 'x = 1\n') => ({ path, content: Buffer.from(text) });

  it('makes files of version 6 without machine code, with the name for tracebacks in them', async () => {
    const [compiled] = await compileFiles([file('/lib/ünï.py')], 6, { signal });
    assert.equal(compiled?.path, '/lib/ünï.mpy');
    assert.deepEqual([...compiled.content.subarray(0, 3)], [0x4d, 6, 0]);
    assert.ok(Buffer.from(compiled.content).includes('/lib/ünï.py'));
  });

  it('leaves what the board starts, what is run, machine code and data', async () => {
    const files = [
      file('/boot.py'),
      file('main.py'),
      file('/go.py'),
      file('/a.txt'),
      file('/n.py', 'import micropython\n@micropython.viper\ndef f():\n  pass\n'),
    ];
    assert.deepEqual(await compileFiles(files, 6, { signal, asSource: '/go.py' }), files);
  });

  it('says plainly that a board loads other files, or none', async () => {
    for (const [version, found] of [
      [5, 5],
      [undefined, 'none'],
    ] as const)
      await assert.rejects(
        compileFiles([file('/a.py')], version, { signal }),
        failsWith('mpy-unsupported', { found, made: 6 }),
      );
  });

  it('tells file and line of what is no Python', async () => {
    const files = [file('/good.py'), file('/lib/bad.py', 'x = 1\nx = = 2\n')];
    await assert.rejects(
      compileFiles(files, 6, { signal }),
      failsWith('not-compiled', { path: '/lib/bad.py', line: 2 }),
    );
  });

  it('leaves this process as it is', async () => {
    const before = [
      process.listenerCount('uncaughtException'),
      process.listenerCount('unhandledRejection'),
      typeof fetch,
    ];
    await compileFiles([file('/a.py'), file('/b.py')], 6, { signal });
    assert.deepEqual(
      [process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection'), typeof fetch],
      before,
    );
    await assert.rejects(
      compileFiles([file('/a.py')], 6, { signal: AbortSignal.abort(new Error('enough')) }),
      /enough/,
    );
  });
});
