/**
 * Python that runs on the board, from files of its own. Arguments travel as JSON, never as source text, so
 * no value of a message can become code.
 */
import { readFile } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';
import { MicroPythonError } from './errors.ts';
import { minified } from './minify.ts';
import { ownBuiltins } from './own-builtins.ts';
import { withOwnModules } from './own-modules.ts';
import type { RawRepl, RunOptions } from './raw-repl.ts';

export type BoardScriptName =
  | 'about'
  | 'answer'
  | 'beside'
  | 'check'
  | 'compare'
  | 'files'
  | 'look'
  | 'older_tools'
  | 'packets'
  | 'pieces'
  | 'receive'
  | 'rescue'
  | 'run'
  | 'send'
  | 'tools'
  | 'turbo';

/** A script, or parts of one in the order in which they build on each other; the last has `main`. */
export type ScriptParts = BoardScriptName | readonly BoardScriptName[];

/** Marks the one line of output that carries the result, as a program may print beside it. */
const RESULT_MARK = '\x1e';
/** Characters of what came that an error carries as evidence. */
const MAX_TAIL = 200;

/** Base-2 logarithm of the window that unpacking a script takes on the board; zlib's header tells it. */
const PACKED_BITS = 12;
const ESCAPE = '='.charCodeAt(0);
const KEYS: readonly number[] = [0, 1, 2, 3, 4, 5, 13, ESCAPE];

/** How a script answers: with what `main` returns, or with each value that it yields. */
export type Answering = 'once' | 'each';

/** What prints the answer to the call in its place. */
const TELL: Readonly<Record<Answering, (call: string) => string>> = {
  once: (call) => `print("\\x1e" + json.dumps(${call}))`,
  // With a check and, at the end, their number: what the line has lost or changed is noticed.
  each: (call) => `def tell(value):
 text = json.dumps(value)
 print("\\x1e%s%04x" % (text, binascii.crc32(text.encode()) & 0xFFFF))
count = 0
for value in ${call}:
 tell(value)
 count += 1
tell(count)`,
};

/**
 * The source that calls `main(*args)` of a board script and prints its result as JSON, a line a value. It is
 * one function, so that no name of it covers one of the program on the board.
 */
export async function boardScript(
  parts: ScriptParts,
  args: readonly unknown[],
  answering: Answering = 'once',
): Promise<string> {
  const data = Buffer.from(JSON.stringify(args), 'utf8').toString('base64');
  const call = TELL[answering](`main(*json.loads(binascii.a2b_base64("${data}")))`);
  const body = inFunction(`${withOwnModules(await sourceOf(parts))}\n${call}`);
  return `def _board_script():\n${body}\n_board_script()\ndel _board_script\n`;
}

/** A board script in two parts: source to begin with, and what that reads from stdin, a piece at a time. */
export interface PackedScript {
  /** Fits into the input ring of a board. Prints a dot for every piece that it has read. */
  loader: string;
  packed: Buffer;
}

/**
 * As `boardScript`, in less than half the bytes. The loader raises ImportError on a board without `deflate`, and does
 * nothing when what it reads is damaged. `dot`: characters that it prints for a piece, see `paceOf`. `piece`:
 * bytes.
 */
export async function packedScript(
  parts: ScriptParts,
  args: readonly unknown[],
  { dot, piece }: { dot: number; piece: number },
): Promise<PackedScript> {
  const source = Buffer.from(await boardScript(parts, args), 'utf8');
  const deflated = deflateSync(source, { level: 9, memLevel: 9, windowBits: PACKED_BITS });
  const packed = withoutKeys(deflated);
  const lengths = `[${piece}]*${Math.floor(packed.length / piece)}+[${packed.length % piece}]`;
  // In a namespace of its own, as the program on the board has names, too.
  const loader = `exec('''import sys,uio,deflate as d,ubinascii as b
s=b""
for n in${lengths}:s+=sys.stdin.buffer.read(n);print(end='.'${dot > 1 ? `+' '*${dot - 1}` : ''})
s,*p=s.split(b'=')
for q in p:s+=bytes([q[0]-64])+q[1:]
${crc32(deflated)}-b.crc32(s)or exec(d.DeflateIO(uio.BytesIO(s)).read())''',{})`;
  return { loader, packed };
}

