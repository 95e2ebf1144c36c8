/**
 * What every node of this package does with a message: cancel, or read it, take the board, run, tell how it
 * goes, and end it exactly once, as a result or as a diagnosis.
 */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Board, JobOptions } from '../board/board.ts';
import { BoardError } from '../board/errors.ts';
import { ConsoleText } from './console-text.ts';
import { diagnose, InputError } from './diagnosis.ts';
import type { Diagnosis, Words } from './diagnosis.ts';
import { portLabel } from './port-label.ts';
import { ProgressMeter } from './progress.ts';
import type { Progress, Step } from './progress.ts';
import { flag } from './properties.ts';
import type { Message } from './properties.ts';
import { stepTeller } from './steps.ts';

export interface JobNodeDef extends NodeDef {
  /** Id of the `esp32 board` config node. */
  board: string;
}

/** A config node that has a board. */
export interface BoardNode extends Node {
  device: Board;
  /** The board a message names by `msg.port`, with this node's settings; this node's own without one. */
  deviceAt: (port: unknown) => Promise<Board>;
  flashBaudRate: number;
  connectTimeoutMs: number;
}

/** What a job is given beside its request. */
export interface JobContext {
  /** The config node, and the device behind it. */
  board: BoardNode;
  device: Board;
  signal: AbortSignal;
  /** What every job on the device takes: its end, and how it is told that it waits and how the board is got hold of. */
  job: Required<JobOptions>;
  /** How far it is: shown in the status and sent on output 2. */
  progress: (step: Step) => void;
  /** A phase with no count. The name is a key under `status` in the node's catalogue. */
  phase: (phase: string, facts?: Record<string, unknown>) => void;
  /** What the board prints, sent on output 2. */
  console: (bytes: Uint8Array) => void;
  /** Anything else that is known before the end, sent on output 2 under a topic. */
  tell: (topic: string, payload: unknown) => void;
}

/** What a node's status shows of a result: a key under `status` in its catalogue. */
export interface Shown {
  key: string;
  facts?: Record<string, unknown>;
  /** Default `green`. */
  fill?: 'green' | 'yellow' | 'red';
}

/** What reading a message is given: it may take a download. */
export type Reading = Pick<JobContext, 'signal' | 'progress' | 'phase'>;

export interface JobNodeSpec<Def extends JobNodeDef, Request, Result> {
  type: string;
  /** Reads and checks settings and message. Throws `InputError` and the errors of pure parsing. */
  read: (RED: NodeAPI, node: Node, def: Def, msg: Message, reading: Reading) => Request | Promise<Request>;
  run: (request: Request, context: JobContext) => Promise<Result>;
  /** Puts the result into the message; returns what the status shows of it. */
  finish: (result: Result, msg: Message) => Shown;
  /** What the node does without a message from its start on; returns how to stop it. */
  start?: (node: Node, def: Def, board: BoardNode) => (() => void) | undefined;
}

/** Registers a node type that runs one job a message on a board. */
export function registerJobNode<Def extends JobNodeDef, Request, Result>(
  RED: NodeAPI,
  spec: JobNodeSpec<Def, Request, Result>,
): void {
  function JobNode(this: Node, def: Def): void {
    RED.nodes.createNode(this, def);
    const running = new Map<AbortController, Running>();
    const words = statusWords(RED, spec.type);
    this.on('input', (msg, send, done) => {
      const message = msg as Message;
      const cancel = cancelIn(message);
      if (cancel !== undefined) {
        const found = abort(running, new BoardError('cancelled', 'cancelled by a message'), cancel);
        if (found === 0) this.status({ fill: 'grey', shape: 'ring', text: words('nothing-to-cancel') });
        done();
        return;
      }
      const job = new AbortController();
      const work = handle(RED, spec, { node: this, def, msg: message, send, signal: job.signal });
      const ended = work.then((error) => {
        running.delete(job);
        done(error);
      });
      running.set(job, { id: message._msgid, ended });
    });
    const stop = startOf(RED, spec, this, def);
    this.on('close', (done: () => void) => {
      stop?.();
      const ended = Promise.all([...running.values()].map((each) => each.ended));
      abort(running, new BoardError('board-closed', 'the node was closed or redeployed'));
      void ended.then(() => done());
    });
  }
  RED.nodes.registerType(spec.type, JobNode);
}

/** A node without a board waits for a message to say so. */
function startOf<Def extends JobNodeDef, Request, Result>(
  RED: NodeAPI,
  { start }: JobNodeSpec<Def, Request, Result>,
  node: Node,
  def: Def,
): (() => void) | undefined {
  const board = RED.nodes.getNode(def.board) as BoardNode | null;
  return board?.device ? start?.(node, def, board) : undefined;
}

