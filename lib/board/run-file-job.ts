/** A file of the board run as its user would: at the prompt, where its output is seen and Ctrl-C ends it. */
import { setGlobal } from '../micropython/answer.ts';
import { boardPath } from '../micropython/board-path.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions } from './board.ts';
import type { HoldOptions } from './repl-job.ts';
import { withRawRepl } from './repl-job.ts';

const SET_MS = 5000;
/** The path travels as a value: what is typed is always the same. */
const NAME = 'file';
const RUN = Buffer.from(`execfile(${NAME})\r`);

/** Returns when it has begun. Throws 'program-running' where something runs, and as `RawRepl.enter`. */
export async function runBoardFile(
  board: Board,
  path: string,
  options: JobOptions & HoldOptions = {},
): Promise<void> {
  const file = boardPath(path);
  await board.run({
    kind: 'run',
    ...jobOptions(options),
    run: async (lease) => {
      await withRawRepl(lease, (repl) => setGlobal(repl, NAME, file, { timeoutMs: SET_MS }), {
        ...options,
        after: 'leave',
      });
      await lease.transport.write(RUN, lease.signal);
    },
  });
}
