/** Every example is imported into a real Node-RED, deployed on virtual boards, and does what it promises. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Chromium, needsChromium } from '../support/chromium.ts';
import { Closing } from '../support/closing.ts';
import { FileServer } from '../firmware/server.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';
import { NodeRed } from './node-red.ts';
import type { FlowNode } from './node-red.ts';
import { EXAMPLES } from './table.ts';
import type { Example } from './table.ts';

const FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));
const FIRMWARE = 'ESP32_GENERIC-20251209-v1.27.0.bin';

const files = readdirSync(FOLDER).map((name) => name.replace(/\.json$/, ''));
const read = (file: string): FlowNode[] =>
  JSON.parse(readFileSync(join(FOLDER, `${file}.json`), 'utf8')) as FlowNode[];

describe('examples', function () {
  this.timeout(120_000);
  const closing = new Closing();
  const chromium = new Chromium();
  let nodeRed: NodeRed;

  before(async () => {
    // MicroPython's downloads, as its site has them.
    const server = new FileServer();
    await server.start();
    closing.later(() => server.stop());
    server.file('/download/ESP32_GENERIC/', `<a href="/firmware/${FIRMWARE}">v1.27.0</a>`);
    server.file(`/firmware/${FIRMWARE}`, demoImage().bytes);
    nodeRed = await NodeRed.start({ esp32FlashCatalogue: server.url('/download/') });
    closing.later(() => nodeRed.close());
    closing.later(() => chromium.close());
  });
  after(() => closing.all());

  it('are all in the table', () => {
    assert.deepEqual(EXAMPLES.map(({ file }) => file).toSorted(), files.toSorted());
  });

  for (const file of files) {
    it(`${file}: complete, with words for whoever imports it, and without anything of one machine`, async () => {
      const nodes = read(file);
      const types = await nodeRed.types();
      const ids = new Set(nodes.map(({ id }) => id));
      assert.equal(ids.size, nodes.length, 'each id once');
      for (const node of nodes) {
        const what = `${node.type} ${node.name ?? node.id}`;
        assert.ok(['tab', 'group'].includes(node.type) || types.has(node.type), `${what} is of no known type`);
        assert.match(node.id, /^a1c0de[0-9a-f]{10}$/);
        for (const to of [...wiresOf(node), ...configsOf(node)])
          assert.ok(ids.has(to), `${what} leads to ${to}`);
        if (node.type === 'esp32-board') assert.match(String(node['port']), /^$|^rfc2217:\/\/[\w.]+:2217$/);
        assert.doesNotMatch(JSON.stringify(node), /\/(home|Users|tmp|dev\/serial|root)\/|127\.0\.0\.1|localhost/);
      }
      assert.ok(nodes.filter(({ type }) => type === 'comment').length >= 3, 'what to set and what to press');
    });
  }

  for (const example of EXAMPLES) {
    it(`${example.file}: ${example.promises}`, async function () {
      if (example.page !== undefined) needsChromium(this);
      const boards: VirtualBoard[] = [];
      try {
        for (const options of example.boards ?? [{ firmware: 'none' }])
          boards.push(await launchBoard({ timing: 'none', bootMs: 0, ...options }));
        const flow = prepared(example, boards);
        const secrets = flow[0] && example.secrets ? { [flow[0].id]: example.secrets } : {};
        await nodeRed.deploy(flow, secrets);
        await example.run({ nodeRed, boards, dashboard: () => chromium.open(`${nodeRed.url}dashboard/${example.page ?? ''}`) });
      } finally {
        await chromium.closePages();
        await nodeRed.deploy([]);
        for (const board of boards) await board.close();
      }
    });
  }
});

/**
 * The example with what a person does: ports and the flow's environment variables filled in, all debug nodes
 * on. No USB is here: in place of "esp32 ports" stand inject nodes, `plug in 1` and so on, whose messages are
 * as that node sends them.
 */
function prepared({ file, environment = {} }: Example, boards: readonly VirtualBoard[]): FlowNode[] {
  const ports = boards.map(({ rfc2217 }) => rfc2217);
  const fill = (variable: Record<string, unknown>): Record<string, unknown> => {
    const value = environment[String(variable['name'])];
    return value === undefined ? variable : { ...variable, value };
  };
  const free = [...ports];
  return read(file).flatMap((node) => {
    if (node.type === 'esp32-ports') return plugs(node, ports);
    if (node.type === 'esp32-board') return { ...node, port: free.shift() ?? '', flashBaudRate: '2000000' };
    if (node.type === 'debug') return { ...node, active: true };
    if (node.type === 'tab') return { ...node, env: (node['env'] as Record<string, unknown>[]).map(fill) };
    return node;
  });
}

function plugs({ z, wires }: FlowNode, ports: readonly string[]): FlowNode[] {
  return ports.map((port, index) => {
    const payload = { event: 'added', port, ports: ports.slice(0, index + 1).map((each) => ({ port: each })) };
    return {
      id: `a1c0deffffffff0${index}`,
      type: 'inject',
      name: `plug in ${index + 1}`,
      z,
      props: [
        { p: 'payload', v: JSON.stringify(payload), vt: 'json' },
        { p: 'port', v: port, vt: 'str' },
        { p: 'topic', v: 'added', vt: 'str' },
      ],
      wires: [(wires as string[][])[0]],
    };
  });
}

function wiresOf(node: FlowNode): string[] {
  return ((node['wires'] as string[][] | undefined) ?? []).flat();
}

/** Ids of the config nodes a node needs, and of its tab; each must be set. */
function configsOf(node: FlowNode): string[] {
  const keys = node.type === 'ui-template' ? ['z', 'group'] : ['z', 'board', 'group', 'page', 'ui', 'theme'];
  return keys.flatMap((key) => (key in node ? [String(node[key])] : []));
}
