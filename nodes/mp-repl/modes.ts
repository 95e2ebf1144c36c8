/** What the `mp repl` node can do with a message, one row a mode: what it needs of it, and how it runs. */
import type { Node, NodeAPI } from 'node-red';
import { MicroPythonError, parseTraceback } from '../../lib/board/errors.ts';
import type { PythonError } from '../../lib/board/errors.ts';
import { typeLine } from '../../lib/board/line-job.ts';
import { callPython, evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import type { PythonJobOptions } from '../../lib/board/python-jobs.ts';
import { kindOf } from '../../lib/errors/facts.ts';
import { messageOf } from '../../lib/errors/reason.ts';
import { InputError } from '../../lib/runtime/diagnosis.ts';
import { readHostText } from '../../lib/runtime/host-files.ts';
import type { JobContext, Shown } from '../../lib/runtime/job-node.ts';
import { oneOf, positive, requiredText } from '../../lib/runtime/properties.ts';
import type { Message } from '../../lib/runtime/properties.ts';
import { control } from './control.ts';
import { ReplReader } from './request.ts';
import type { Read, ReplDef, Request } from './request.ts';

const MODES: Readonly<Record<string, Read>> = {
  run: async (reader) => {
    const source = await programOf(reader.api, await reader.text());
    return { run: async (context) => ran(context, source, await reader.codeOptions(context)) };
  },

  evaluate: async (reader) => {
    const expression = (await reader.text()).trim();
    return {
      run: async (context) => {
        const value = await evaluatePython(context.device, expression, await reader.codeOptions(context));
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
        const value = await callPython(
          context.device,
          { name, args, kwargs },
          await reader.codeOptions(context),
        );
        return { payload: value, shown: { key: 'done' } };
      },
    };
  },

  line: async (reader) => {
    const { def, msg, timeoutMs } = reader;
    const line = (await reader.lineText()).replace(/\r?\n$/, '');
    if (/[\r\n]/.test(line)) {
      const facts = { property: 'payload', expected: 'one line', found: 'several' };
      throw new InputError('bad-payload', 'more than one line', facts);
    }
    const quietMs = positive(msg['quiet'] ?? def.quiet, 300, 'quiet');
    const until = patternOf(msg['until'] ?? def.until);
    return {
      run: async ({ device, job }) => {
        const options = { quietMs, until, timeoutMs, ...job };
        const { text, echoed, found } = await typeLine(device, line, options);
        if (found === false) return { payload: text, shown: { key: 'not-found', fill: 'yellow' } };
        // No program took the line, or the board was left in its raw REPL by somebody else.
        if (text === '' && !echoed) return { payload: text, shown: { key: 'no-reply', fill: 'yellow' } };
        return { payload: text, shown: { key: 'done' } };
      },
    };
  },

  control,
};

/** The modes a message may name; Listen needs none. */
const MESSAGE_MODES = Object.keys(MODES);

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

/** A text, or between slashes a regular expression. */
function patternOf(value: unknown): string | RegExp | undefined {
  if (value instanceof RegExp) return value;
  if (typeof value !== 'string' || value === '') return undefined;
  const [, source, flags] = /^\/(.+)\/([imsu]*)$/.exec(value) ?? [];
  if (source === undefined) return value;
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const facts = {
      property: 'until',
      expected: '/pattern/',
      found: value,
      case: 'unreadable',
      reason: messageOf(error),
    };
    throw new InputError('bad-property', `${value} is no pattern`, facts);
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
    expected: 'name | object.method',
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
  const facts = { property: 'kwargs', expected: 'object', found: kindOf(value) };
  throw new InputError('bad-property', 'kwargs is no object', facts);
}
