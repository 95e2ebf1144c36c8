/** What the `mp repl` node can do with a message, one row a mode: what it needs of it, and how it runs. */
import type { Node, NodeAPI } from 'node-red';
import { hardReset, interrupt, softResetBoard } from '../../lib/board/control-jobs.ts';
import type { ControlOptions } from '../../lib/board/control-jobs.ts';
import { MicroPythonError, parseTraceback } from '../../lib/board/errors.ts';
import type { PythonError } from '../../lib/board/errors.ts';
import { typeLine } from '../../lib/board/line-job.ts';
import { resetBoard } from '../../lib/board/loader-jobs.ts';
import type { LoaderJobOptions } from '../../lib/board/loader-jobs.ts';
import { callPython, evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import type { PythonJobOptions } from '../../lib/board/python-jobs.ts';
import { rescueBoard } from '../../lib/board/rescue.ts';
import { InputError } from '../../lib/runtime/diagnosis.ts';
import { readHostText } from '../../lib/runtime/host-files.ts';
import type { JobContext, JobNodeDef, Shown } from '../../lib/runtime/job-node.ts';
import { flag, numberOr, oneOf, requiredText } from '../../lib/runtime/properties.ts';
import type { Message } from '../../lib/runtime/properties.ts';
import { Reader } from '../../lib/runtime/reader.ts';

export interface ReplDef extends JobNodeDef {
  mode: string;
  /** Program, expression or line; and what else the message or the node may give. */
  source?: string;
  sourceType?: string;
  function?: string;
  functionType?: string;
  args?: string;
  argsType?: string;
  params?: string;
  paramsType?: string;
  /** Whether a running program may be interrupted. */
  interrupt?: string;
  /** What becomes of the board after the code. */
  after?: string;
  action?: string;
  /** Rescue: erase the files where nothing else helps. */
  erase?: boolean;
  /** Listen: `lines` or `json`. */
  format?: string;
  /** Line: milliseconds of silence, or a text, that end the reply. */
  quiet?: string;
  until?: string;
  /** Seconds. */
  timeout: string;
}

/** A checked request, ready to run. */
export interface Request {
  run: (context: JobContext) => Promise<{ payload: unknown; shown: Shown }>;
}

type Read = (reader: ReplReader) => Promise<Request>;

/** What the modes have in common. */
class ReplReader extends Reader<ReplDef> {
  async text(): Promise<string> {
    const value = await this.matter('source');
    return requiredText(value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value, 'payload');
  }

  /** An empty line is a line, too. */
  async lineText(): Promise<string> {
    return (await this.matter('source')) === '' ? '' : this.text();
  }

  get timeoutMs(): number {
    return numberOr(this.msg['timeout'] ?? this.def.timeout, 10) * 1000;
  }

  /** Tells each step of getting hold of a board, or of getting it back, in words. */
  stepper({ phase }: JobContext, name: 'getting-hold' | 'rescue' = 'getting-hold'): OnStep {
    return (step, facts) => {
      phase(name, { step, ...facts, words: this.api._(`mp-repl.step.${step}`, facts) });
    };
  }

  /** What all code on the board has in common. */
  async job(context: JobContext): Promise<PythonJobOptions> {
    const { signal, onWait, console } = context;
    const params = await this.typed('params');
    const after = oneOf(this.msg['after'] ?? this.def.after, ['nothing', 'soft-reset'], 'nothing', 'after');
    return {
      timeoutMs: this.timeoutMs,
      signal,
      onWait,
      onOutput: console,
      onStep: this.stepper(context),
      interrupt: this.#mayInterrupt(),
      restart: after === 'soft-reset',
      ...(params === undefined || params === '' ? {} : { params }),
    };
  }

  #mayInterrupt(): boolean {
    const rule = oneOf(this.def.interrupt, ['yes', 'ask', 'never'], 'yes', 'interrupt');
    const said = this.msg['interrupt'];
    if (rule === 'never') return false;
    return rule === 'ask' ? said === true : said !== false;
  }
}

