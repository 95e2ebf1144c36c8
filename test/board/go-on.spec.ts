/** A program that was interrupted to look at files goes on after it, as far as one can: it is started anew. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { interrupt, softResetBoard } from '../../lib/board/control-jobs.ts';
import { typeLine } from '../../lib/board/line-job.ts';
import { askAbout, listBoardFiles, readBoardFile, removeBoardFile } from '../../lib/board/file-jobs.ts';
import { evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { syncBoard } from '../../lib/board/sync-job.ts';
import type { OutgoingFile, SyncJobOptions, SyncJobResult } from '../../lib/board/sync-job.ts';
import { uploadFilesToBoard } from '../../lib/board/upload-jobs.ts';
import { failsWith } from '../support/failures.ts';
import { random } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const soon = { timeoutMs: 10_000 };
const MAIN = 'import time\nprint("main begins")\nwhile True: time.sleep_ms(5)\n';
const files = [
  { path: '/main.py', content: Buffer.from(MAIN) },
  { path: '/lib/a.py', content: Buffer.from('a = 1\n') },
];

describe('board: a program that is interrupted to look', function () {
  this.timeout(60_000);
  let device: VirtualBoard;
  let board: Board;
  let heard = '';
  let onHeard = (): void => undefined;
  before(async () => {
    device = await launchBoard({ timing: 'none', bootMs: 0 });
    board = new Board({ port: device.rfc2217, baudRate: 115200 });
    await uploadFilesToBoard(board, files);
    board.stream({
      data: (bytes) => {
        heard += Buffer.from(bytes).toString('latin1');
        onHeard();
      },
    });
  });
  after(async () => {
    await board.close();
    await device.close();
  });

  const sync = (
    wanted: readonly OutgoingFile[] = files,
    options: Partial<SyncJobOptions> = {},
  ): Promise<SyncJobResult> =>
    syncBoard(board, wanted, {
      isGuarded: () => false,
      after: { kind: 'nothing' },
      onOutput: () => undefined,
      ...options,
    });

  /** Waits until the board says this. */
  async function hears(text: string): Promise<void> {
    await new Promise<void>((resolve) => {
      onHeard = () => {
        if (heard.includes(text)) resolve();
      };
      onHeard();
    });
  }

  /** The same, and forgets it. */
  async function says(text: string): Promise<void> {
    await hears(text);
    heard = '';
  }

  const begins = (): Promise<void> => says('main begins');
  /** No job has come soon enough to keep the raw REPL. */
  const isLeft = (): Promise<void> => says('>>> ');

  async function startMain(): Promise<void> {
    heard = '';
    await softResetBoard(board, { timeoutMs: 50, runMain: true });
    await begins();
  }

  /** With something that a restart would take away. */
  async function toPrompt(): Promise<void> {
    await interrupt(board, {});
    await runPython(board, 'mine = 42', soon);
    heard = '';
  }

  const mine = (): Promise<unknown> => evaluatePython(board, 'globals().get("mine")', soon);

  it('goes on after a dry run, whatever that finds', async () => {
    await startMain();
    const other = [{ path: '/main.py', content: Buffer.from('other') }];
    const planned = await sync(other, { dryRun: true, mirror: '/', after: { kind: 'soft-reset' } });
    assert.deepEqual([planned.changed, planned.restarted], [true, true]);
    await begins();
    assert.equal((await readBoardFile(board, '/main.py')).toString(), MAIN);
    await begins();
  });

  it('goes on where all was up to date, with `nothing` and `check`', async () => {
    await startMain();
    assert.deepEqual((await sync()).restarted, true);
    await begins();
    const checked = await sync(files, { after: { kind: 'check' } });
    assert.deepEqual([checked.changed, checked.restarted, checked.check?.files], [false, true, 2]);
    await begins();
  });

  it('stays stopped where something was changed', async () => {
    await startMain();
    const more = [...files, { path: '/new.py', content: Buffer.from('n') }];
    const done = await sync(more);
    assert.deepEqual([done.changed, done.restarted, done.stopped], [true, undefined, true]);
    assert.equal((await sync(more)).stopped, undefined);
    assert.equal(await evaluatePython(board, '6 * 7', { ...soon, interrupt: false }), 42);
    await removeBoardFile(board, '/new.py');
  });

  it('goes on where that was asked for, whatever was changed', async () => {
    await startMain();
    await askAbout(board);
    const more = [...files, { path: '/new.py', content: Buffer.from('n') }];
    const done = await sync(more, { after: { kind: 'go-on' } });
    assert.deepEqual([done.changed, done.restarted], [true, true]);
    await begins();
    await removeBoardFile(board, '/new.py');
  });

  it('goes on after an error before the first change, and after a cancel', async () => {
    await startMain();
    await assert.rejects(sync([{ path: '/lib', content: Buffer.from('x') }]), failsWith('is-a-folder'));
    await begins();
    const stop = new AbortController();
    const cancelled = sync(files, { signal: stop.signal, onPhase: () => stop.abort(new Error('cancelled')) });
    await assert.rejects(cancelled, /cancelled/);
    await begins();
  });

  it('goes on where it was cancelled as it was got hold of, and nothing of that is heard', async () => {
    for (const afterMs of [0, 1, 3, 10, 30]) {
      await startMain();
      const stop = new AbortController();
      const cancel = (): void => stop.abort(new Error('cancelled'));
      const onStep = (): void => (afterMs === 0 ? cancel() : void setTimeout(cancel, afterMs));
      const cut = sync(files, { signal: stop.signal, onStep });
      // With nothing to do it goes on by itself, if it comes to that.
      await (afterMs === 0 ? assert.rejects(cut, /cancelled/) : cut.catch(() => undefined));
      await hears('main begins');
      assert.doesNotMatch(heard, /raw REPL|\x04|OK/, `after ${afterMs} ms`);
    }
  });

  it('a board at its prompt is at it after a cancel, whenever that came', async () => {
    await toPrompt();
    for (const afterMs of [0, 2, 5, 20]) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Error('cancelled')), afterMs);
      await sync(files, { signal: stop.signal, dryRun: true }).catch(() => undefined);
      const { text } = await typeLine(board, 'mine', { quietMs: 2000, timeoutMs: 10_000, until: '42' });
      assert.match(text, /^42/, `after ${afterMs} ms`);
    }
  });

  it('goes on when nothing more is asked', async () => {
    await startMain();
    await listBoardFiles(board, '/');
    assert.equal((await readBoardFile(board, '/lib/a.py')).toString(), 'a = 1\n');
    await begins();
  });

  it('does not go on where somebody runs code behind a look', async () => {
    await startMain();
    await listBoardFiles(board, '/');
    await runPython(board, 'mine = 42', soon);
    assert.equal(await mine(), 42);
    await isLeft();
    assert.equal(await mine(), 42);
  });

  it('a board at its prompt stays at it, also one that answers late', async () => {
    await toPrompt();
    assert.equal((await sync(files, { dryRun: true })).restarted, undefined);
    assert.equal((await sync()).restarted, undefined);
    assert.equal(await mine(), 42);
    await isLeft();
    await device.fault({ kind: 'stall', ms: 700, direction: 'to-host' });
    const steps: string[] = [];
    assert.equal((await sync(files, { onStep: (step) => steps.push(step) })).restarted, undefined);
    assert.notDeepEqual(steps, []);
    assert.equal(await mine(), 42);
  });

  it('is kept from running where the board restarts meanwhile, as its watchdog makes it', async () => {
    await startMain();
    const next = random(1);
    const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => next() * 256));
    const more = [
      { path: '/first.txt', content: Buffer.from('first') },
      { path: '/second.bin', content: noise(15_000) },
    ];
    const steps: string[] = [];
    const told: string[] = [];
    let restart: Promise<void> | undefined;
    const done = await sync(more, {
      after: { kind: 'go-on' },
      onStep: (step) => steps.push(step),
      onFile: ({ path }) => {
        told.push(path);
        restart ??= device.pressEn();
      },
    });
    await restart;
    assert.ok(steps.includes('hard-reset'), steps.join());
    assert.deepEqual(told, ['/first.txt', '/second.bin']);
    assert.deepEqual(
      done.files.map(({ action }) => action),
      ['created', 'created'],
    );
    assert.deepEqual(await readBoardFile(board, '/second.bin'), more[1]?.content);
    await begins();
  });

  it('makes room by ending where it left no memory, and goes on after it', async () => {
    // As if: what it has taken is a module that all need.
    const hungry = `import sys
class Hungry:
  def loads(self, text): raise MemoryError("memory allocation failed, allocating 512 bytes")
  dumps = loads
sys.modules["ujson"] = sys.modules["json"] = Hungry()
${MAIN}`;
    const main = [{ path: '/main.py', content: Buffer.from(hungry) }];
    await interrupt(board, {});
    await uploadFilesToBoard(board, main);
    await startMain();
    assert.equal((await readBoardFile(board, '/main.py')).toString(), hungry);
    await begins();
    assert.equal((await sync(main)).restarted, true);
    await begins();
    await interrupt(board, {});
    await assert.rejects(listBoardFiles(board, '/'), /MemoryError/, 'what is at the prompt is left alone');
    await softResetBoard(board, { timeoutMs: 5000, runMain: false });
    await uploadFilesToBoard(board, files);
  });

  it('goes on where the board is closed', async () => {
    await startMain();
    await listBoardFiles(board, '/');
    await board.close();
    board = new Board({ port: device.rfc2217, baudRate: 115200 });
    const ask = evaluatePython(board, '1', { ...soon, interrupt: false });
    await assert.rejects(ask, failsWith('program-running'));
  });
});
