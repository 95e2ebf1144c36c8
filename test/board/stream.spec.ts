/** The board's live voice: everyone hears all that programs print, and nothing of what jobs say on the wire. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { hardReset, interrupt, softResetBoard } from '../../lib/board/control-jobs.ts';
import { evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import type { StreamState, Subscription } from '../../lib/board/stream.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const soon = { timeoutMs: 10_000 };

/** A subscriber that remembers what it heard, and waits for it. */
class Ear {
  text = '';
  states: StreamState[] = [];
  readonly #subscription: Subscription;
  #look = (): void => undefined;

  constructor(board: Board) {
    this.#subscription = board.stream({
      data: (bytes) => {
        this.text += Buffer.from(bytes).toString('latin1');
        this.#look();
      },
      state: (state) => {
        this.states.push(state);
        this.#look();
      },
    });
  }

  /** Resolves when it holds; forgets what was heard up to there if it is about text. */
  async until(holds: () => boolean, what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`never ${what}; heard ${JSON.stringify(this.text)}`)),
        15_000,
      );
      this.#look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#look();
    });
  }

  hears(text: string): Promise<void> {
    return this.until(() => this.text.includes(text), `heard ${JSON.stringify(text)}`);
  }

  becomes(kind: StreamState['kind']): Promise<void> {
    return this.until(() => this.states.at(-1)?.kind === kind, `became ${kind}`);
  }

  get kinds(): string[] {
    return this.states.map((state) => (state.kind === 'paused' ? state.job : state.kind));
  }

  close(): void {
    this.#subscription.close();
  }
}

