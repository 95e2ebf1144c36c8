/**
 * What goes wrong while a board is flashed, at any block: it is finished and verified, or ends in an error with a code
 * and a board that the next job flashes. Harmed bytes: `test/esp/flash-resume.spec.ts`.
 */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { flashBoard } from '../../lib/board/loader-jobs.ts';
import type { EraseChoice, FlashJobResult, LoaderJobEvent } from '../../lib/board/loader-jobs.ts';
import { evaluatePython } from '../../lib/board/python-jobs.ts';
import { checkParts } from '../../lib/esp/place.ts';
import { holds } from '../support/flash-board.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const image = demoImage({ payloadSize: 90_000 });

interface Ended {
  result: FlashJobResult | undefined;
  error: (Error & { code?: string }) | undefined;
  kinds: string[];
  /** Bytes that each plan was to write. */
  plans: number[];
  isRight: boolean;
  /** After an error: what the next job of the same or a new board came to. */
  next: FlashJobResult | undefined;
  isRightNext: boolean;
}

interface Scene {
  device: VirtualBoard;
  board: Board;
  stop: AbortController;
}

/** What happens; its promise is waited for at the end. */
type Mishap = (scene: Scene) => Promise<unknown> | undefined;

/** When it happens: when this share of the image is written, or when this begins. */
type When = number | LoaderJobEvent['kind'];

/** Flashes a blank board, and meanwhile the mishap comes. */
async function flashWith(mishap: Mishap, when: When, erase: EraseChoice = 'needed'): Promise<Ended> {
  const device = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0 });
  const board = new Board({ port: device.rfc2217, baudRate: 115200 });
  const stop = new AbortController();
  const events: LoaderJobEvent[] = [];
  let happening: Promise<unknown> | undefined;
  const flash = (by: Board, onEvent: (event: LoaderJobEvent) => void): Promise<FlashJobResult> =>
    flashBoard(by, checkParts([{ bytes: image.bytes }]), {
      baudRate: 921600,
      connectTimeoutMs: 30_000,
      erase,
      signal: stop.signal,
      onEvent,
    });
  const again = new Board({ port: device.rfc2217, baudRate: 115200 });
  try {
    const [first] = await Promise.allSettled([
      flash(board, (event) => {
        events.push(event);
        const isDue =
          typeof when === 'string' || when === 0
            ? event.kind === (when || 'plan')
            : event.kind === 'writing' && event.done >= when * event.total;
        if (isDue) happening ??= mishap({ device, board, stop }) ?? Promise.resolve();
      }),
    ]);
    await happening;
    const isRight = await holds(device, image);
    const result = first.status === 'fulfilled' ? first.value : undefined;
    const error = first.status === 'rejected' ? (first.reason as Error) : undefined;
    await device.clearFaults();
    let next: FlashJobResult | undefined;
    if (error) {
      await board.close();
      next = await flashBoard(again, checkParts([{ bytes: image.bytes }]), {
        baudRate: 921600,
        connectTimeoutMs: 30_000,
        erase: 'needed',
        onEvent: () => undefined,
      });
    }
    const kinds = events.map(({ kind }) => kind);
    const plans = events.flatMap((event) => (event.kind === 'plan' ? [event.write] : []));
    return { result, error, kinds, plans, isRight, next, isRightNext: await holds(device, image) };
  } finally {
    await board.close();
    await again.close();
    await device.close();
  }
}

const unplug: Mishap = ({ device }) => device.unplug({ ms: 2000 });
const reset: Mishap = ({ device }) => device.pressEn();
const stall: Mishap = ({ device }) => device.fault({ kind: 'stall', ms: 5000 });
const sag: Mishap = ({ device }) => device.fault({ kind: 'sag' });
const brownOut: Mishap = ({ device }) => device.fault({ kind: 'brown-out' });
const cancel: Mishap = ({ stop }) => {
  stop.abort(new Error('cancelled'));
  return undefined;
};
const redeploy: Mishap = ({ board }) => board.close();

const SHARES = [0, 0.3, 0.6, 0.95];

