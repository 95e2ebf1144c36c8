/**
 * Python that runs on the board, from files of its own. Arguments travel as JSON, never as source text, so
 * no value of a message can become code.
 */
import { readFile } from 'node:fs/promises';
import type { RawRepl, RunOptions } from './raw-repl.ts';

export type BoardScriptName =
  'answer' | 'check' | 'compare' | 'files' | 'receive' | 'rescue' | 'run' | 'send';

/** Marks the one line of output that carries the result, as a program may print beside it. */
const RESULT_MARK = '\x1e';

/** How a script answers: with what `main` returns, or with each value that it yields. */
export type Answering = 'once' | 'each';

/**
 * The source that calls `main(*args)` of a board script and prints its result as JSON, a line a value. It is
 * one function, so that no name of it covers one of the program on the board.
 */
export async function boardScript(
  name: BoardScriptName,
  args: readonly unknown[],
  answering: Answering = 'once',
): Promise<string> {
  const data = Buffer.from(JSON.stringify(args), 'utf8').toString('base64');
  const answer = `main(*json.loads(binascii.a2b_base64("${data}")))`;
  const call =
    answering === 'once'
      ? `print("\\x1e" + json.dumps(${answer}))`
      : `for _ in ${answer}:\n print("\\x1e" + json.dumps(_))`;
  const body = `${await minified(name)}\n${call}`.replace(/^/gm, ' ');
  return `def _board_script():\n${body}\n_board_script()\ndel _board_script\n`;
}

/**
 * The source that defines `helper`: called with the base64 of the JSON of a list, it prints as JSON, behind the
 * mark, what the script's `main(*list)` returns.
 */
export async function helperScript(name: BoardScriptName, helper: string): Promise<string> {
  const call =
    'return lambda data: print("\\x1e" + json.dumps(main(*json.loads(binascii.a2b_base64(data)))))';
  const body = `${await minified(name)}\n${call}`.replace(/^/gm, ' ');
  return `def ${helper}():\n${body}\n${helper} = ${helper}()\n`;
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
async function minified(name: BoardScriptName): Promise<string> {
  const source = await readFile(new URL(`board/${name}.py`, import.meta.url), 'utf8');
  return source
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .map((line) => line.replace(/^( {4})+/, (indent) => ' '.repeat(indent.length / 4)))
    .join('\n');
}

export interface ValuesOptions {
  /** Milliseconds of silence until the script is given up. */
  stallMs: number;
  onValue: (value: unknown) => void;
}

/**
 * Runs a board script that yields, and hands over each value as it comes. Throws `MicroPythonError`
 * 'python-error' with the traceback, `PortError` 'read-timeout' for a board that fell silent.
 */
export async function runScriptEach(
  repl: RawRepl,
  name: BoardScriptName,
  args: readonly unknown[],
  { stallMs, onValue }: ValuesOptions,
): Promise<void> {
  const lines = new ValueLines(onValue);
  const source = await boardScript(name, args, 'each');
  await repl.run(source, { stallMs, onOutput: (bytes) => lines.push(bytes) });
}

/** Finds the lines with values; what a program prints between them is not ours. */
class ValueLines {
  readonly #onValue: (value: unknown) => void;
  #rest = Buffer.alloc(0);

  constructor(onValue: (value: unknown) => void) {
    this.#onValue = onValue;
  }

  push(bytes: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const start = this.#rest.indexOf(RESULT_MARK);
      const end = start < 0 ? -1 : this.#rest.indexOf('\r\n', start);
      if (end < 0) break;
      this.#onValue(JSON.parse(this.#rest.toString('utf8', start + 1, end)));
      this.#rest = this.#rest.subarray(end + 2);
    }
  }
}
