/** Folders of this machine, as far as they belong on a board. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readFolder, readHostFile } from '../../lib/host/folder.ts';
import { allowedPath } from '../../lib/host/root.ts';
import { writeInto } from '../../lib/host/write.ts';
import { failsWith } from '../support/failures.ts';

describe('host: folders', () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'host-folder-'));
    folder = join(root, 'project');
    await mkdir(folder);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function files(...names: string[]): Promise<void> {
    for (const name of names) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), name);
    }
  }
  const paths = async (...rules: Parameters<typeof readFolder> extends [string, ...infer R] ? R : never) =>
    (await readFolder(folder, ...rules)).map(({ path }) => path);

  it('are read with all that is in them, by path', async () => {
    await files('main.py', 'lib/b/two.py', 'lib/a.py', 'data/ünï x.bin');
    const found = await readFolder(folder);
    assert.deepEqual(
      found.map(({ path, content }) => [path, content.toString()]),
      ['data/ünï x.bin', 'lib/a.py', 'lib/b/two.py', 'main.py'].map((path) => [path, path]),
    );
  });

  it('leave here what tools and systems put there', async () => {
    await files(
      'main.py',
      '.git/config',
      'lib/__pycache__/a.pyc',
      '.DS_Store',
      'main.py~',
      '.vscode/x',
      '.mpyignore',
    );
    assert.deepEqual(await paths(), ['main.py']);
  });

  it('follow .mpyignore, that of an inner folder first', async () => {
    await files(
      'main.py',
      'notes.md',
      'lib/a.py',
      'lib/notes.md',
      'lib/test_a.py',
      'docs/x.py',
      'node_modules/y.py',
    );
    await writeFile(join(folder, '.mpyignore'), '# words\n*.md\n/docs/\ntest_*\n!node_modules/\r\n');
    await writeFile(join(folder, 'lib', '.mpyignore'), '!notes.md\n');
    assert.deepEqual(await paths(), ['lib/a.py', 'lib/notes.md', 'main.py', 'node_modules/y.py']);
  });

  it('follow .mpyignore with the mark that editors of Windows begin it with; .git may be a file', async () => {
    await files('main.py', 'secrets.py', '.git');
    await writeFile(join(folder, '.mpyignore'), '\uFEFFsecrets.py\r\n');
    assert.deepEqual(await paths(), ['main.py']);
  });

  it('take what is included, without what is excluded', async () => {
    await files('main.py', 'lib/a.py', 'lib/a.txt', 'data/x.csv', 'data/old/y.csv');
    assert.deepEqual(await paths({ include: ['*.py', 'data/'], exclude: ['data/old/'] }), [
      'data/x.csv',
      'lib/a.py',
      'main.py',
    ]);
  });

  it('follow links inside, refuse those that lead out, and go round no circle', async () => {
    await files('lib/a.py');
    await symlink('lib', join(folder, 'alias'));
    await symlink('..', join(folder, 'lib', 'up'));
    assert.deepEqual(await paths(), ['alias/a.py', 'lib/a.py']);
    await writeFile(join(root, 'secret'), 'x');
    await symlink(join(root, 'secret'), join(folder, 'out'));
    await assert.rejects(
      paths(),
      failsWith('host-path-outside', { path: join(folder, 'out'), root: folder, case: 'link' }),
    );
    await writeFile(join(folder, '.mpyignore'), 'out\n');
    assert.deepEqual(await paths(), ['alias/a.py', 'lib/a.py']);
  });

  it('have bounds', async () => {
    await Promise.all(Array.from({ length: 2001 }, (_, at) => writeFile(join(folder, `${at}`), '')));
    await assert.rejects(paths(), failsWith('host-folder-too-large', { limit: 2000, unit: 'files' }));
  });

  it('that are not there are an error, as are files', async () => {
    await assert.rejects(readFolder(join(root, 'none')), failsWith('source-unreadable'));
    await assert.rejects(readHostFile(join(root, 'none')), failsWith('source-unreadable'));
    for (const none of [root, '/dev/zero'])
      await assert.rejects(readHostFile(none), failsWith('source-unreadable'), none);
  });
});

describe('host: files that are written', () => {
  it('stay in their folder, whatever their names are and wherever its links lead', async () => {
    const root = await mkdtemp(join(tmpdir(), 'host-written-'));
    try {
      const folder = join(root, 'in');
      await mkdir(folder);
      await symlink(root, join(folder, 'up'));
      const refused = failsWith('host-path-outside', { root: folder, case: 'written' });
      for (const name of ['up/x', '../x']) {
        await assert.rejects(writeInto(folder, name, Buffer.from('x')), refused);
      }
      assert.equal(await writeInto(folder, 'a/x', Buffer.from('x')), join(folder, 'a', 'x'));
    } finally {
      await rm(root, { recursive: true });
    }
  });
});

describe('host: the root', () => {
  it('holds paths in it, links and what is not there yet included', async () => {
    const root = await mkdtemp(join(tmpdir(), 'host-root-'));
    try {
      await mkdir(join(root, 'in', 'deep'), { recursive: true });
      await mkdir(join(root, 'inner'));
      await symlink(join(root, 'inner'), join(root, 'in', 'link'));
      const within = join(root, 'in');
      const refused = failsWith('host-path-outside', { root: within, case: undefined });
      assert.equal(await allowedPath(join(within, 'deep'), within), join(within, 'deep'));
      assert.equal(await allowedPath('deep/new/file', within), join(within, 'deep', 'new', 'file'));
      assert.equal(await allowedPath(within, within), within);
      for (const path of ['..', '../inner', join(root, 'inner'), '/etc/passwd', 'link/x', 'deep/../../inner'])
        await assert.rejects(allowedPath(path, within), refused, path);
      assert.equal(await allowedPath('/', undefined), '/');
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});
