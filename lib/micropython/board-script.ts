/**
 * Python that runs on the board, from files of its own. Arguments travel as JSON, never as source text, so
 * no value of a message can become code.
 */
import { readFile } from 'node:fs/promises';

export type BoardScriptName = 'receive';

/** Marks the one line of output that carries the result, as a program may print beside it. */
const RESULT_MARK = '\x1e';

/** The source that calls `main(*args)` of a board script and prints its result as JSON. */
export async function boardScript(name: BoardScriptName, args: readonly unknown[]): Promise<string> {
  const source = await readFile(new URL(`board/${name}.py`, import.meta.url), 'utf8');
  const data = Buffer.from(JSON.stringify(args), 'utf8').toString('base64');
  return `${minified(source)}
print("\\x1e" + json.dumps(main(*json.loads(binascii.a2b_base64("${data}")))))
`;
}

/** The result in what a board script printed; `undefined` when it did not get so far. */
export function scriptResult(output: string): unknown {
  const at = output.lastIndexOf(RESULT_MARK);
  if (at < 0) return undefined;
  const line = output.slice(at + 1).split('\r\n')[0] ?? '';
  return JSON.parse(line) as unknown;
}

/** Without comments and blank lines: they cost wire time and the board's memory. */
function minified(source: string): string {
  return source
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .map((line) => line.replace(/^( {4})+/, (indent) => ' '.repeat(indent.length / 4)))
    .join('\n');
}
