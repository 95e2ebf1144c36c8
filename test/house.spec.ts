/** The floors of the house: each imports only from floors under it, and a few packages have one door. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Folder → what it may import from. A folder may always import from itself, and all from what is on the ground. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  nodes: ['lib/runtime', 'lib/board'],
  'lib/runtime': ['lib/board', 'lib/firmware', 'lib/host', 'lib/packages', 'lib/editor'],
  'lib/board': ['lib/firmware', 'lib/esp', 'lib/micropython', 'lib/transport'],
  'lib/firmware': ['lib/esp', 'lib/web'],
  'lib/esp': ['lib/transport'],
  'lib/micropython': ['lib/transport'],
  'lib/host': [],
  'lib/packages': ['lib/web'],
  'lib/web': [],
  'lib/transport': [],
  'lib/bytes': [],
  'lib/errors': [],
  'lib/editor': [],
};
const GROUND = ['lib/bytes', 'lib/errors'];

/** Package → the only files that may name it. */
const ONE_DOOR: Readonly<Record<string, readonly string[]>> = {
  serialport: ['lib/transport/serial.ts', 'lib/transport/list.ts'],
  pako: ['lib/esp/deflate.ts'],
  'esptool-js': ['lib/esp/stub-images.ts'],
  '@pybricks/mpy-cross-v6': ['lib/micropython/mpy-cross-worker.ts'],
};

interface Import {
  file: string;
  target: string;
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\(|\.resolve\()\s*'([^']+)'/g)];
  return found.map(([, target = '']) => ({ file, target }));
}

function floorOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT).find((floor) => path.startsWith(`${floor}/`));
}

const imports = ['lib', 'nodes'].flatMap(sources).flatMap(importsOf);

describe('the house', () => {
  it('has every source on a floor', () => {
    assert.ok(imports.length > 100, 'the sources were read');
    assert.deepEqual(
      imports.map(({ file }) => file).filter((file) => floorOf(file) === undefined),
      [],
    );
  });

  it('imports only from floors under it', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!target.startsWith('.')) return false;
      const floor = floorOf(file) ?? '';
      const path = relative('.', normalize(join(dirname(file), target)));
      const targetFloor = floorOf(path) ?? '';
      return ![floor, ...GROUND, ...(MAY_IMPORT[floor] ?? [])].includes(targetFloor);
    });
    assert.deepEqual(wrong, []);
  });

  it('lets the runtime see of the editor only what they tell each other', () => {
    const seen = imports.filter(
      ({ file, target }) => !file.startsWith('lib/editor/') && target.includes('/editor/'),
    );
    assert.ok(seen.length > 0);
    assert.deepEqual(
      seen.filter(({ target }) => !target.endsWith('/editor/wire.ts')),
      [],
    );
  });

  it('keeps one door to each runtime dependency', () => {
    const wrong = imports.filter(({ file, target }) => ONE_DOOR[target] && !ONE_DOOR[target].includes(file));
    assert.deepEqual(wrong, []);
  });

  it('has no other runtime dependencies', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: object };
    assert.deepEqual(Object.keys(manifest.dependencies).sort(), Object.keys(ONE_DOOR).sort());
  });

  it('keeps people and messages off the floors under the runtime', () => {
    const knows = sources('lib')
      .filter((file) => !/^lib\/(runtime|editor)\//.test(file))
      .filter((file) => /from 'node-red'|\bRED\./.test(readFileSync(join(ROOT, file), 'utf8')));
    assert.deepEqual(knows, []);
  });
});
