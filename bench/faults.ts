/** `npm run bench -- faults [count]`: uploads with mishaps by lot, 10 000 if not said otherwise. */
import { MicroPythonBoard } from '../test/support/micropython-board.ts';
import { uploadTrial } from '../test/support/upload-trial.ts';
import type { Trial } from '../test/support/upload-trial.ts';
import type { Report } from './support/case.ts';

const COUNT = 10_000;
const BOARDS = 3;
/** What is played is mishaps, not time. */
const REPL_BAUD = 460_800;

export async function run(report: Report, [count = String(COUNT)]: readonly string[]): Promise<void> {
  const total = Number(count);
  const trials: Trial[] = [];
  const wrong: string[] = [];
  let next = 1;
  const play = async (): Promise<void> => {
    const board = await MicroPythonBoard.start({ replBaud: REPL_BAUD });
    try {
      while (next <= total) {
        const seed = next++;
        try {
          trials.push(await uploadTrial(board, seed));
        } catch (error) {
          wrong.push(`seed ${seed}: ${String(error)}`);
          await board.board.clearFaults();
          await board.reopen();
        }
      }
    } finally {
      await board.close();
    }
  };
  await Promise.all(Array.from({ length: BOARDS }, play));
  for (const each of wrong) console.error(each);
  const share = (outcome: Trial['outcome']): number =>
    (100 * trials.filter((trial) => trial.outcome === outcome).length) / total;
  report({
    case: `${total} mishaps, neither the old file nor the new`,
    value: wrong.length,
    unit: 'files',
    bar: 0,
  });
  report({ case: 'uploaded all the same', value: share('uploaded'), unit: '%', moreIsBetter: true, bar: 60 });
  report({ case: 'said to be the old one', value: share('old'), unit: '%', bar: 40 });
  report({ case: 'lost in the very moment', value: share('either'), unit: '%', bar: 10 });
}
