/**
 * Python that runs on the board, from files of its own. Arguments travel as JSON, never as source text, so
 * no value of a message can become code.
 */
import { readFile } from 'node:fs/promises';
import type { RawRepl, RunOptions } from './raw-repl.ts';

export type BoardScriptName = 'receive' | 'evaluate';

/** Marks the one line of output that carries the result, as a program may print beside it. */
const RESULT_MARK = '\x1e';

/**
 * The source that calls `main(*args)` of a board script and prints its result as JSON. It is one function,
 * so that no name of it covers one of the program on the board.
 */
export async function boardScript(name: BoardScriptName, args: readonly unknown[]): Promise<string> {
  const source = await readFile(new URL(`board/${name}.py`, import.meta.url), 'utf8');
  const data = Buffer.from(JSON.stringify(args), 'utf8').toString('base64');
  const call = `print("\\x1e" + json.dumps(main(*json.loads(binascii.a2b_base64("${data}")))))`;
  const body = `${minified(source)}\n${call}`.replace(/^/gm, ' ');
  return `def _board_script():\n${body}\n_board_script()\ndel _board_script\n`;
}

/** What a board script printed, apart from its result. */
export interface ScriptOutput {
  output: Uint8Array;
  /** `undefined` when the script did not get so far. */
  value: unknown;
}

/** Runs a board script to its end. Throws as `RawRepl.run`. */
export async function runScript(
  repl: RawRepl,
  name: BoardScriptName,
  args: readonly unknown[],
  options: RunOptions,
): Promise<ScriptOutput> {
  const printed: Uint8Array[] = [];
  await repl.run(await boardScript(name, args), {
    ...options,
    onOutput: (bytes) => void printed.push(bytes),
  });
  return splitResult(Buffer.concat(printed));
}

/** Parts the line with the result from what else was printed. */
export function splitResult(printed: Buffer): ScriptOutput {
  const at = printed.lastIndexOf(RESULT_MARK);
  if (at < 0) return { output: printed, value: undefined };
  const line =
    printed
      .subarray(at + 1)
      .toString('utf8')
      .split('\r\n')[0] ?? '';
  return { output: printed.subarray(0, at), value: JSON.parse(line) as unknown };
}

/** Without comments and blank lines: they cost wire time and the board's memory. */
function minified(source: string): string {
  return source
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .map((line) => line.replace(/^( {4})+/, (indent) => ' '.repeat(indent.length / 4)))
    .join('\n');
}
