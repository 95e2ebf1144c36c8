/** Mocha's own `spec` output, and the tally in the file that `scripts/test.ts` names. */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export default class TallyReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      const file = process.env['TALLY_FILE'];
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      if (file !== undefined) writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
    });
  }
}