/** The job of one message. */
interface Running {
  id: string | undefined;
  ended: Promise<void>;
}

/** What a message cancels: all jobs, or that of the message with this id; `undefined` for a message that is a job. */
function cancelIn({ cancel }: Message): string | true | undefined {
  if (flag(cancel)) return true;
  return typeof cancel === 'string' && cancel !== '' && cancel !== 'false' ? cancel : undefined;
}

/** `which`: the id of the job's message; `true` for all jobs. How many there were. */
function abort(
  jobs: ReadonlyMap<AbortController, Running>,
  reason: Error,
  which: string | true = true,
): number {
  const found = [...jobs].filter(([, { id }]) => which === true || id === which);
  for (const [job] of found) job.abort(reason);
  return found.length;
}

type ShowStatus = (fill: 'blue' | 'green' | 'yellow' | 'red', shape: 'dot' | 'ring', text: string) => void;
type Send = (msg: NodeMessageOutputs) => void;
type NodeMessageOutputs = [Message | null, Message | null];

interface Input<Def> {
  node: Node;
  def: Def;
  msg: Message;
  send: Send;
  signal: AbortSignal;
}

/** Runs one message to its end. Returns the error for `done`; never throws. */
async function handle<Def extends JobNodeDef, Request, Result>(
  RED: NodeAPI,
  spec: JobNodeSpec<Def, Request, Result>,
  input: Input<Def>,
): Promise<Error | undefined> {
  const { node, def, msg, send } = input;
  const { show, status, meanwhile, endOfConsole } = reporting(RED, spec.type, input);
  try {
    const board = boardOf(RED, def);
    const request = await spec.read(RED, node, def, msg, meanwhile);
    const device = await board.deviceAt(msg['port']);
    const result = await spec.run(request, { ...meanwhile, board, device });
    endOfConsole();
    const { key, facts, fill = 'green' } = spec.finish(result, msg);
    show(fill, 'dot', status(key, facts));
    send([msg, null]);
    return undefined;
  } catch (error) {
    endOfConsole();
    const diagnosis = diagnose(error, wordsOf(RED));
    msg['diagnosis'] = diagnosis;
    show('red', 'ring', diagnosis.short);
    return explained(diagnosis, error);
  }
}

function wordsOf(RED: NodeAPI): Words {
  return (key, facts) => RED._(key, facts as Record<string, string | number>);
}

function statusWords(RED: NodeAPI, type: string): Words {
  return (key, facts) => wordsOf(RED)(`${type}.status.${key}`, facts);
}

/** What a node tells while it works on one message: in its status, and on output 2. */
function reporting(
  RED: NodeAPI,
  type: string,
  { node, msg, send, signal }: Input<JobNodeDef>,
): {
  show: ShowStatus;
  status: Words;
  meanwhile: Omit<JobContext, 'board' | 'device'>;
  endOfConsole: () => void;
} {
  const status = statusWords(RED, type);
  const named = 'port' in msg ? { port: msg['port'] } : {};
  const tell = (topic: string, payload: unknown): void => {
    // A node that was closed must not send any more.
    if (!signal.aborted) send([null, { _msgid: msg._msgid, ...named, topic, payload }]);
  };
  // One node may work on many boards at once: whose status it is.
  const label = portLabel(msg['port']);
  const show: ShowStatus = (fill, shape, text) =>
    node.status({ fill, shape, text: label === undefined ? text : `${label}: ${text}` });
  const phase: JobContext['phase'] = (name, facts) => {
    show('blue', 'dot', status(name, facts));
    tell('progress', { phase: name, ...facts });
  };
  const meter = new ProgressMeter((progress: Progress) => {
    show('blue', 'dot', status(progress.phase, { ...progress }));
    tell('progress', progress);
  });
  const printed = new ConsoleText((text) => tell('console', text));
  const job = {
    signal,
    onWait: (ahead: number) => show('yellow', 'ring', status('waiting', { ahead })),
    onStep: stepTeller(RED, phase),
  };
  const meanwhile = {
    signal,
    job,
    progress: (step: Step) => meter.step(step),
    phase,
    console: (bytes: Uint8Array) => printed.push(bytes),
    tell,
  };
  return { show, status, meanwhile, endOfConsole: () => printed.end() };
}

function boardOf(RED: NodeAPI, def: JobNodeDef): BoardNode {
  const found = RED.nodes.getNode(def.board) as BoardNode | null;
  if (!found?.device) throw new InputError('no-board-chosen', 'no esp32 board is chosen');
  return found;
}

/** The error a Catch node sees: words for people, the code and facts as data. */
function explained(diagnosis: Diagnosis, cause: unknown): Error {
  const error = new Error([diagnosis.cause, ...diagnosis.remedy].join('\n'), { cause });
  return Object.assign(error, { code: diagnosis.code });
}
