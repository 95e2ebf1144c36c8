/**
 * Other ways to put a file on a board, written for this bench only from what the tools are seen to send: a line of code
 * for each piece, each run by itself through the raw REPL.
 */
import { pythonBytes } from '../../lib/micropython/python-bytes.ts';
import type { RawRepl } from '../../lib/micropython/raw-repl.ts';

export interface OtherWay {
  name: string;
  /** What it asks the board before it writes a file. */
  ask: (path: string) => readonly string[];
  piece: number;
  literal: (bytes: Uint8Array) => string;
}

/** `repr` writes tabs and line ends short. */
function repr(bytes: Uint8Array): string {
  return pythonBytes(bytes).replaceAll('\\x0a', '\\n').replaceAll('\\x0d', '\\r').replaceAll('\\x09', '\\t');
}

/** `cp` asks whether the file is there, and whether it is the same; each question brings its import first. */
export const MPREMOTE: OtherWay = {
  name: "mpremote's way",
  ask: (path) => [
    'import os',
    `try: print(repr(tuple(os.stat(${JSON.stringify(path)}))))\nexcept OSError: pass`,
    'import hashlib',
    `try: f=open(${JSON.stringify(path)},'rb')\nexcept OSError: pass`,
  ],
  piece: 256,
  literal: repr,
};

export const VIPERIDE: OtherWay = {
  name: "ViperIDE's way",
  ask: () => [],
  piece: 128,
  literal: (bytes) => {
    const hex = `bytes.fromhex('${Buffer.from(bytes).toString('hex')}')`;
    const text = repr(bytes);
    return text.length < hex.length ? text : hex;
  },
};

export async function uploadAs(
  { ask, piece, literal }: OtherWay,
  repl: RawRepl,
  path: string,
  content: Uint8Array,
): Promise<void> {
  const run = (source: string): Promise<void> => repl.run(source, { timeoutMs: 20_000 });
  for (const question of ask(path)) await run(question);
  await run(`f=open(${JSON.stringify(path)},'wb')\nw=f.write`);
  for (let at = 0; at < content.length; at += piece)
    await run(`w(${literal(content.subarray(at, at + piece))})`);
  await run('f.close()');
}