describe('board: flash through mishaps', () => {
  /** By name and share of the image. */
  const outcomes = new Map<string, Ended>();
  type Case = [name: string, mishap: Mishap, when: When, erase?: EraseChoice];
  const cases: Case[] = [
    ...SHARES.map((when): Case => ['unplug', unplug, when]),
    ...SHARES.map((when): Case => ['reset', reset, when]),
    ['unplug', unplug, 'comparing'],
    ['unplug', unplug, 'verifying'],
    ['unplug with all erased', unplug, 'erasing', 'all'],
    ['unplug with region', unplug, 0.6, 'region'],
    ['sag', sag, 0.4],
    ['stall', stall, 0.5],
    ['brown-out', brownOut, 0.5],
    ['cancel', cancel, 0.3],
    ['redeploy', redeploy, 0.6],
  ];
  before(async function () {
    this.timeout(240_000);
    // Some boards at a time: two cores have to serve them.
    const waiting = [...cases];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [name, mishap, when, erase] = next;
        outcomes.set(`${name} at ${when}`, await flashWith(mishap, when, erase));
      }
    };
    await Promise.all([work(), work(), work(), work()]);
  });

  const outcome = (name: string): Ended => {
    const ended = outcomes.get(name);
    assert.ok(ended, name);
    return ended;
  };
  const about = ({ error, kinds }: Ended): string =>
    `${error?.stack ?? 'success'}\n${[...new Set(kinds)].join(' ')}`;

  for (const when of SHARES) {
    it(`is finished though the cable was pulled for two seconds when ${when * 100} % were written`, () => {
      const ended = outcome(`unplug at ${when}`);
      assert.ok(ended.result && ended.isRight, about(ended));
      assert.equal(ended.result.started, 'prompt');
      assert.ok(ended.kinds.includes('coming-back'));
      // The result is of the job as a whole, not of its last attempt.
      assert.deepEqual([ended.result.written, ended.result.plan.write], [ended.plans[0], ended.plans[0]]);
    });

    it(`is finished though the board was reset when ${when * 100} % were written`, () => {
      const ended = outcome(`reset at ${when}`);
      assert.ok(ended.result && ended.isRight, about(ended));
    });
  }

  for (const name of ['unplug at comparing', 'unplug at verifying', 'unplug with all erased at erasing']) {
    it(`is finished after ${name}`, () => {
      const ended = outcome(name);
      assert.ok(ended.result && ended.isRight, about(ended));
      assert.equal(ended.result.started, 'prompt');
    });
  }

  it('does not begin anew with `region` after the cable was pulled', () => {
    const ended = outcome('unplug with region at 0.6');
    assert.ok(ended.result && ended.isRight, about(ended));
    const [first, second] = ended.plans;
    assert.equal(first, image.bytes.length);
    assert.ok(second !== undefined && second < first / 2, String(ended.plans));
  });

  it('is finished though the supply sagged while the stub wrote', () => {
    const ended = outcome('sag at 0.4');
    assert.ok(ended.result && ended.isRight, about(ended));
    assert.equal(ended.result.started, 'prompt');
  });

  it('is finished though the line stood still for five seconds', () => {
    const ended = outcome('stall at 0.5');
    assert.ok(ended.result && ended.isRight, about(ended));
  });

  it('says that the board restarts for lack of power, with all written', () => {
    const ended = outcome('brown-out at 0.5');
    assert.equal(ended.error?.code, 'boot-failed', about(ended));
    assert.ok(ended.isRight);
    assert.equal(ended.next?.written, 0);
  });

  it('ends at once when cancelled or redeployed, and the next job goes on where it was', () => {
    for (const [name, code] of [
      ['cancel at 0.3', undefined],
      ['redeploy at 0.6', 'board-closed'],
    ] as const) {
      const ended = outcome(name);
      assert.ok(ended.error && !ended.isRight, about(ended));
      assert.equal(ended.error.code, code);
      assert.ok(!ended.kinds.includes('verifying'));
      assert.ok(ended.next && ended.next.written < image.bytes.length);
    }
  });

  it('never ends in a success that is none, nor in a board that is lost', () => {
    for (const [name, ended] of outcomes) {
      assert.ok(ended.isRightNext, `${name}: ${about(ended)}`);
      if (ended.result) assert.ok(ended.isRight, `${name}: ${about(ended)}`);
    }
    assert.equal(outcomes.size, cases.length);
  });

  it('keeps the port from others until it is done, and then hands it on', async () => {
    const device = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: 115200 });
    try {
      let asked: Promise<unknown> | undefined;
      const waits: number[] = [];
      const result = await flashBoard(board, checkParts([{ bytes: image.bytes }]), {
        baudRate: 921600,
        connectTimeoutMs: 30_000,
        erase: 'needed',
        onEvent: ({ kind }) => {
          if (kind !== 'writing') return;
          asked ??= evaluatePython(board, '6 * 7', { timeoutMs: 5000, onWait: (ahead) => waits.push(ahead) });
        },
      });
      assert.equal(result.started, 'prompt');
      assert.equal(await asked, 42);
      assert.deepEqual(waits, [1]);
    } finally {
      await board.close();
      await device.close();
    }
  }).timeout(60_000);
});
