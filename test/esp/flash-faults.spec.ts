/** Flashing over lines that harm bytes: it ends in flash that is right, or in an error; never in between. */
import assert from 'node:assert/strict';
import type { FlashEvent } from '../../lib/esp/flash.ts';
import { EspError } from '../../lib/esp/errors.ts';
import { LINE_CODES } from '../support/failures.ts';
import { flashAt } from '../support/flash-board.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import type { Fault } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';

const image = demoImage({ payloadSize: 30_000, project: 'other' });

interface Outcome {
  /** Code of the error; absent after a success. */
  code?: string;
  error?: Error;
  isRight: boolean;
  harmed: number;
  blocks: number;
}

/** Flashes a new board; the fault begins when the first block is written, so that the writing is hit. */
async function flashThrough(fault: Fault, seed = 1): Promise<Outcome> {
  const board = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0, seed });
  try {
    let faulty: Promise<void> | undefined;
    const onEvent = (event: FlashEvent): void => {
      if (event.kind === 'board') faulty = board.fault(fault);
    };
    const error = await flashAt(board.rfc2217, image.bytes, { onEvent }).then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    await faulty;
    const flash = Buffer.from(await board.readFlash(image.offset, image.bytes.length));
    const { drop, flip, duplicate } = await board.stats();
    const blocks = board.log().filter(({ facts }) => facts['op'] === 'FLASH_DEFL_DATA').length;
    const isRight = flash.equals(image.bytes);
    if (!error) return { isRight, harmed: drop + flip + duplicate, blocks };
    const code = error instanceof EspError ? error.code : String(error);
    return { code, error, isRight, harmed: drop + flip + duplicate, blocks };
  } finally {
    await board.close();
  }
}

describe('esp: flash over a bad line', () => {
  const once = { every: 3000, direction: 'to-chip', times: 1 } as const;
  const faults: Fault[] = [
    { kind: 'flip', every: 400, direction: 'to-chip' },
    { kind: 'flip', every: 8000 },
    { kind: 'flip', every: 10, direction: 'to-host' },
    { kind: 'drop', every: 2000 },
    { kind: 'drop', every: 20, direction: 'to-host' },
    { kind: 'duplicate', every: 2000 },
  ];
  /** All boards are flashed side by side. */
  const outcomes = new Map<Fault | 'clean' | 'flip' | 'drop', Outcome>();
  before(async function () {
    this.timeout(120_000);
    const harmless: Fault = { kind: 'flip', every: 3000, times: 0 };
    await Promise.all([
      flashThrough(harmless).then((outcome) => outcomes.set('clean', outcome)),
      flashThrough({ kind: 'flip', ...once }).then((outcome) => outcomes.set('flip', outcome)),
      flashThrough({ kind: 'drop', ...once }).then((outcome) => outcomes.set('drop', outcome)),
      ...faults.map(async (fault, i) => outcomes.set(fault, await flashThrough(fault, i + 2))),
    ]);
  });

  for (const kind of ['flip', 'drop'] as const) {
    it(`sends a block again that arrived with a ${kind}`, () => {
      const { code, isRight, harmed, blocks } = outcomes.get(kind)!;
      assert.deepEqual({ code, isRight, harmed }, { code: undefined, isRight: true, harmed: 1 });
      // The board counts commands that it could read.
      assert.equal(blocks, outcomes.get('clean')!.blocks + (kind === 'flip' ? 1 : 0));
    });
  }

  it('never calls a flash right that is not, and has a code for what went wrong', () => {
    for (const fault of faults) {
      const { code, error, isRight, harmed } = outcomes.get(fault)!;
      const about = `${JSON.stringify(fault)}: ${error?.stack ?? 'success'}`;
      assert.ok(harmed > 0, about);
      if (code === undefined) assert.ok(isRight, about);
      else assert.ok(LINE_CODES.has(code), about);
    }
    assert.ok([...outcomes.values()].some(({ code }) => code !== undefined));
  });
});
