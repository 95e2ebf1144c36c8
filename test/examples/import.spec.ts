/** Every example as a person imports it: complete, valid in the editor, tidy, and of no one machine. */
import assert from 'node:assert/strict';
import { Chromium, needsChromium } from '../support/chromium.ts';
import { Closing } from '../support/closing.ts';
import { editorLoaded, importFlow } from '../support/editor.ts';
import { FILES, readExample } from './files.ts';
import { NodeRed } from './node-red.ts';
import type { FlowNode } from './node-red.ts';
import { EXAMPLES } from './table.ts';

describe('examples in the editor', function () {
  this.timeout(120_000);
  const closing = new Closing();
  const chromium = new Chromium();
  let nodeRed: NodeRed;

  before(async () => {
    nodeRed = await NodeRed.start();
    closing.later(() => nodeRed.close());
    closing.later(() => chromium.close());
    await nodeRed.deploy([]);
  });
  after(() => closing.all());

  it('are all in the table', () => {
    assert.deepEqual(EXAMPLES.map(({ file }) => file).toSorted(), FILES.toSorted());
  });

  for (const file of FILES) {
    it(`${file}: complete, with words for whoever imports it, and without anything of one machine`, async () => {
      const nodes = readExample(file);
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


  for (const file of FILES) {
    it(`${file}: is imported with every node valid, none upon another`, async function () {
      needsChromium(this);
      const page = await chromium.open(nodeRed.url);
      await editorLoaded(page);
      const { drawn, invalidConfigs } = await importFlow(page, readExample(file).map(withPort));
      await chromium.closePages();
      assert.deepEqual(invalidConfigs, []);
      for (const [at, node] of drawn.entries()) {
        const label = `${node.type} ${node.name}`;
        assert.ok(node.isValid, `${label} is not valid`);
        assert.ok(node.left >= 20 && node.top >= 20 && node.right <= 1300, `${label} lies outside`);
        for (const other of drawn.slice(at + 1)) {
          const apart =
            node.right <= other.left ||
            other.right <= node.left ||
            node.bottom <= other.top ||
            other.bottom <= node.top;
          assert.ok(apart, `${label} lies upon ${other.type} ${other.name}`);
        }
      }
    });
  }
});

/** The one thing that is left to the person: which port. */
function withPort(node: FlowNode): FlowNode {
  return node.type === 'esp32-board' ? { ...node, port: node['port'] || 'COM3' } : node;
}

function wiresOf(node: FlowNode): string[] {
  return ((node['wires'] as string[][] | undefined) ?? []).flat();
}

/** Ids of the config nodes a node needs, and of its tab; each must be set. */
function configsOf(node: FlowNode): string[] {
  const keys = node.type === 'ui-template' ? ['z', 'group'] : ['z', 'board', 'group', 'page', 'ui', 'theme'];
  return keys.flatMap((key) => (key in node ? [String(node[key])] : []));
}
