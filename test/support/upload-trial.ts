/** One upload with a mishap drawn by lot. The board then has the old file or the new one, as the answer says. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { listBoardFiles, readBoardFiles } from '../../lib/board/file-jobs.ts';
import { uploadFilesToBoard } from '../../lib/board/upload-jobs.ts';
import { CodedError } from '../../lib/errors/coded-error.ts';
import type { Kept } from '../../lib/micropython/upload.ts';
import { random } from '../virtual-board/faults.ts';
import type { Fault } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const PATH = '/trial.bin';
const MOST = 6000;
/** What is played is mishaps, not time; faster, the line is trusted to more than the board's ring. */
const REPL_BAUD = 230_400;
const OLD = Buffer.from('this is the old file\n'.repeat(20));

export interface Trial {
  mishap: string;
  /** `uploaded`, or what the error says that the board has. */
  outcome: 'uploaded' | Kept;
  code?: string;
}

/** A board on which mishaps are played, one after the other. */
export class TrialBoard {
  readonly #device: VirtualBoard;
  readonly #board: Board;

  private constructor(device: VirtualBoard) {
    this.#device = device;
    this.#board = new Board({ port: device.rfc2217, baudRate: REPL_BAUD });
  }

  static async start(): Promise<TrialBoard> {
    return new TrialBoard(await launchBoard({ timing: 'none', bootMs: 0, replBaud: REPL_BAUD }));
  }

  /** Throws `AssertionError` when the board has another file than the answer says. Fit for the next one after it. */
  async play(seed: number): Promise<Trial> {
    const draw = random(seed);
    const content = contentOf(draw);
    await uploadFilesToBoard(this.#board, [{ path: PATH, content: OLD }]);
    const mishap = drawMishap(draw, seed);
    let unplugged: Promise<void> | undefined;
    if (mishap.kind !== 'unplug') await this.#device.fault(mishap);
    const at = draw() * content.length;
    const onProgress = ({ done }: { done: number }): void => {
      if (mishap.kind === 'unplug' && done >= at) unplugged ??= this.#device.unplug({ ms: 20 });
    };
    const trial: Trial = { mishap: JSON.stringify(mishap), outcome: 'uploaded' };
    try {
      await uploadFilesToBoard(this.#board, [{ path: PATH, content }], { onProgress });
    } catch (error) {
      assert.ok(error instanceof CodedError, String(error));
      trial.outcome = error.facts['kept'] as Kept;
      trial.code = String(error.code);
    }
    await this.clearFaults();
    await unplugged;
    await this.#check(trial, content);
    return trial;
  }

  clearFaults(): Promise<void> {
    return this.#device.clearFaults();
  }

  async close(): Promise<void> {
    await this.#board.close();
    await this.#device.close();
  }

  async #check(trial: Trial, content: Buffer): Promise<void> {
    const [found] = await readBoardFiles(this.#board, [PATH]);
    const what = JSON.stringify({ ...trial, length: found?.content.length });
    assert.notEqual(trial.outcome, 'either', what);
    assert.ok(found?.content.equals(trial.outcome === 'old' ? OLD : content), what);
    if (trial.mishap.includes('unplug')) return;
    const entries = await listBoardFiles(this.#board, '/');
    assert.ok(!entries.some(({ path }) => path.endsWith('.part')), what);
  }
}

function contentOf(draw: () => number): Buffer {
  const length = Math.floor(draw() * MOST);
  if (draw() < 0.5) return Buffer.from(Array.from({ length }, () => Math.floor(draw() * 256)));
  const lines = Array.from({ length: length / 10 }, () => `led.value(${Math.floor(draw() * 9)})\n`);
  return Buffer.from(lines.join(''));
}

type Mishap = Extract<Fault, { every: number }> | { kind: 'unplug' };

function drawMishap(draw: () => number, seed: number): Mishap {
  const kind = (['flip', 'drop', 'duplicate', 'unplug'] as const)[Math.floor(draw() * 4)] ?? 'flip';
  if (kind === 'unplug') return { kind };
  const direction = (['to-chip', 'to-chip', 'to-host', 'both'] as const)[Math.floor(draw() * 4)] ?? 'both';
  const every = Math.floor(10 ** (1.5 + 2 * draw()));
  return { kind, every, direction, times: 1 + Math.floor(draw() * 6), seed };
}