const ACTIONS = ['interrupt', 'soft-reset', 'soft-reset-no-main', 'hard-reset', 'loader', 'rescue'] as const;
type Action = (typeof ACTIONS)[number];

/** How long a restart is watched for its prompt. */
const BOOT_MS = 10_000;

const MODES: Readonly<Record<string, Read>> = {
  run: async (reader) => {
    const source = await programOf(reader.api, await reader.text());
    return { run: async (context) => ran(context, source, await reader.job(context)) };
  },

  evaluate: async (reader) => {
    const expression = (await reader.text()).trim();
    return {
      run: async (context) => {
        const value = await evaluatePython(context.device, expression, await reader.job(context));
        return { payload: value, shown: { key: 'done' } };
      },
    };
  },

  call: async (reader) => {
    const name = functionName(await reader.typed('function'));
    const args = argumentList(await reader.typed('args'));
    const kwargs = keywords(reader.msg['kwargs']);
    return {
      run: async (context) => {
        const value = await callPython(context.device, { name, args, kwargs }, await reader.job(context));
        return { payload: value, shown: { key: 'done' } };
      },
    };
  },

  line: async (reader) => {
    const { def, msg, timeoutMs } = reader;
    const line = (await reader.lineText()).replace(/\r?\n$/, '');
    if (/[\r\n]/.test(line))
      throw new InputError('bad-payload', 'more than one line', { expected: 'one line', found: 'several' });
    const quietMs = numberOr(msg['quiet'] ?? def.quiet, 300);
    const until = patternOf(msg['until'] ?? def.until);
    return {
      run: async ({ device, signal, onWait }) => {
        const options = { quietMs, until, timeoutMs, signal, onWait };
        const { text, echoed, found } = await typeLine(device, line, options);
        if (found === false) return { payload: text, shown: { key: 'not-found', fill: 'yellow' } };
        // No program took the line, or the board was left in its raw REPL by somebody else.
        if (text === '' && !echoed) return { payload: text, shown: { key: 'no-reply', fill: 'yellow' } };
        return { payload: text, shown: { key: 'done' } };
      },
    };
  },

  control: (reader) => {
    const action = oneOf(reader.msg['action'] ?? reader.def.action, ACTIONS, 'interrupt', 'action');
    const erase = flag(reader.msg['erase'] ?? reader.def.erase);
    return Promise.resolve({
      run: async (context) => {
        context.phase(action);
        const steps: string[] = [];
        const tell = reader.stepper(context, action === 'rescue' ? 'rescue' : 'getting-hold');
        const onStep: OnStep = (step, facts) => {
          steps.push(step);
          tell(step, facts);
        };
        const payload = { action, ...(await CONTROLS[action](context, { erase, onStep })), steps };
        return { payload, shown: { key: 'done' } };
      },
    });
  },
};

/** The modes a message may name; Listen needs none. */
export const MESSAGE_MODES = Object.keys(MODES);

/** Reads and checks a message for the mode it or the node names. */
export async function readRequest(api: NodeAPI, node: Node, def: ReplDef, msg: Message): Promise<Request> {
  const fallback = MESSAGE_MODES.includes(def.mode) ? def.mode : 'evaluate';
  const mode = oneOf(msg['mode'], MESSAGE_MODES, fallback, 'mode');
  return (MODES[mode] as Read)(new ReplReader(api, node, def, msg));
}

/** A program's end by an exception is a result: what it printed, and what it raised. */
async function ran(
  context: JobContext,
  source: string,
  options: PythonJobOptions,
): Promise<{ payload: unknown; shown: Shown }> {
  context.phase('running');
  const printed: Uint8Array[] = [];
  const onOutput = (bytes: Uint8Array): void => {
    printed.push(bytes);
    options.onOutput?.(bytes);
  };
  const stdout = (): string => Buffer.concat(printed).toString('utf8').replaceAll('\r\n', '\n');
  try {
    await runPython(context.device, source, { ...options, onOutput });
    return { payload: { stdout: stdout() }, shown: { key: 'done' } };
  } catch (error) {
    const raised = raisedBy(error);
    if (!raised) throw error;
    return {
      payload: { stdout: stdout(), error: raised },
      shown: { key: 'raised', facts: { type: raised.type }, fill: 'red' },
    };
  }
}

