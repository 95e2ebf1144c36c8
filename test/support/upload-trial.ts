/** One upload with a mishap drawn by lot: what the board has after it is the old file or the new one, as the answer says. */
import assert from 'node:assert/strict';
import { readFiles } from '../../lib/micropython/download.ts';
import { CodedError } from '../../lib/errors/coded-error.ts';
import { uploadFiles } from '../../lib/micropython/upload.ts';
import type { Kept } from '../../lib/micropython/upload.ts';
import { random } from '../virtual-board/faults.ts';
import type { Fault } from '../virtual-board/faults.ts';
import { MicroPythonBoard, printed } from './micropython-board.ts';

const PATH = '/trial.bin';
const MOST = 6000;
const OLD = Buffer.from('this is the old file\n'.repeat(20));

export interface Trial {
  mishap: string;
  /** `uploaded`, or what the error says that the board has. */
  outcome: 'uploaded' | Kept;
  code?: string;
}

/** The board is fit for the next trial after it. Throws `AssertionError` when the board has neither file, or another. */
export async function uploadTrial(mp: MicroPythonBoard, seed: number): Promise<Trial> {
  const draw = random(seed);
  const content = contentOf(draw);
  await uploadFiles(await mp.repl(), [{ path: PATH, content: OLD }]);
  const repl = await mp.repl();
  const mishap = drawMishap(draw, seed);
  let unplugged: Promise<void> | undefined;
  if (mishap.kind !== 'unplug') await mp.board.fault(mishap);
  const at = draw() * content.length;
  const onProgress = ({ done }: { done: number }): void => {
    if (mishap.kind === 'unplug' && done >= at) unplugged ??= mp.board.unplug({ ms: 20 });
  };
  const trial: Trial = { mishap: JSON.stringify(mishap), outcome: 'uploaded' };
  try {
    await uploadFiles(repl, [{ path: PATH, content }], { onProgress });
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    trial.outcome = error.facts['kept'] as Kept;
    trial.code = String(error.code);
  }
  await mp.board.clearFaults();
  await unplugged;
  if (unplugged) await mp.reopen();
  await check(mp, trial, content);
  return trial;
}

async function check(mp: MicroPythonBoard, trial: Trial, content: Buffer): Promise<void> {
  const repl = await mp.repl();
  const [found] = await readFiles(repl, [PATH]);
  const has = (expected: Buffer): boolean => found?.content.equals(expected) === true;
  const what = JSON.stringify({ ...trial, length: found?.content.length });
  if (trial.outcome === 'either') assert.ok(has(OLD) || has(content), what);
  else assert.ok(has(trial.outcome === 'old' ? OLD : content), what);
  if (trial.mishap.includes('unplug')) return;
  const names = await printed(repl, 'import os\nprint(os.listdir("/"))');
  assert.ok(!names.includes('.part'), what);
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
