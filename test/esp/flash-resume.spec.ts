/**
 * What goes wrong on the way, each on a board of its own: it ends finished and verified, or in an error with a
 * code and a board that can be flashed by the next message. Never in a success that is not one.
 */
import assert from 'node:assert/strict';
import type { FlashEvent, FlashOptions, FlashResult } from '../../lib/esp/flash.ts';
import { LINE_CODES } from '../support/failures.ts';
import { flashAt } from '../support/flash-board.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import type { Fault } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const image = demoImage({ payloadSize: 90_000, project: 'other' });
const PER_10_KB = 10_000;
/** Share of the image that is written when it happens. */
const MIDDLE = 0.4;

interface Ended {
  /** Absent where it ended in an error. */
  result: FlashResult | undefined;
  error: (Error & { code?: string }) | undefined;
  events: FlashEvent[];
  /** Whether the flash held the image then. */
  isRight: boolean;
  /** Bytes the next message wrote, without faults, after an error. */
  writtenNext: number | undefined;
  /** Whether the flash holds the image at the very end. */
  isRightNext: boolean;
  harmed: number;
}

type Mishap = (board: VirtualBoard, stop: AbortController) => Promise<unknown> | undefined;

async function holds(board: VirtualBoard): Promise<boolean> {
  const flash = await board.readFlash(image.offset, image.bytes.length);
  return Buffer.from(flash).equals(image.bytes);
}

/** Flashes a new board while the mishap happens, and after an error again without it. */
async function flashWith(mishap: Mishap, seed: number, when = MIDDLE): Promise<Ended> {
  const board = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0, seed });
  try {
    const stop = new AbortController();
    const events: FlashEvent[] = [];
    let happening: Promise<unknown> | undefined;
    const options: Partial<FlashOptions> = {
      signal: stop.signal,
      onEvent: (event) => {
        events.push(event);
        const due =
          event.kind === 'plan' ? when === 0 : event.kind === 'writing' && event.done >= when * event.total;
        if (due) happening ??= mishap(board, stop) ?? Promise.resolve();
      },
    };
    const [first] = await Promise.allSettled([flashAt(board.rfc2217, image.bytes, options)]);
    await happening;
    const isRight = await holds(board);
    const { drop, flip, duplicate } = await board.stats();
    const result = first.status === 'fulfilled' ? first.value.result : undefined;
    const error = first.status === 'rejected' ? (first.reason as Error) : undefined;
    await board.clearFaults();
    const next = error && (await flashAt(board.rfc2217, image.bytes));
    const writtenNext = next?.result.written;
    const isRightNext = await holds(board);
    return { result, error, events, isRight, writtenNext, isRightNext, harmed: drop + flip + duplicate };
  } finally {
    await board.close();
  }
}

const fault =
  (...faults: Fault[]): Mishap =>
  (board) =>
    Promise.all(faults.map((each) => board.fault(each)));

/** Little comes back from a chip: at one in 10 KB nothing would be hit. */
const ON_THE_WAY_BACK = 100;
const LINE_FAULTS = (['drop', 'flip', 'duplicate'] as const).flatMap((kind) =>
  (['to-chip', 'to-host'] as const).map((direction) => ({
    kind,
    direction,
    every: direction === 'to-chip' ? PER_10_KB : ON_THE_WAY_BACK,
  })),
);

const MISHAPS: Record<string, Mishap> = {
  stall: fault({ kind: 'stall', ms: 5000 }),
  unplug: (board) => board.unplug({ ms: 2000 }),
  reset: (board) => board.pressEn(),
  'brown-out': fault({ kind: 'brown-out' }),
  cancel: (_, stop) => {
    stop.abort(new Error('cancelled'));
    return undefined;
  },
};

const isToldOf = (code = ''): boolean => code === 'port-lost' || LINE_CODES.has(code);

