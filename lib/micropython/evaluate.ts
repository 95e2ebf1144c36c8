/** One expression in, its value out. */
import { runScript } from './board-script.ts';
import type { RawRepl, RunOptions } from './raw-repl.ts';
import { pythonValue } from './values.ts';

/** Evaluates on the board. Throws as `RawRepl.run`. What the expression prints goes to `onOutput`. */
export async function evaluate(repl: RawRepl, expression: string, options: RunOptions): Promise<unknown> {
  const { output, value } = await runScript(repl, 'evaluate', [expression], options);
  if (output.length > 0) options.onOutput?.(output);
  return pythonValue(value);
}