describe('board: its stream', () => {
  let device: VirtualBoard;
  let board: Board;
  let ear: Ear;
  before(async () => {
    device = await launchBoard({ timing: 'none', bootMs: 0 });
  });
  after(() => device.close());
  beforeEach(async () => {
    board = new Board({ port: device.rfc2217, baudRate: 115200 });
    ear = new Ear(board);
    await ear.becomes('live');
    await interrupt(board, {});
    await ear.until(
      () => ear.text.endsWith('>>> ') && ear.states.at(-1)?.kind === 'live',
      'came to its prompt',
    );
    ear.text = '';
    ear.states = [];
  });
  afterEach(() => board.close());

  const type = (text: string): Promise<void> => board.write(Buffer.from(text));

  it('opens the port and carries what is typed and answered, to each who listens', async () => {
    const other = new Ear(board);
    await other.becomes('live');
    await type('6 * 7\r');
    await ear.hears('42\r\n>>> ');
    await other.hears('42\r\n>>> ');
    assert.equal(ear.text, '6 * 7\r\n42\r\n>>> ');
    assert.equal(other.text, ear.text);
    other.close();
    await type('8 * 8\r');
    await ear.hears('64\r\n>>> ');
    assert.doesNotMatch(other.text, /64/);
  });

  it('reaches a running program without interrupting it', async () => {
    await type('while True: print("got", input())\r\r\r');
    ear.text = '';
    await type('one\r');
    await ear.hears('got one\r\n');
    await type('zwei ü\r');
    await ear.hears('got zwei');
    assert.doesNotMatch(ear.text, /KeyboardInterrupt|raw REPL/);
  });

  it('hears nothing of a program that nobody may interrupt, as nothing is typed to it', async () => {
    await type('while True: print("got", repr(input()))\r\r\r');
    await ear.hears("got ''\r\n");
    ear.text = '';
    await assert.rejects(
      evaluatePython(board, '1', { ...soon, interrupt: false }),
      failsWith('program-running'),
    );
    await type('one\r');
    await ear.hears("got 'one'\r\n");
    assert.doesNotMatch(ear.text, /got ''/);
  });

  it('goes on while code runs, with its output and without the protocol, then with a prompt', async () => {
    await runPython(board, 'for i in range(3): print("line", i)', soon);
    assert.equal(ear.text, 'line 0\r\nline 1\r\nline 2\r\n');
    await ear.hears('>>> ');
    assert.equal(ear.text, 'line 0\r\nline 1\r\nline 2\r\n>>> ');
    assert.deepEqual(ear.kinds, ['run', 'live']);
  });

  it('hears nothing of evaluations, one after the other in one raw REPL', async () => {
    for (const n of [1, 2, 3]) assert.equal(await evaluatePython(board, `${n} + 1`, soon), n + 1);
    assert.equal(ear.text, '');
    await type('print("typed")\r');
    await ear.hears('typed\r\n>>> ');
    assert.equal(ear.text, '>>> print("typed")\r\ntyped\r\n>>> ');
  });

  it('tells what a program had printed until a job interrupted it', async () => {
    await type('n = 0\rwhile True: print("count", n); n += 1; __import__("time").sleep_ms(5)\r\r\r');
    await ear.hears('count 10\r\n');
    assert.equal(await evaluatePython(board, 'n > 10', soon), true);
    assert.match(ear.text, /KeyboardInterrupt/);
    const counts = [...ear.text.matchAll(/count (\d+)\r\n/g)].map(([, n]) => Number(n));
    assert.deepEqual(
      counts,
      counts.map((_, i) => i),
    );
  });

  it('pauses while a job has the port, whatever comes then', async () => {
    await type('from time import sleep_ms\rwhile True: print("on"); sleep_ms(5)\r\r\r');
    await ear.hears('on\r\non\r\n');
    const heard = await board.run({
      kind: 'flash',
      run: async ({ transport }) => {
        const length = ear.text.length;
        await new Promise<void>((resolve) =>
          transport.listen({ data: () => resolve(), closed: () => resolve() }),
        );
        return ear.text.length - length;
      },
    });
    assert.equal(heard, 0);
    assert.deepEqual(ear.kinds, ['flash', 'live']);
    ear.text = '';
    await ear.hears('on\r\n');
  });

  it('comes back by itself after the board was unplugged', async () => {
    const back = device.unplug({ ms: 400 });
    await ear.becomes('gone');
    const [state] = ear.states;
    assert.equal(state?.kind === 'gone' && (state.error as { code?: string }).code, 'port-lost');
    await back;
    await ear.becomes('live');
    await interrupt(board, {});
    await type('print("back")\r');
    await ear.hears('back\r\n>>> ');
  });

  it('hears a board that is reset, whether the prompt or a raw REPL was left', async () => {
    for (const kept of [false, true]) {
      if (kept) await evaluatePython(board, '1', soon);
      ear.text = '';
      await device.pressEn();
      await ear.hears('>>> ');
      assert.match(ear.text, /rst:0x1[\s\S]*MicroPython v/);
      assert.equal(await evaluatePython(board, '2', soon), 2);
      await ear.until(() => ear.text.endsWith('>>> '), 'came back to its prompt');
    }
  });

  it('is interrupted and reset on demand', async () => {
    const say = 'import os\nf = open("main.py", "w")\nf.write("print(\'main ran\')\\n")\nf.close()';
    await runPython(board, `${say}\nx = 1`, soon);
    assert.equal((await softResetBoard(board, { ...soon, runMain: true })).started, 'prompt');
    await ear.hears('main ran\r\n');
    ear.text = '';
    assert.deepEqual(await softResetBoard(board, { ...soon, runMain: false }), { started: 'prompt' });
    assert.doesNotMatch(ear.text, /main ran/);
    ear.text = '';
    assert.equal((await hardReset(board, soon)).started, 'prompt');
    assert.match(ear.text, /rst:0x[\s\S]*main ran\r\nMicroPython v/);
    await runPython(board, 'import os\nos.remove("main.py")', soon);
  });

  it('keeps trying a port that does not open, until nobody listens or the board is closed', async () => {
    for (const stop of ['subscription', 'board']) {
      const nowhere = new Board({ port: 'tcp://127.0.0.1:1', baudRate: 115200 });
      const deaf = new Ear(nowhere);
      await deaf.until(() => deaf.states.length > 1, 'told twice');
      assert.deepEqual([...new Set(deaf.kinds)], ['gone']);
      if (stop === 'subscription') deaf.close();
      await nowhere.close();
      const told = deaf.states.length;
      await new Promise((resolve) => setTimeout(resolve, 600));
      assert.equal(deaf.states.length, told);
    }
  });
});

describe('board: reset without lines', () => {
  it('by the code of the board', async function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: the pty door is for Linux');
      this.skip();
    }
    const device = await launchBoard({ timing: 'none', bootMs: 0, rfc2217: false, pty: true });
    const board = new Board({ port: device.pty, baudRate: 115200 });
    try {
      const ear = new Ear(board);
      await ear.becomes('live');
      assert.equal((await hardReset(board, soon)).started, 'prompt');
      assert.match(ear.text, /rst:0x/);
    } finally {
      await board.close();
      await device.close();
    }
  });
});