describe('esp: flash through mishaps', () => {
  const outcomes = new Map<string, Ended>();
  before(async function () {
    // All boards at once, on two cores that may be busy.
    this.timeout(180_000);
    await Promise.all([
      ...LINE_FAULTS.map(async (each, i) =>
        outcomes.set(`${each.kind} ${each.direction}`, await flashWith(fault(each), i + 1, 0)),
      ),
      ...Object.entries(MISHAPS).map(async ([name, mishap], i) =>
        outcomes.set(name, await flashWith(mishap, i + 20)),
      ),
    ]);
  });

  const outcome = (name: string): Ended => {
    const ended = outcomes.get(name);
    assert.ok(ended, name);
    return ended;
  };
  const about = ({ error, events }: Ended): string => {
    const steps = events.map((event) => (event.kind === 'slower' ? `slower (${event.because})` : event.kind));
    return `${error?.stack ?? 'success'}\n${[...new Set(steps)].join(' ')}`;
  };

  const planned = ({ events }: Ended): number[] =>
    events.flatMap((event) => (event.kind === 'plan' ? [event.write] : []));

  for (const { kind, direction } of LINE_FAULTS.filter((each) => each.direction === 'to-chip')) {
    it(`ends verified though the chip hears bytes that were hit by a ${kind}, writing only what is missing`, () => {
      const ended = outcome(`${kind} ${direction}`);
      assert.ok(ended.result && ended.isRight, about(ended));
      assert.ok(ended.harmed > 0);
      assert.ok(
        ended.events.some((event) => event.kind === 'slower'),
        about(ended),
      );
      const plans = planned(ended);
      // A first attempt may end before anything stays.
      assert.deepEqual(
        plans,
        plans.toSorted((a, b) => b - a),
      );
      assert.ok((plans.at(-1) ?? 0) < (plans[0] ?? 0), plans.join(' '));
    });
  }

  for (const name of ['stall', 'reset']) {
    it(`goes on after a ${name} where it was`, () => {
      const ended = outcome(name);
      assert.ok(ended.result && ended.isRight, about(ended));
      const [first = 0, second = 0] = planned(ended);
      assert.ok(second > 0 && second < first);
    });
  }

  it('tells that the board was pulled, and goes on with the next message when it is back', () => {
    const ended = outcome('unplug');
    assert.equal(ended.error?.code, 'port-lost', about(ended));
    assert.ok(!ended.isRight && ended.isRightNext);
    assert.ok(ended.writtenNext !== undefined && ended.writtenNext < image.bytes.length);
  });

  it('ends at once when cancelled, and goes on with the next message', () => {
    const ended = outcome('cancel');
    assert.equal(ended.error?.message, 'cancelled', about(ended));
    assert.ok(!ended.isRight && ended.isRightNext);
    assert.ok(ended.writtenNext !== undefined && ended.writtenNext < image.bytes.length);
    assert.ok(!ended.events.some(({ kind }) => kind === 'slower' || kind === 'verifying'));
  });

  it('is not disturbed by a supply that only the program is too much for', () => {
    const ended = outcome('brown-out');
    assert.ok(ended.result && ended.isRight, about(ended));
  });

  it('harms bytes on their way to the host, too', () => {
    const harmed = LINE_FAULTS.filter(({ direction }) => direction === 'to-host').map(
      ({ kind, direction }) => outcome(`${kind} ${direction}`).harmed,
    );
    assert.ok(
      harmed.every((count) => count > 0),
      harmed.join(' '),
    );
  });

  it('never ends in a success that is none, nor in an error without a code, nor in a board that is lost', () => {
    for (const [name, ended] of outcomes) {
      const text = `${name}: ${about(ended)}`;
      assert.ok(ended.isRightNext, text);
      if (ended.result) assert.ok(ended.isRight, text);
      else if (name !== 'cancel') assert.ok(isToldOf(ended.error?.code), text);
    }
    assert.equal(outcomes.size, LINE_FAULTS.length + Object.keys(MISHAPS).length);
  });
});
