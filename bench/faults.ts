/** `npm run bench -- faults [count] [seed]`: uploads with mishaps by lot, 10 000 from seed 1 if not said otherwise. */
import { TrialBoard } from '../test/support/upload-trial.ts';
import type { Trial } from '../test/support/upload-trial.ts';
import type { Report } from './support/case.ts';

const COUNT = 10_000;
const BOARDS = 6;
/** It takes long: so often it tells where it is. */
const NOTE = 500;

export async function run(report: Report, args: readonly string[]): Promise<void> {
  const [total = COUNT, first = 1] = args.map(Number);
  const trials: Trial[] = [];
  const wrong: string[] = [];
  let next = first;
  const play = async (): Promise<void> => {
    const board = await TrialBoard.start();
    try {
      while (next < first + total) {
        const seed = next++;
        if (seed % NOTE === 0) console.error(`seed ${seed}, ${wrong.length} wrong`);
        try {
          trials.push(await board.play(seed));
        } catch (error) {
          wrong.push(`seed ${seed}: ${String(error)}`);
          console.error(wrong.at(-1));
          await board.clearFaults();
        }
      }
    } finally {
      await board.close();
    }
  };
  await Promise.all(Array.from({ length: BOARDS }, play));
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