/** Without the bytes that are keys of the REPL, which gets it all when the loader fails: `=` and the byte plus 64. */
function withoutKeys(bytes: Uint8Array): Buffer {
  const moved = (byte: number): number[] => (KEYS.includes(byte) ? [ESCAPE, byte + 64] : [byte]);
  return Buffer.from([...bytes].flatMap(moved));
}

/**
 * The source that defines `helper`: called with the base64 of the JSON of a list, it prints as JSON, behind the
 * mark, what the script's `main(*list)` returns.
 */
export async function helperScript(parts: ScriptParts, helper: string): Promise<string> {
  const call =
    'return lambda data: print("\\x1e" + json.dumps(main(*json.loads(binascii.a2b_base64(data)))))';
  const body = inFunction(`${withOwnModules(await sourceOf(parts))}\n${call}`);
  return `def ${helper}():\n${body}\n${helper} = ${helper}()\n`;
}

/** The body of a function in which no name of the program on the board is met. */
function inFunction(source: string): string {
  return (ownBuiltins(source) + source).replace(/^/gm, ' ');
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
function splitResult(printed: Buffer): ScriptOutput {
  const at = printed.lastIndexOf(RESULT_MARK);
  if (at < 0) return { output: printed, value: undefined };
  const line =
    printed
      .subarray(at + 1)
      .toString('utf8')
      .split('\r\n')[0] ?? '';
  return { output: printed.subarray(0, at), value: JSON.parse(line) as unknown };
}

/** The source of parts that only define, under names of their own. */
export function boardSource(parts: ScriptParts): Promise<string> {
  return sourceOf(parts);
}

/** Made short once. */
const made = new Map<string, Promise<string>>();

function sourceOf(parts: ScriptParts): Promise<string> {
  const key = String(parts);
  const source = made.get(key) ?? minifiedSource(typeof parts === 'string' ? [parts] : parts);
  made.set(key, source);
  return source;
}

async function minifiedSource(names: readonly BoardScriptName[]): Promise<string> {
  const sources = names.map((name) => readFile(new URL(`board/${name}.py`, import.meta.url), 'utf8'));
  return minified((await Promise.all(sources)).join('\n'));
}

/**
 * Runs a board script that yields; returns the values. Throws `MicroPythonError` 'python-error' with the traceback,
 * 'repl-confused' where the line has damaged what came, `PortError` 'read-timeout' for a board that fell silent.
 */
export async function runScriptEach(
  repl: RawRepl,
  parts: ScriptParts,
  args: readonly unknown[],
  { stallMs }: Pick<RunOptions, 'stallMs'>,
): Promise<unknown[]> {
  const printed: Uint8Array[] = [];
  const source = await boardScript(parts, args, 'each');
  await repl.run(source, { stallMs, onOutput: (bytes) => void printed.push(bytes) });
  return valuesOf(Buffer.concat(printed));
}

/** What a program prints between the lines is not ours. */
const VALUE = /\x1e([^\x1e\r]*)([0-9a-f]{4})\r\n/g;

function valuesOf(printed: Buffer): unknown[] {
  const lines = [...printed.toString('utf8').matchAll(VALUE)];
  const values = lines
    .filter(([, text = '', check = '']) => (crc32(text) & 0xffff) === parseInt(check, 16))
    .map(([, text = '']) => JSON.parse(text) as unknown);
  const count = values.pop();
  if (count === values.length) return values;
  const tail = printed.toString('utf8').slice(-MAX_TAIL);
  throw new MicroPythonError('repl-confused', 'the values are damaged', { expected: 'all values', tail });
}
