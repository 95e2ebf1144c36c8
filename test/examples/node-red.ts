/**
 * Node-RED with this package and Dashboard 2, driven as a person does: import a flow, deploy, press an inject
 * node, read the debug sidebar. What the sidebar shows comes over the same web socket the editor uses.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemo } from '../../scripts/demo.ts';
import { Closing } from '../support/closing.ts';
import { freePort } from '../support/free-port.ts';

export const DASHBOARD = '@flowfuse/node-red-dashboard';

export interface FlowNode {
  id: string;
  type: string;
  name?: string;
  [property: string]: unknown;
}

/** What a debug node showed, as the value it was. */
export interface Shown {
  name: string;
  value: unknown;
}

interface Comms {
  topic: string;
  data: unknown;
}

const PATIENCE_MS = 60_000;

export class NodeRed {
  readonly url: string;
  readonly userDir: string;
  readonly #close: () => Promise<void>;
  readonly #waiters = new Set<() => void>();
  readonly #deployed = new Set<string>();
  #nodes: readonly FlowNode[] = [];
  #shown: Shown[] = [];
  #statuses = new Map<string, string>();

  private constructor(url: string, userDir: string, socket: WebSocket, close: () => Promise<void>) {
    this.url = url;
    this.userDir = userDir;
    this.#close = close;
    socket.addEventListener('message', ({ data }) => {
      const heard = JSON.parse(String(data)) as Comms[] | Comms;
      for (const each of Array.isArray(heard) ? heard : [heard]) this.#hear(each);
      for (const look of [...this.#waiters]) look();
    });
  }

  /** Starts it in a folder of its own. */
  static async start(settings: Record<string, unknown> = {}, nodeRed = 'node-red'): Promise<NodeRed> {
    const closing = new Closing();
    try {
      const userDir = await mkdtemp(join(tmpdir(), 'esp32-examples-'));
      closing.later(() => rm(userDir, { recursive: true, force: true }));
      const demo = await startDemo({
        host: '127.0.0.1',
        port: await freePort(),
        userDir,
        nodeRed,
        board: '',
        packages: [DASHBOARD],
        settings: { debugMaxLength: 100_000, ...settings },
      });
      closing.later(demo.close);
      const socket = new WebSocket(`${demo.url.replace('http', 'ws')}comms`);
      await new Promise((resolve, reject) => {
        socket.addEventListener('open', resolve);
        socket.addEventListener('error', () => reject(new Error('no web socket to Node-RED')));
      });
      closing.later(() => {
        socket.close();
        return Promise.resolve();
      });
      return new NodeRed(demo.url, userDir, socket, () => closing.all());
    } catch (error) {
      await closing.all();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#close();
  }

  /** The node types that are there, those of packages that failed left out. */
  async types(): Promise<Set<string>> {
    const answer = await fetch(`${this.url}nodes`, { headers: { Accept: 'application/json' } });
    const sets = (await answer.json()) as { types: string[]; enabled: boolean; err?: unknown }[];
    return new Set(sets.filter(({ enabled, err }) => enabled && !err).flatMap(({ types }) => types));
  }

  /** Replaces all flows; returns when they run. `credentials`: node or flow id → what the editor would send. */
  async deploy(flows: readonly FlowNode[], credentials: object = {}): Promise<void> {
    this.#nodes = flows;
    this.#shown = [];
    this.#statuses.clear();
    const answer = await fetch(`${this.url}flows`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Node-RED-API-Version': 'v2' },
      body: JSON.stringify({ flows, credentials }),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    const { rev } = JSON.parse(text) as { rev: string };
    await this.#until(
      () => this.#deployed.has(rev),
      () => 'the flow does not start',
    );
  }

  /** The node of this name. */
  node(name: string): FlowNode {
    const found = this.#nodes.filter((node) => node.name === name);
    assert.equal(found.length, 1, `${found.length} nodes are called "${name}"`);
    return found[0] as FlowNode;
  }

  /** Presses the inject node of this name. */
  async press(name: string): Promise<void> {
    const answer = await fetch(`${this.url}inject/${this.node(name).id}`, { method: 'POST' });
    assert.equal(answer.status, 200, `the button of "${name}"`);
  }

  /** All the debug node of this name has shown. */
  shown(name: string): unknown[] {
    this.node(name);
    return this.#shown.filter((each) => each.name === name).map(({ value }) => value);
  }

  /** All that was shown by any debug node. */
  get everything(): readonly Shown[] {
    return this.#shown;
  }

  /** Waits for the debug node of this name to show something that fits. A diagnosis fails the test. */
  async shows(
    name: string,
    fits: (value: unknown) => boolean = () => true,
    unless?: 'diagnosis expected',
  ): Promise<unknown> {
    const failure = (): Shown | undefined =>
      unless ? undefined : this.#shown.find((each) => each.name === 'diagnosis');
    await this.#until(
      () => this.shown(name).some(fits) || failure() !== undefined,
      () => `"${name}" shows nothing that fits: ${JSON.stringify(this.#shown.slice(-5))}`,
    );
    const found = this.shown(name).filter(fits);
    if (found.length === 0) assert.fail(JSON.stringify(failure()?.value));
    return found[0];
  }

  /** Waits for the status of the node of this name. */
  async says(name: string, text: RegExp): Promise<void> {
    const { id } = this.node(name);
    await this.#until(
      () => text.test(this.#statuses.get(id) ?? ''),
      () => `"${name}" says ${this.#statuses.get(id) ?? 'nothing'}, and shown was ${JSON.stringify(this.#shown.slice(-5))}`,
    );
  }

  async #until(isThere: () => boolean, complaint: () => string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
      };
      const look = (): void => {
        if (!isThere()) return;
        stop();
        resolve();
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(complaint()));
      }, PATIENCE_MS);
      this.#waiters.add(look);
      look();
    });
  }

  #hear({ topic, data }: Comms): void {
    if (topic === 'debug') {
      const { name = '', msg, format } = data as { name?: string; msg: string; format: string };
      this.#shown.push({ name, value: valueOf(msg, format) });
    } else if (topic.startsWith('status/')) {
      this.#statuses.set(topic.slice('status/'.length), (data as { text?: string }).text ?? '');
    } else if (topic === 'notification/runtime-deploy') {
      this.#deployed.add((data as { revision: string }).revision);
    }
  }
}

/** Out of the form in which debug nodes send values: objects as JSON, all others as text and a name. */
function valueOf(text: string, format: string): unknown {
  if (format === 'Object' || format.startsWith('array')) return JSON.parse(text);
  if (format === 'number') return Number(text);
  if (format === 'boolean') return text === 'true';
  if (format === 'null' || format === 'undefined') return null;
  if (format.startsWith('buffer')) return Buffer.from(text, 'hex');
  return text;
}
