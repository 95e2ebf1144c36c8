/** Mishaps by lot: seeded, so that one that fails can be had again. `npm run bench -- faults` plays many more. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Board } from '../../lib/board/board.ts';
import { BoardError } from '../../lib/board/errors.ts';
import { statBoardFile } from '../../lib/board/file-jobs.ts';
import { uploadFilesToBoard } from '../../lib/board/upload-jobs.ts';
import { sha256Of } from '../../lib/bytes/sha256.ts';
import type { CodedError } from '../../lib/errors/coded-error.ts';
import { uploadFiles } from '../../lib/micropython/upload.ts';
import { Inbox } from '../../lib/transport/inbox.ts';
import { failsWith } from '../support/failures.ts';
import { MicroPythonBoard, printed } from '../support/micropython-board.ts';
import { TrialBoard } from '../support/upload-trial.ts';
import type { Trial } from '../support/upload-trial.ts';
import { launchBoard } from '../virtual-board/launch.ts';

const SEEDS = 100;
const BOARDS = 3;

describe('micropython: uploads and mishaps', function () {
  this.timeout(300_000);
  const boards: (TrialBoard | MicroPythonBoard)[] = [];
  after(() => Promise.all(boards.map((board) => board.close())));

  it(`of ${SEEDS} seeds leave the old file or the new one, and the answer says which`, async () => {
    const trials: Trial[] = [];
    const seeds = Array.from({ length: SEEDS }, (_, i) => i + 1);
    await Promise.all(
      Array.from({ length: BOARDS }, async () => {
        const board = await TrialBoard.start();
        boards.push(board);
        for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
          const trial = await board.play(seed).catch((error: unknown) => {
            throw new Error(`seed ${seed}`, { cause: error });
          });
          trials.push(trial);
        }
      }),
    );
    const count = (outcome: Trial['outcome']): number =>
      trials.filter((trial) => trial.outcome === outcome).length;
    assert.ok(count('uploaded') > SEEDS / 2, 'damage is asked for again');
    assert.ok(count('old') > 0);
  });

  it('the host that vanishes: the board ends it by itself, and Ctrl-C works again', async () => {
    const mp = await MicroPythonBoard.start();
    boards.push(mp);
    await uploadFiles(await mp.repl(), [{ path: 'kept.txt', content: Buffer.from('old') }]);
    const repl = await mp.repl();
    let isGone: Promise<void> | undefined;
    const work = uploadFiles(repl, [{ path: 'kept.txt', content: Buffer.alloc(200_000, 'x\x03y\n') }], {
      onProgress: ({ done }) => {
        if (done > 5000) isGone ??= mp.transport.close();
      },
    });
    await assert.rejects(work, failsWith('port-lost', { kept: 'old' }));
    await isGone;
    await sleep(6000);
    await mp.reopen();
    // As a person does: nothing but Ctrl-C and Ctrl-B, once.
    const said = new Inbox(mp.transport);
    await mp.transport.write(Buffer.from('\x03\x02'));
    await said.until('>>> ', { timeoutMs: 20_000 });
    const names = await printed(
      await mp.repl(),
      'import os\nprint(os.listdir("/"), open("kept.txt").read())',
    );
    assert.match(names, /'kept\.txt'.*old/);
    assert.ok(!names.includes('.part'), names);
  });

  /** Uploads, and lets the board go when it has begun to read. Returns what the answer says that it has. */
  async function uploadAsItGoes(
    board: Board,
    content: Buffer,
    go: () => Promise<unknown>,
    signal?: AbortSignal,
  ): Promise<{ facts: CodedError['facts']; before: string | undefined; now: string | undefined }> {
    const hash = async (): Promise<string | undefined> =>
      (await statBoardFile(board, '/last.txt', { hashes: true }))?.sha256;
    const before = await hash();
    let gone: Promise<unknown> | undefined;
    const onProgress = (): void => {
      gone ??= go();
    };
    const options = { onProgress, ...(signal ? { signal } : {}) };
    const facts = await uploadFilesToBoard(board, [{ path: 'last.txt', content }], options).then(
      () => ({}),
      (error: unknown) => (error as CodedError).facts,
    );
    await gone;
    return { facts, before, now: await hash() };
  }

  it('a board that is unplugged in the last moment tells what it has when it is back', async () => {
    const device = await launchBoard({ timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115_200 });
    try {
      for (const text of ['one', 'two', 'three', 'four']) {
        const content = Buffer.from(text);
        const { facts, before, now } = await uploadAsItGoes(board, content, () => device.unplug({ ms: 50 }));
        assert.notEqual(facts['kept'], 'either');
        assert.equal(now, facts['kept'] === 'old' ? before : sha256Of(content));
      }
    } finally {
      await board.close();
      await device.close();
    }
  });

  it('a cancel in the last moment: the board is asked what it has', async () => {
    const device = await launchBoard({ timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115_200 });
    // It ends many jobs, and none of them is to hear of another's files.
    const reason = new BoardError('cancelled', 'cancelled');
    try {
      for (const stallMs of [0, 100, 600]) {
        const stop = new AbortController();
        const content = Buffer.from(Array.from({ length: 250 }, (_, i) => (i * i + stallMs) & 0xff));
        const cancel = async (): Promise<void> => {
          // What the board says comes too late: it may have the file by then.
          if (stallMs > 0) await device.fault({ kind: 'stall', ms: stallMs, direction: 'to-host' });
          await sleep(stallMs / 2);
          stop.abort(reason);
        };
        const { facts, before, now } = await uploadAsItGoes(board, content, cancel, stop.signal);
        const isNew = (facts['done'] as string[]).includes('/last.txt');
        assert.equal(now, isNew ? sha256Of(content) : before);
        assert.equal(facts['kept'] ?? 'new', isNew ? 'new' : 'old');
        assert.deepEqual(reason.facts, {});
      }
    } finally {
      await board.close();
      await device.close();
    }
  });

  it('a board that is reset before it could say that it has the new file is asked for it', async () => {
    const device = await launchBoard({ timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115_200 });
    try {
      // It has all of it before it has read half.
      const content = Buffer.from(Array.from({ length: 250 }, (_, i) => (i * i) & 0xff));
      const { facts, now } = await uploadAsItGoes(board, content, async () => {
        await device.fault({ kind: 'stall', ms: 4000, direction: 'to-host' });
        await sleep(2000);
        await device.pressEn();
      });
      assert.equal(facts['kept'], 'new');
      assert.equal(now, sha256Of(content));
    } finally {
      await board.close();
      await device.close();
    }
  });
});
