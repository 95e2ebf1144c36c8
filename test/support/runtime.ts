/** A real Node-RED runtime for node tests, by node-red-node-test-helper. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { Node, NodeInitializer } from 'node-red';
import helper from 'node-red-node-test-helper';
import esp32Board from '../../nodes/esp32-board/esp32-board.ts';
import esp32Flash from '../../nodes/esp32-flash/esp32-flash.ts';
import esp32Ports from '../../nodes/esp32-ports/esp32-ports.ts';
import mpFiles from '../../nodes/mp-files/mp-files.ts';
import mpRepl from '../../nodes/mp-repl/mp-repl.ts';
import mpUpload from '../../nodes/mp-upload/mp-upload.ts';
import type { Diagnosis } from '../../lib/runtime/diagnosis.ts';

helper.init(createRequire(import.meta.url).resolve('node-red'));

const NODES = [esp32Board, esp32Flash, esp32Ports, mpFiles, mpRepl, mpUpload] as unknown as NodeInitializer[];

/** A message as tests look at it. */
export type Seen = Record<string, unknown> & {
  payload?: unknown;
  diagnosis?: Diagnosis;
  error?: { message: string };
};

/** What a node answers, as far as nobody cares for its shape. */
export type Facts = Record<string, unknown>;

export interface Outcome {
  /** The message on output 1, when the node succeeded. */
  result?: Seen;
  /** The message at the Catch node, when it failed. */
  caught?: Seen;
}

export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** The node under test with a board, its outputs, and a Catch node. */
export class NodeUnderTest {
  readonly meanwhile: Seen[] = [];
  /** All that came to the Catch node. */
  readonly failures: Seen[] = [];
  /** All that came out of output 1. */
  readonly results: Seen[] = [];
  readonly statuses: { fill?: string; text?: string }[] = [];
  readonly #flow: FlowNode[];
  readonly #node: Node;
  readonly #waiters = new Set<() => void>();
  #settle: (outcome: Outcome) => void = () => undefined;

