/** Every text the editor asks for is in the catalogues, and every text in them is asked for. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PORT_TROUBLES } from '../../lib/board/port-picture.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EDITOR = `${ROOT}lib/editor/`;

type Texts = { [key: string]: string | Texts };
const catalogue = (file: string): Texts => JSON.parse(readFileSync(`${ROOT}${file}`, 'utf8')) as Texts;
const board = catalogue('nodes/esp32-board/locales/en-US/esp32-board.json')['esp32-board'] as Texts;
const sidebar = catalogue('plugins/esp32-sidebar/locales/en-US/esp32-sidebar.json')['esp32-sidebar'] as Texts;

/** `a.b.c` of every text; what i18next chooses by a fact (`_case`) is the text itself. */
function keysOf(texts: Texts, before = ''): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string' ? [before + key.split('_')[0]!] : keysOf(value, `${before}${key}.`),
  );
}

interface Asked {
  catalogue: string;
  /** A pattern, where a part of the key is only known when it is asked for. */
  key: RegExp;
  where: string;
}

function asked(): Asked[] {
  const files = readdirSync(EDITOR, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const source = readFileSync(EDITOR + file, 'utf8');
    const name = /wordsOf\('([\w-]+)'\)/.exec(source)?.[1];
    if (name === undefined) return [];
    const literals = [...source.matchAll(/\bwords\(\s*(['`])([^'`]+)\1/g)].map(([, , text = '']) => text);
    return literals.map((text) => ({
      catalogue: name,
      key: new RegExp(`^${text.replaceAll('.', '\\.').replaceAll(/\$\{[^}]+\}/g, '[\\w-]+')}$`),
      where: `${file}: ${text}`,
    }));
  });
}

describe('runtime: words of the editor', () => {
  const texts: Record<string, string[]> = { 'esp32-board': keysOf(board), 'esp32-sidebar': keysOf(sidebar) };

  it('are there for all that is asked', () => {
    const all = asked();
    assert.ok(all.length > 30);
    const missing = all.filter(({ catalogue: name, key }) => !texts[name]?.some((text) => key.test(text)));
    assert.deepEqual(
      missing.map(({ where }) => where),
      [],
    );
  });

  it('of the sidebar are all asked for', () => {
    const keys = asked()
      .filter(({ catalogue: name }) => name === 'esp32-sidebar')
      .map(({ key }) => key);
    assert.deepEqual(
      texts['esp32-sidebar']!.filter((text) => !keys.some((key) => key.test(text))),
      [],
    );
  });

  it('tell of every trouble with ports: why, and what to do', () => {
    const troubles = board['trouble'] as Record<string, Record<string, string>>;
    assert.deepEqual(Object.keys(troubles).toSorted(), PORT_TROUBLES.toSorted());
    for (const [code, { cause, remedy, snippet }] of Object.entries(troubles)) {
      assert.ok(cause && remedy, code);
      assert.equal(typeof snippet, 'string', code);
    }
  });
});
