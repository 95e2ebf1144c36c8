/** One board, many who want it: in order, one at a time, and free again whatever becomes of a job. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Board, PRIORITY } from '../../lib/board/board.ts';
import type { Job, Lease } from '../../lib/board/board.ts';
import { Inbox } from '../../lib/transport/inbox.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const soon = { timeoutMs: 10_000 };
type Kind = keyof typeof PRIORITY;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
/** Up to the prompt behind a number that stands alone. */
const ANSWER = /^[^]*\n(\d+)\r\n>>> /;

/** Something that ends when the test says so. */
function gate(): { passed: Promise<void>; open: () => void; fail: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  return { passed: promise.then(() => undefined), open: () => resolve(undefined), fail: reject };
}

/** Bytes of JavaScript's heap that are in use. */
async function heapUsed(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise(setImmediate);
  }
  return process.memoryUsage().heapUsed;
}

/** Until the signal is aborted, whatever the job waits for. */
function untilAborted({ signal }: Lease): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
}

describe('board: jobs', () => {
  let device: VirtualBoard;
  let board: Board;
  before(async () => {
    device = await launchBoard({ timing: 'none', bootMs: 0 });
  });
  after(() => device.close());
  beforeEach(() => {
    board = new Board({ port: device.rfc2217, baudRate: 115200 });
  });
  afterEach(() => board.close());

  const job = <T>(kind: Kind, run: Job<T>['run'], more: Partial<Job<T>> = {}): Promise<T> =>
    board.run({ kind, run, ...more });
  const nothing = (): Promise<void> => Promise.resolve();

  it('run in order, flash before upload before run, those of one kind as they came', async () => {
    const order: string[] = [];
    const waits: [string, number][] = [];
    const first = gate();
    const held = job('run', () => first.passed);
    const names: [Kind, string][] = [
      ['run', 'run 1'],
      ['upload', 'upload 1'],
      ['flash', 'flash 1'],
      ['run', 'run 2'],
      ['flash', 'flash 2'],
      ['upload', 'upload 2'],
    ];
    const rest = names.map(([kind, name]) =>
      job(
        kind,
        () => {
          order.push(name);
          return nothing();
        },
        { onWait: (ahead) => waits.push([name, ahead]) },
      ),
    );
    first.open();
    await Promise.all([held, ...rest]);
    assert.deepEqual(order, ['flash 1', 'flash 2', 'upload 1', 'upload 2', 'run 1', 'run 2']);
    assert.deepEqual(waits, [
      ['run 1', 1],
      ['upload 1', 1],
      ['flash 1', 1],
      ['run 2', 4],
      ['flash 2', 2],
      ['upload 2', 4],
    ]);
  });

  it('never hold the port two at a time, also when one fails', async () => {
    let holders = 0;
    let most = 0;
    const use = async (fails: boolean): Promise<void> => {
      most = Math.max(most, ++holders);
      for (let i = 0; i < 3; i++) await new Promise(setImmediate);
      holders--;
      if (fails) throw new Error('failed');
    };
    const kinds = Object.keys(PRIORITY) as Kind[];
    const jobs = Array.from({ length: 12 }, (_, i) => job(kinds[i % 3]!, () => use(i % 4 === 0)));
    const outcomes = await Promise.allSettled(jobs);
    assert.equal(most, 1);
    assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 3);
  });

  it('do not interleave on the wire', async () => {
    const ask = (sum: string): Promise<string> =>
      job('run', async ({ transport }) => {
        const inbox = new Inbox(transport);
        await transport.write(Buffer.from(`\r${sum}`));
        await new Promise(setImmediate);
        await transport.write(Buffer.from(' * 2\r'));
        const answer = await inbox.until((unread) => ANSWER.exec(text(unread))?.[0].length ?? -1, soon);
        return ANSWER.exec(text(answer))?.[1] ?? '';
      });
    await job('run', async ({ transport }) => {
      await transport.write(Buffer.from('\r'));
      await new Inbox(transport).until('>>> ', soon);
    });
    assert.deepEqual(await Promise.all([ask('21'), ask('50'), ask('8')]), ['42', '100', '16']);
  });

  it('keep the port open between them and return its value', async () => {
    const one = await job('run', ({ transport }) => Promise.resolve(transport));
    const two = await job('upload', ({ transport }) => Promise.resolve(transport));
    assert.equal(one, two);
  });

  it('leave the port at the rate of the program, however they end', async () => {
    const away = async ({ transport }: Lease): Promise<void> => {
      await transport.setBaudRate(230400);
      assert.equal(transport.baudRate, 230400);
    };
    const rate = (): Promise<number> => job('line', ({ transport }) => Promise.resolve(transport.baudRate));
    await job('flash', away);
    assert.equal(await rate(), 115200);
    const failing = job('run', async (lease) => {
      await away(lease);
      throw new Error('the job failed');
    });
    await assert.rejects(failing, /the job failed/);
    assert.equal(await rate(), 115200);
  });

  it('that wait can be cancelled, and the others keep their places', async () => {
    const first = gate();
    const held = job('run', () => first.passed);
    const stop = new AbortController();
    let hasRun = false;
    const cancelled = job('flash', () => Promise.resolve((hasRun = true)), { signal: stop.signal });
    const next = job('run', () => Promise.resolve('next'));
    stop.abort(new Error('enough'));
    await assert.rejects(cancelled, /enough/);
    first.open();
    await held;
    assert.equal(await next, 'next');
    assert.equal(hasRun, false);
  });

  it('that run can be cancelled, and the next begins only when they have let go', async () => {
    const order: string[] = [];
    const stop = new AbortController();
    const running = job(
      'run',
      async (lease) => {
        setImmediate(() => stop.abort(new Error('enough')));
        try {
          await untilAborted(lease);
        } finally {
          await new Promise(setImmediate);
          order.push('let go');
        }
      },
      { signal: stop.signal },
    );
    const next = job('run', () => Promise.resolve(order.push('next')));
    await assert.rejects(running, /enough/);
    await next;
    assert.deepEqual(order, ['let go', 'next']);
  });

  it('whose signal is aborted do not begin', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await assert.rejects(
      job('run', () => assert.fail('it ran'), { signal }),
      /too late/,
    );
    assert.equal(await job('run', () => Promise.resolve(1)), 1);
  });

  it('leave nothing behind on the board, however many there were', async () => {
    const several = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await job('line', nothing, { signal: new AbortController().signal });
    };
    await several(6000);
    const before = await heapUsed();
    await several(6000);
    const left = (await heapUsed()) - before;
    assert.ok(left < 6000 * 60, `${left} bytes`);
  });

  it('end when the board is closed: running ones let go first, waiting ones never begin', async () => {
    const order: string[] = [];
    const began = gate();
    const running = job('run', async (lease) => {
      began.open();
      try {
        await untilAborted(lease);
      } finally {
        await new Promise(setImmediate);
        order.push('let go');
      }
    });
    const waiting = job('flash', () => assert.fail('it ran'));
    const ended = Promise.allSettled([running, waiting]);
    await began.passed;
    await board.close();
    await ended;
    order.push('closed');
    assert.deepEqual(order, ['let go', 'closed']);
    for (const each of [running, waiting]) await assert.rejects(each, failsWith('board-closed'));
    await assert.rejects(job('run', nothing), failsWith('board-closed'));
    // The port is free: the server takes one client at a time.
    const other = new Board({ port: device.rfc2217, baudRate: 115200 });
    assert.equal(await other.run({ kind: 'run', run: () => Promise.resolve(2) }), 2);
    await other.close();
  });

  it('do not begin on a port that is being closed, at whatever moment that happens', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const closing = new Board({ port: device.rfc2217, baudRate: 115200 });
      const first = gate();
      const began = gate();
      let isClosed = false;
      const late: string[] = [];
      const run = ({ signal }: Lease): Promise<void> => {
        if (signal.aborted) late.push('began although it was cancelled');
        if (isClosed) late.push('began on a closed port');
        return nothing();
      };
      const jobs = [
        closing.run({
          kind: 'run',
          run: () => {
            began.open();
            return first.passed;
          },
        }),
        closing.run({ kind: 'run', run }),
        closing.run({ kind: 'run', run }),
      ];
      const outcomes = Promise.allSettled(jobs);
      await closing
        .run({ kind: 'flash', run: nothing, signal: AbortSignal.timeout(5) })
        .catch(() => undefined);
      first.open();
      for (let i = 0; i < ticks; i++) await Promise.resolve();
      await closing.close();
      isClosed = true;
      await outcomes;
      assert.deepEqual(late, [], `after ${ticks} turns`);
    }
  });

  it('open the port anew after it was lost, in a job or between two', async () => {
    const lost = job('run', async ({ transport }) => {
      const inbox = new Inbox(transport);
      const read = inbox.until('never said', { timeoutMs: 10_000 });
      const back = device.unplug({ ms: 20 });
      await assert.rejects(read, failsWith('port-lost'));
      await back;
      throw new Error('seen');
    });
    await assert.rejects(lost, /seen/);
    const first = await job('run', ({ transport }) => Promise.resolve(transport));
    const gone = new Promise<void>((resolve) => {
      void job('run', ({ transport }) => {
        transport.listen({ data: () => undefined, closed: () => resolve() });
        const end = device.unplug({ ms: 20 });
        return gone.then(() => end);
      });
    });
    await gone;
    const second = await job('run', ({ transport }) => Promise.resolve(transport));
    assert.notEqual(first, second);
  });

  it('fail by themselves where the port cannot be opened', async () => {
    const nowhere = new Board({ port: 'tcp://127.0.0.1:1', baudRate: 115200 });
    const jobs = [1, 2].map(() => nowhere.run({ kind: 'run', run: () => assert.fail('it ran') }));
    for (const each of jobs) await assert.rejects(each, failsWith('port-refused'));
    await nowhere.close();
  });
});
