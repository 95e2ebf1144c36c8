/** Board scripts that are asked again and again: sent once, as long as the raw REPL is not left. */
import { helperScript } from './board-script.ts';
import type { ScriptParts } from './board-script.ts';
import type { RawRepl, RunOptions } from './raw-repl.ts';
import { ResultLine } from './result-line.ts';

/** The board has to keep the script in memory; nothing else happens. */
const DEFINE_MS = 10_000;

/** What the `main` of a board script returns, as JSON has it. Throws as `RawRepl.run`. */
export async function askHelper(
  repl: RawRepl,
  parts: ScriptParts,
  args: readonly unknown[],
  options: RunOptions,
): Promise<unknown> {
  const helper = `_board_${[parts].flat().at(-1)}`;
  if (!repl.helpers.has(helper)) {
    await repl.run(await helperScript(parts, helper), { timeoutMs: options.timeoutMs ?? DEFINE_MS });
    repl.helpers.add(helper);
  }
  const data = Buffer.from(JSON.stringify(args), 'utf8').toString('base64');
  const result = new ResultLine(options.onOutput);
  await repl.run(`${helper}("${data}")`, { ...options, onOutput: (bytes) => result.push(bytes) });
  return result.end();
}
