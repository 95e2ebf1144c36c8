/** Uploads to a board that is short of memory: for the time of it, not until its port is opened anew. */
import assert from 'node:assert/strict';
import { evaluate } from '../../lib/micropython/answer.ts';
import type { RawRepl } from '../../lib/micropython/raw-repl.ts';
import { uploadFiles } from '../../lib/micropython/upload.ts';
import type { UploadOptions } from '../../lib/micropython/upload.ts';
import { MicroPythonBoard } from '../support/micropython-board.ts';

const soon = { timeoutMs: 20_000 };
const content = Buffer.from('x = 1\n'.repeat(100));

describe('micropython: upload to a board short of memory', function () {
  this.timeout(60_000);
  let mp: MicroPythonBoard;
  before(async () => {
    mp = await MicroPythonBoard.start();
  });
  after(() => mp.close());

  /** So often the board's script finds no memory for its buffers. */
  const shortOf = (repl: RawRepl, times: number): Promise<void> =>
    repl.run(
      `import sys, gc
short = [None] * ${times}
class Heap:
  def __init__(self, gc):
    self.collect = gc.collect
    self.free = gc.mem_free
  def mem_free(self):
    if short:
      short.pop()
      raise MemoryError("memory allocation failed, allocating 8192 bytes")
    return self.free()
sys.modules["gc"] = Heap(gc)
mine = 42`,
      soon,
    );

  /** Returns how many more times it would have been short. */
  async function upload(repl: RawRepl, options: UploadOptions = {}): Promise<unknown> {
    await uploadFiles(repl, [{ path: 'a.py', content }], options);
    assert.deepEqual(await evaluate(repl, 'open("a.py", "rb").read()', soon), content);
    return evaluate(repl, 'len(globals().get("short", "restarted"))', soon);
  }

  it('takes back what is ours, and tries again with small buffers', async () => {
    const repl = await mp.repl();
    assert.equal(await evaluate(repl, '1', soon), 1);
    await repl.enter();
    await shortOf(repl, 1);
    assert.equal(await upload(repl), 0);
    assert.equal(repl.link.uploadWay, 'packed');
    assert.equal(await evaluate(repl, 'mine', soon), 42);
  });

  it('goes the slow way where that is not enough, and the fast one with the next files', async () => {
    const repl = await mp.repl();
    await shortOf(repl, 3);
    assert.equal(await upload(repl), 1);
    assert.equal(repl.link.uploadWay, 'packed');
    assert.equal(await upload(repl), 0);
  });

  it('starts the interpreter anew where that comes after it anyway', async () => {
    const repl = await mp.repl();
    await shortOf(repl, 9);
    assert.equal(await upload(repl, { mayRestart: true }), 'restarted'.length);
    assert.equal(repl.link.uploadWay, 'packed');
  });
});
