/** Every job in the loader goes on more slowly on a line that does not bear the rate, as flashing does. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import {
  eraseBoard,
  flashBoard,
  inspectBoard,
  readBoard,
  resetBoard,
  verifyBoard,
} from '../../lib/board/loader-jobs.ts';
import type { LoaderJobEvent, LoaderJobOptions } from '../../lib/board/loader-jobs.ts';
import { checkParts } from '../../lib/esp/place.ts';
import { failsWith } from '../support/failures.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const image = demoImage({ payloadSize: 20_000, project: 'other' });
const firmware = checkParts([{ bytes: image.bytes }]);
/** As behind a long cable: above this rate nothing arrives whole. */
const BEARS = 460_800;

type Work = (board: Board, options: LoaderJobOptions) => Promise<void>;

const JOBS: Readonly<Record<string, Work>> = {
  info: async (board, options) => assert.equal((await inspectBoard(board, options)).chip, 'ESP32'),
  erase: async (board, options) =>
    assert.equal((await eraseBoard(board, { offset: 0x3f0000, size: 4096 }, options)).verified, true),
  backup: async (board, options) => {
    const wish = { backup: 'data', erase: 'needed', watch: 'never' } as const;
    const { backup } = await flashBoard(board, firmware, { ...options, ...wish });
    assert.deepEqual(
      backup?.map(({ label }) => label),
      ['nvs'],
    );
  },
};

describe('board: jobs on a bad line', () => {
  let device: VirtualBoard;
  let board: Board;
  let events: LoaderJobEvent[];
  const options: LoaderJobOptions = {
    baudRate: 921_600,
    connectTimeoutMs: 15_000,
    onEvent: (event) => events.push(event),
  };
  const slower = (): unknown[] =>
    events.flatMap((event) => (event.kind === 'slower' ? [event.baudRate] : []));
  before(async () => {
    device = await launchBoard({ timing: 'none', bootMs: 0, firmware: 'none' });
    await device.writeFlash(image.offset, image.bytes);
    await device.writeFlash(0x9000, Buffer.from('settings'));
  });
  beforeEach(() => {
    events = [];
    board = new Board({ port: device.rfc2217, baudRate: 115200 });
  });
  afterEach(async () => {
    await device.clearFaults();
    await board.close();
  });
  after(() => device.close());

  for (const [job, work] of Object.entries(JOBS)) {
    it(`${job} goes on at a rate that the line bears, and the next job begins there`, async () => {
      await device.fault({ kind: 'drop', every: 1, above: BEARS });
      await work(board, options);
      assert.deepEqual(slower(), [BEARS]);
      assert.equal(board.memory.lines.rung, 1);
    });
  }

  it('goes on at a rate that the port has', async () => {
    await device.fault({ kind: 'slow-port', maxBaud: BEARS });
    assert.equal((await inspectBoard(board, options)).chip, 'ESP32');
    assert.deepEqual(slower(), [BEARS]);
  });

  it('does not blame the line for other firmware', async () => {
    const other = checkParts([{ bytes: demoImage({ payloadSize: 20_000, seed: 5 }).bytes }]);
    await assert.rejects(verifyBoard(board, other, options), failsWith('verify-failed'));
    assert.deepEqual(slower(), []);
  });

  it('needs no other rate to restart', async () => {
    await device.fault({ kind: 'drop', every: 1, above: 115_200 });
    assert.equal((await resetBoard(board, 'loader', options)).chip, 'ESP32');
    assert.equal((await resetBoard(board, 'run', options)).chip, 'ESP32');
    assert.deepEqual(slower(), []);
  });

  it('reading goes on where it was when the board was pulled and is back', async () => {
    const PIECE = 0x40000;
    let pulled: Promise<void> | undefined;
    const bytes = await readBoard(
      board,
      { offset: 0, size: PIECE + 0x8000 },
      {
        ...options,
        onEvent: (event) => {
          events.push(event);
          if (event.kind === 'reading' && event.done > PIECE) pulled ??= device.unplug({ ms: 500 });
        },
      },
    );
    await pulled;
    const held = Buffer.from(await device.readFlash(0, bytes.length));
    assert.ok(held.equals(bytes));
    const back = events.findIndex(({ kind }) => kind === 'coming-back');
    assert.ok(back > 0);
    const done = events.slice(back).flatMap((event) => (event.kind === 'reading' ? [event.done] : []));
    assert.ok(done[0] !== undefined && done[0] > PIECE, String(done[0]));
  }).timeout(30_000);
});
