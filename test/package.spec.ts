/**
 * The package keeps the rules of the Node-RED scorecard (node-red-dev 0.1.6, `validate`), without a network: what asks
 * the catalogue or the registry there (P08, N01, D03) is what only a publication can show, and is not here.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

interface Manifest {
  name: string;
  version: string;
  license: string;
  homepage: string;
  bugs: { url: string };
  keywords: string[];
  engines: { node: string };
  files: string[];
  dependencies?: Record<string, string>;
  'node-red': { version: string; nodes: Record<string, string> };
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
const manifest = readManifest(ROOT);
const nodes = Object.entries(manifest['node-red'].nodes);

/** The lowest version a range of the form `>=1.2` or `>=1.2.3` admits. */
function lowest(range: string): number[] {
  const [, ...parts] = /^>=(\d+)\.(\d+)(?:\.(\d+))?$/.exec(range) ?? [];
  assert.ok(parts.length > 0, `${range} is of another form`);
  return parts.map((part) => Number(part || 0));
}

/** Whether a version is at or above the lowest of a range. */
function admits(range: string, version: string): boolean {
  const wanted = lowest(range);
  const found = version.split('.').map(Number);
  const at = wanted.findIndex((part, i) => part !== found[i]);
  return at < 0 || (found[at] ?? 0) > (wanted[at] ?? 0);
}

/** The folder of an installed package; some forbid to ask for their `package.json` by name. */
function installed(name: string): string {
  const folder = join(ROOT, 'node_modules', name);
  assert.ok(existsSync(folder), `${name} is installed`);
  return folder;
}

describe('the package', () => {
  it('has a licence, also as a file (P01)', () => {
    assert.equal(manifest.license, 'Apache-2.0');
    assert.match(readFileSync(join(ROOT, 'LICENSE'), 'utf8'), /Apache License\s+Version 2\.0/);
  });

  it('says where it lives and where faults are told (P03)', () => {
    for (const url of [manifest.homepage, manifest.bugs.url]) assert.equal(new URL(url).protocol, 'https:');
  });

  it('is named as packages for Node-RED are (P04, P05)', () => {
    assert.match(manifest.name, /^(@[\w-]+\/|node-red-contrib-)[\w-]+$/);
    assert.ok(manifest.keywords.includes('node-red'));
  });

  it('is for every Node-RED that is maintained (P06)', () => {
    for (const name of ['node-red', 'node-red-4'])
      assert.ok(admits(manifest['node-red'].version, readManifest(installed(name)).version), name);
    assert.ok(!admits(manifest['node-red'].version, '3.1.15'), 'and for none in which it was not tried');
  });

  it('runs on the oldest Node.js that the newest Node-RED runs on (P07)', () => {
    const { engines } = readManifest(installed('node-red'));
    assert.ok(admits(manifest.engines.node, lowest(engines.node).concat(0, 0).slice(0, 3).join('.')));
  });

  it('depends on little, and on nothing that is known to be bad (D01, D02)', () => {
    const names = Object.keys(manifest.dependencies ?? {});
    assert.ok(names.length <= 6, names.join());
    const tree = new Set<string>();
    const walk = (name: string, from: string): void => {
      let folder = from;
      while (!existsSync(join(folder, 'node_modules', name)) && folder !== dirname(folder))
        folder = dirname(folder);
      const at = join(folder, 'node_modules', name);
      if (tree.has(at) || !existsSync(at)) return;
      tree.add(at);
      for (const next of Object.keys(readManifest(at).dependencies ?? {})) walk(next, at);
    };
    for (const name of names) walk(name, ROOT);
    assert.ok(tree.size >= names.length);
    const bad = [...tree].filter(
      (folder) => folder.endsWith('/agent-base') && !admits('>=6.0', readManifest(folder).version),
    );
    assert.deepEqual(bad, []);
  });

  it('registers each node under a type of its own, in a file that the scorecard can read', () => {
    assert.ok(nodes.length >= 5);
    for (const [type, file] of nodes) {
      assert.equal(file, `dist/nodes/${type}/${type}.js`);
      const html = readFileSync(join(ROOT, `nodes/${type}/${type}.html`), 'utf8');
      const script = /<script type="text\/javascript">([^]*?)<\/script>/.exec(html)?.[1] ?? '';
      assert.match(script, new RegExp(`RED\\.nodes\\.registerType\\('${type}', \\{`));
      assert.ok(existsSync(join(ROOT, `nodes/${type}/locales/en-US/${type}.html`)), `${type} has help`);
    }
  });

  it('shows each node in an example (N02)', () => {
    const shown = new Set<string>();
    for (const file of readdirSync(join(ROOT, 'examples'))) {
      const flow: unknown = require(join(ROOT, 'examples', file));
      assert.ok(Array.isArray(flow), `${file} is a plain list`);
      for (const { type } of flow as { type: string }[]) shown.add(type);
    }
    assert.deepEqual(
      nodes.map(([type]) => type).filter((type) => !shown.has(type)),
      [],
    );
  });

  it('is packed with what runs and what is read, and without its sources', () => {
    for (const name of ['dist', 'examples', 'resources', 'CHANGELOG.md'])
      assert.ok(manifest.files.includes(name), name);
    assert.ok(!manifest.files.some((name) => /^(lib|nodes|plugins|test|bench|scripts)/.test(name)));
  });
});
