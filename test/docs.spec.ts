/** What the documents name is there: tests, error codes, examples, files, pictures. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reference } from '../scripts/reference.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const listed = (folder: string, end: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(end))
    .map((name) => name.slice(0, -end.length));

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...listed('docs', '.md').map((name) => `docs/${name}.md`),
];
const { diagnosis } = JSON.parse(text('nodes/esp32-board/locales/en-US/esp32-board.json')) as {
  diagnosis: Record<string, { short: string }>;
};

describe('the documents', () => {
  for (const document of DOCUMENTS) {
    it(`${document}: every link, picture and test it names is there`, () => {
      const links = [...text(document).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, to = '']) => to);
      const local = links.filter((to) => !/^https?:/.test(to)).map((to) => join(dirname(document), to));
      const tests = [...text(document).matchAll(/`(test\/[\w./-]+)`/g)].map(([, file = '']) => file);
      assert.deepEqual(
        [...local, ...tests].filter((file) => !existsSync(join(ROOT, file))),
        [],
      );
    });

    it(`${document}: every example it names is there`, () => {
      const named = [...text(document).matchAll(/\bexamples? `([\w-]+)`/gi)].map(([, name = '']) => name);
      const there = listed('examples', '.json');
      assert.deepEqual(
        named.filter((name) => !there.includes(name)),
        [],
      );
    });
  }
});

describe('the reference of the nodes', () => {
  it('has a chapter for each, with its inputs and outputs as tables', () => {
    const chapters = reference().split(/^## /m).slice(1);
    const types = readdirSync(join(ROOT, 'nodes')).map((type) => type.replace('-', ' '));
    assert.deepEqual(chapters.map((chapter) => chapter.split('\n')[0]).toSorted(), types.toSorted());
    for (const chapter of chapters) {
      assert.match(chapter, /\| property \| type \| what it is \|\n\|---\|---\|---\|\n\| \*?\w/);
      assert.doesNotMatch(chapter, /^:|<!--|__(?!import__)\w/m);
    }
  });
});

describe('the table of known pains', () => {
  const rows = text('docs/troubleshooting.md')
    .split('\n')
    .filter((line) => /^\| \d+ \|/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('has all twenty-five, each handled, with its error codes and its tests', () => {
    assert.deepEqual(
      rows.map(([, number]) => Number(number)),
      Array.from({ length: 25 }, (_, at) => at + 1),
    );
    for (const [, number, pain, done, codes = '', tests = ''] of rows) {
      assert.ok(pain && done, `row ${number}`);
      assert.match(codes, /^`[\w-]+`(, `[\w-]+`)*$/, `row ${number}`);
      assert.match(tests, /^`test\/[\w/-]+\.spec\.ts`(, `test\/[\w/-]+\.spec\.ts`)*$/, `row ${number}`);
    }
  });

  it('names codes that exist', () => {
    const named = rows.flatMap(([, , , , codes = '']) =>
      [...codes.matchAll(/`([\w-]+)`/g)].map(([, code = '']) => code),
    );
    assert.deepEqual(
      named.filter((code) => !(code in diagnosis)),
      [],
    );
  });

  it('comes after statuses that nodes show', () => {
    const shown = [...text('docs/troubleshooting.md').matchAll(/^\| `([^`]+)` \|/gm)].map(
      ([, short = '']) => short,
    );
    const known = Object.values(diagnosis).map(({ short }) => short);
    assert.ok(shown.length > 5);
    assert.deepEqual(
      shown.filter((short) => !known.includes(short)),
      [],
    );
  });
});
