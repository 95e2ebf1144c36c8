/** What a board's MicroPython is, as far as files for it depend on that. */
import { askHelper } from './helper.ts';
import type { RawRepl } from './raw-repl.ts';

export interface About {
  /** Version of the compiled files it loads, the lowest byte of `sys.implementation._mpy`; absent: it loads none. */
  mpy?: number;
  /** The first folder for packages that modules are looked for in. */
  library: string;
}

const ASK_MS = 10_000;
const LIBRARY = '/lib';

export async function aboutBoard(repl: RawRepl): Promise<About> {
  const [mpy, path] = (await askHelper(repl, 'about', [], { timeoutMs: ASK_MS })) as [number, string[]];
  // What is in the firmware's ROM cannot be written to.
  const library = path.find((each) => each.endsWith(LIBRARY) && !each.startsWith('/rom')) ?? LIBRARY;
  const version = mpy & 0xff;
  return { library, ...(version === 0 ? {} : { mpy: version }) };
}
