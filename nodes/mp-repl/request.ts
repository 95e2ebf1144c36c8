/** What a message asks of the `mp repl` node: its settings, and how both are read. */
import type { PythonJobOptions } from '../../lib/board/python-jobs.ts';
import type { JobContext, JobNodeDef, Shown } from '../../lib/runtime/job-node.ts';
import { oneOf, positive, requiredText } from '../../lib/runtime/properties.ts';
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

/** Reads and checks a message for one mode. */
export type Read = (reader: ReplReader) => Promise<Request>;

/** What the modes have in common. */
export class ReplReader extends Reader<ReplDef> {
  async text(): Promise<string> {
    const value = await this.mainInput('source');
    return requiredText(value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value, 'payload');
  }

  /** An empty line is a line, too. */
  async lineText(): Promise<string> {
    return (await this.mainInput('source')) === '' ? '' : this.text();
  }

  get timeoutMs(): number {
    return positive(this.msg['timeout'] ?? this.def.timeout, 10, 'timeout') * 1000;
  }

  /** What all code on the board has in common. */
  async codeOptions({ job, console }: JobContext): Promise<PythonJobOptions> {
    const params = await this.typed('params');
    const after = oneOf(this.msg['after'] ?? this.def.after, ['nothing', 'soft-reset'], 'nothing', 'after');
    return {
      ...job,
      timeoutMs: this.timeoutMs,
      onOutput: console,
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