/** `undefined` for what is no end of a program. */
function raisedBy(error: unknown): PythonError | undefined {
  if (!(error instanceof MicroPythonError)) return undefined;
  if (error.code === 'system-exit') return parseTraceback('SystemExit');
  return error.code === 'python-error' ? parseTraceback(String(error.facts['text'])) : undefined;
}

type OnStep = (step: string, facts?: { path: string }) => void;
type Control = (context: JobContext, how: { erase: boolean; onStep: OnStep }) => Promise<object>;

const CONTROLS: Readonly<Record<Action, Control>> = {
  interrupt: async ({ device, signal, onWait }, { onStep }) => {
    await interrupt(device, { signal, onWait, onStep });
    return { started: 'prompt' };
  },
  'soft-reset': ({ device, ...context }, { onStep }) =>
    softResetBoard(device, { runMain: true, ...watching(context), onStep }),
  'soft-reset-no-main': ({ device, ...context }, { onStep }) =>
    softResetBoard(device, { runMain: false, ...watching(context), onStep }),
  'hard-reset': ({ device, ...context }, { onStep }) => hardReset(device, { ...watching(context), onStep }),
  loader: (context, { onStep }) => resetBoard(context.device, 'loader', loaderOptions(context, onStep)),
  rescue: (context, { erase, onStep }) =>
    rescueBoard(context.device, {
      ...loaderOptions(context, onStep),
      erase,
      onOutput: context.console,
      onStep,
      onBackup: (part) => context.tell('backup', part),
    }),
};

type Watching = Pick<JobContext, 'signal' | 'onWait' | 'console'>;

function watching({ signal, onWait, console }: Watching): ControlOptions {
  return { timeoutMs: BOOT_MS, signal, onWait, onOutput: console };
}

function loaderOptions({ board, signal, onWait, progress }: JobContext, onStep: OnStep): LoaderJobOptions {
  return {
    baudRate: board.flashBaudRate,
    connectTimeoutMs: board.connectTimeoutMs,
    signal,
    onWait,
    onEvent: (event) => {
      if (event.kind === 'reading') progress({ phase: 'backing-up', done: event.done, total: event.total });
      else onStep(event.kind);
    },
  };
}

/** A text, or between slashes a regular expression. */
function patternOf(value: unknown): string | RegExp | undefined {
  if (value instanceof RegExp) return value;
  if (typeof value !== 'string' || value === '') return undefined;
  const [, source, flags] = /^\/(.+)\/([imsu]*)$/.exec(value) ?? [];
  if (source === undefined) return value;
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const expected = error instanceof Error ? error.message : String(error);
    throw new InputError('bad-property', `${value} is no pattern`, {
      property: 'until',
      expected,
      found: value,
    });
  }
}

/** One line that ends in `.py` is the path of a file on the machine Node-RED runs on. */
async function programOf(api: NodeAPI, text: string): Promise<string> {
  const path = text.trim();
  return /^[^\r\n]+\.py$/.test(path) && !/[()=]/.test(path) ? readHostText(api, path) : text;
}

function functionName(value: unknown): string {
  const name = requiredText(value, 'function').trim();
  if (/^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(name)) return name;
  throw new InputError('bad-property', `${name} is no name of a function`, {
    property: 'function',
    found: name,
  });
}

/** A list is the arguments; one value is the only one. */
function argumentList(value: unknown): unknown[] {
  if (value === undefined || value === '') return [];
  return Array.isArray(value) ? value : [value];
}

function keywords(value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return { ...value };
  throw new InputError('bad-property', 'kwargs is no object', { property: 'kwargs' });
}