  private constructor(flow: FlowNode[]) {
    this.#flow = flow;
    this.#node = helper.getNode('node-id');
    helper.getNode('meanwhile-id').on('input', (msg) => {
      this.meanwhile.push(msg);
      for (const look of [...this.#waiters]) look();
    });
    // Listeners that stay: Node-RED's nodes do not take back an input listener that went.
    helper.getNode('result-id').on('input', (result) => {
      this.results.push(result);
      this.#settle({ result });
      for (const look of [...this.#waiters]) look();
    });
    helper.getNode('caught-id').on('input', (caught) => {
      this.failures.push(caught);
      this.#settle({ caught });
      for (const look of [...this.#waiters]) look();
    });
    this.#node.on(
      'call:status' as 'close',
      ((call: { args: [{ fill?: string; text?: string }] }) => {
        this.statuses.push(call.args[0]);
      }) as unknown as () => void,
    );
  }

  /** Starts a flow with one node of a type on a board at `port`. */
  static async load(
    type: string,
    port: string,
    settings: object = {},
    board: object = {},
    others: readonly FlowNode[] = [],
  ): Promise<NodeUnderTest> {
    const defaults = {
      baudRate: '115200',
      flashBaudRate: '921600',
      idleLines: 'auto',
      connectTimeout: '15',
    };
    const flow: FlowNode[] = [
      { id: 'flow-id', type: 'tab', label: 'test' },
      { id: 'board-id', type: 'esp32-board', name: '', port, ...defaults, ...board },
      {
        id: 'node-id',
        type,
        z: 'flow-id',
        name: '',
        board: 'board-id',
        ...settings,
        wires: [['result-id'], ['meanwhile-id']],
      },
      { id: 'result-id', type: 'helper', z: 'flow-id', wires: [] },
      { id: 'meanwhile-id', type: 'helper', z: 'flow-id', wires: [] },
      {
        id: 'catch-id',
        type: 'catch',
        z: 'flow-id',
        name: '',
        scope: null,
        uncaught: false,
        wires: [['caught-id']],
      },
      { id: 'caught-id', type: 'helper', z: 'flow-id', wires: [] },
      ...others.map((node) => ({ z: 'flow-id', name: '', wires: [], ...node })),
    ];
    const catchNode = createRequire(import.meta.url)(
      '@node-red/nodes/core/common/25-catch.js',
    ) as NodeInitializer;
    await helper.unload();
    await helper.load([...NODES, catchNode], flow);
    return new NodeUnderTest(flow);
  }

  /** Sends a message and waits for what becomes of it. */
  async send(msg: Seen): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#node.receive(msg);
    });
  }

  /** Sends a message that must succeed; the payload of its result. */
  async payload<T = unknown>(msg: Seen): Promise<T> {
    const { result, caught } = await this.send(msg);
    assert.equal(caught?.diagnosis, undefined);
    return result?.payload as T;
  }

  /** Sends a message that must fail; what the Catch node is told. */
  async diagnosis(msg: Seen): Promise<Diagnosis> {
    const { caught } = await this.send(msg);
    assert.ok(caught?.diagnosis, 'it has not failed');
    return caught.diagnosis;
  }

  /** Sends a message to another node of the flow. */
  receiveAt(id: string, msg: Seen): void {
    helper.getNode(id).receive(msg);
  }

  receive(msg: Seen): void {
    this.#node.receive(msg);
  }

  /** Resolves when a message that fits has come out of output 2. */
  async untilMeanwhile(fits: (msg: Seen) => boolean): Promise<void> {
    await this.#until(() => this.meanwhile.some(fits));
  }

  /** Resolves when a message that fits has come out of output 1. */
  async untilResult(fits: (msg: Seen) => boolean): Promise<void> {
    await this.#until(() => this.results.some(fits));
  }

  /** Resolves when a message that fits has come to the Catch node. */
  async untilFailure(fits: (msg: Seen) => boolean): Promise<void> {
    await this.#until(() => this.failures.some(fits));
  }

  async #until(holds: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiters.delete(look);
        resolve();
      };
      this.#waiters.add(look);
      look();
    });
  }

  /** Deploys the node with other settings, as "Modified Nodes" does: all others stay. */
  async redeploy(settings: object): Promise<void> {
    const flow = this.#flow.map((node) => (node.id === 'node-id' ? { ...node, ...settings } : node));
    await helper.setFlows(flow, 'nodes');
  }

  get lastStatus(): { fill?: string; text?: string } | undefined {
    return this.statuses.at(-1);
  }
}

/** Leaves the board at `port` in an endless loop: whoever wants it next must interrupt that. */
export async function keepBusy(port: string): Promise<void> {
  const node = await NodeUnderTest.load('mp-repl', port, { mode: 'line', quiet: '100' });
  for (const payload of ['while True: pass', '', '']) await node.send({ payload });
}

/** The steps told on output 2 by which a board was got hold of. */
export function stepsToldBy({ meanwhile }: NodeUnderTest): unknown[] {
  const payloads = meanwhile.map(({ payload }) => payload as { phase?: string; step?: string });
  return payloads.filter(({ phase }) => phase === 'getting-hold').map(({ step }) => step);
}

/** Settings of Node-RED beside its own, for the nodes that are loaded next. */
export function runtimeSettings(settings: Readonly<Record<string, unknown>>): void {
  helper.settings(settings);
}

/** Hooks for a describe block: the runtime's server, and an empty flow after each test. */
export function withRuntime(): void {
  before((done) => {
    helper.startServer(done);
  });
  afterEach(async () => {
    await helper.unload();
  });
  after((done) => {
    helper.stopServer(done);
  });
}

/** The same outside of a test: a flow with one node, `at` hears what comes to another node of it. */
export async function withNode(
  type: string,
  port: string,
  settings: object,
  others: readonly FlowNode[],
  work: (node: NodeUnderTest, at: (id: string, hears: (msg: Seen) => void) => void) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve) => helper.startServer(resolve));
  try {
    const node = await NodeUnderTest.load(type, port, settings, {}, others);
    await work(node, (id, hears) => helper.getNode(id).on('input', hears));
  } finally {
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(resolve));
  }
}
