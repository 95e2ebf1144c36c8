/** `npm run bench -- faults [count]`: uploads with mishaps by lot, 10 000 if not said otherwise. */
import { TrialBoard } from '../test/support/upload-trial.ts';
import type { Trial } from '../test/support/upload-trial.ts';
import type { Report } from './support/case.ts';

const COUNT = 10_000;
const BOARDS = 6;

export async function run(report: Report, [count = String(COUNT)]: readonly string[]): Promise<void> {
  const total = Number(count);
  const trials: Trial[] = [];
  const wrong: string[] = [];
  let next = 1;
  const play = async (): Promise<void> => {
    const board = await TrialBoard.start();
    try {
      while (next <= total) {
        const seed = next++;
        try {
          trials.push(await board.play(seed));
        } catch (error) {
          wrong.push(`seed ${seed}: ${String(error)}`);
          await board.clearFaults();
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
    case: `${total} mishaps, another file than the answer says`,
    value: wrong.length,
    unit: 'files',
    bar: 0,
  });
  report({ case: 'uploaded all the same', value: share('uploaded'), unit: '%', moreIsBetter: true, bar: 60 });
  report({ case: 'failed, the old one kept', value: share('old'), unit: '%', bar: 40 });
  report({ case: 'lost, the new one in its place', value: share('new'), unit: '%', bar: 40 });
}
