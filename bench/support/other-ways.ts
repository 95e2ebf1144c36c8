/**
 * Other ways to put a file on a board, written for this bench only, from what the tools are seen to send: a line of code
 * for each piece, each run by itself through the raw REPL.
 */
import { pythonBytes } from '../../lib/micropython/python-bytes.ts';
import type { RawRepl } from '../../lib/micropython/raw-repl.ts';

export interface OtherWay {
  name: string;
  piece: number;
  literal: (bytes: Uint8Array) => string;
}

/** `repr` writes tabs and line ends short. */
function repr(bytes: Uint8Array): string {
  return pythonBytes(bytes).replaceAll('\\x0a', '\\n').replaceAll('\\x0d', '\\r').replaceAll('\\x09', '\\t');
}

export const MPREMOTE: OtherWay = { name: "mpremote's way", piece: 256, literal: repr };

export const VIPERIDE: OtherWay = {
  name: "ViperIDE's way",
  piece: 128,
  literal: (bytes) => {
    const hex = `bytes.fromhex('${Buffer.from(bytes).toString('hex')}')`;
    const text = repr(bytes);
    return text.length < hex.length ? text : hex;
  },
};

export async function uploadAs(
  { piece, literal }: OtherWay,
  repl: RawRepl,
  path: string,
  content: Uint8Array,
): Promise<void> {
  const run = (source: string): Promise<void> => repl.run(source, { timeoutMs: 20_000 });
  await run(`f=open(${JSON.stringify(path)},'wb')\nw=f.write`);
  for (let at = 0; at < content.length; at += piece)
    await run(`w(${literal(content.subarray(at, at + piece))})`);
  await run('f.close()');
}
