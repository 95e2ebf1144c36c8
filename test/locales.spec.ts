/** Every language has the words that English has: the same keys, the same variables, help for each node. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FIRST = 'en-US';
const LANGUAGES = ['de', FIRST, 'es', 'fr', 'ja', 'pt-BR', 'zh-CN'];

/** `nodes/mp-repl/locales` and the like. */
const FOLDERS = ['nodes', 'plugins']
  .filter((floor) => existsSync(join(ROOT, floor)))
  .flatMap((floor) => readdirSync(join(ROOT, floor)).map((name) => join(floor, name, 'locales')))
  .filter((folder) => existsSync(join(ROOT, folder)));

const locales = (folder: string): string[] => readdirSync(join(ROOT, folder));
const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

/** `a.b.c` → text, of all texts in a catalogue. */
function texts(value: unknown, path = ''): Map<string, string> {
  if (typeof value === 'string') return new Map([[path, value]]);
  const found = new Map<string, string>();
  for (const [key, inner] of Object.entries(value as object))
    for (const [at, text] of texts(inner, path === '' ? key : `${path}.${key}`)) found.set(at, text);
  return found;
}

const variables = (text: string): string[] => [...new Set(text.match(/__\w+?__/g) ?? [])].toSorted();
/** `: *payload* (string) : …` → `*payload*`. */
const properties = (help: string): string[] => [...help.matchAll(/^: (\S+)/gm)].map(([, name = '']) => name);

/** What is English in every language: facts that are words of ours, not names or numbers. */
const ENGLISH_FACTS = ['__unit__', '__job__'];

describe('the words of each language', () => {
  it('are not filled with English ones: what is counted, or which job it is, has words of its own', () => {
    for (const folder of FOLDERS) {
      for (const file of readdirSync(join(ROOT, folder, FIRST)).filter((name) => name.endsWith('.json'))) {
        for (const [key, text] of texts(JSON.parse(read(folder, FIRST, file)))) {
          assert.ok(!ENGLISH_FACTS.some((fact) => text.includes(fact)), `${file}: ${key}`);
        }
      }
    }
  });

  it('are there for every node and the sidebar', () => {
    assert.ok(FOLDERS.length >= 7);
    for (const folder of FOLDERS) assert.deepEqual(locales(folder).toSorted(), LANGUAGES, folder);
  });

  for (const folder of FOLDERS) {
    for (const locale of locales(folder).filter((name) => name !== FIRST)) {
      it(`${folder}: ${locale} says all that English says`, () => {
        for (const file of readdirSync(join(ROOT, folder, FIRST))) {
          if (file.endsWith('.json')) {
            const english = texts(JSON.parse(read(folder, FIRST, file)));
            const other = texts(JSON.parse(read(folder, locale, file)));
            assert.deepEqual([...other.keys()].toSorted(), [...english.keys()].toSorted());
            for (const [key, text] of english) {
              if (text !== '') assert.notEqual(other.get(key)?.trim(), '', key);
              assert.deepEqual(variables(other.get(key) ?? ''), variables(text), key);
            }
          } else {
            const [english, other] = [read(folder, FIRST, file), read(folder, locale, file)];
            // what the board's help lists are labels of its dialog, which are translated
            const shape =
              file === 'esp32-board.html' ? (help: string) => properties(help).length : properties;
            assert.deepEqual(shape(other), shape(english), file);
            assert.equal(
              /data-help-name="([\w-]+)"/.exec(other)?.[1],
              /data-help-name="([\w-]+)"/.exec(english)?.[1],
            );
          }
        }
      });
    }
  }
});
