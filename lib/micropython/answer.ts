/** Questions to the board: an expression, a function to call, a name to set. Values in, values out. */
import { askHelper } from './helper.ts';
import { MicroPythonError } from './errors.ts';
import type { RawRepl, RunOptions } from './raw-repl.ts';
import { pythonValue, toldValue } from './values.ts';

/** Evaluates an expression. What it prints goes to `onOutput`. Throws as `RawRepl.run`. */
export async function evaluate(repl: RawRepl, expression: string, options: RunOptions): Promise<unknown> {
  return ask(repl, ['evaluate', expression], options);
}

/**
 * Calls a function by its name, which may be dotted: of the program, built in, or of a module, which is imported.
 * Values of JavaScript become values of Python, see `toldValue`. Throws as `RawRepl.run`.
 */
export async function call(
  repl: RawRepl,
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  options: RunOptions,
): Promise<unknown> {
  return ask(repl, ['call', name, args.map((arg) => toldValue(arg)), toldValue(kwargs)], options);
}

/** Gives a global name on the board a value. */
export async function setGlobal(
  repl: RawRepl,
  name: string,
  value: unknown,
  options: RunOptions,
): Promise<void> {
  await ask(repl, ['set', name, toldValue(value)], options);
}

async function ask(repl: RawRepl, question: readonly unknown[], options: RunOptions): Promise<unknown> {
  const value = await askHelper(repl, 'answer', question, options);
  // Firmware that does not restart its interpreter on SystemExit says nothing at all.
  if (value === undefined) throw new MicroPythonError('system-exit', 'the code left by SystemExit');
  return pythonValue(value);
}
