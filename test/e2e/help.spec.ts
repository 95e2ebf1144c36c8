/** The help of every node in every language, as Node-RED's editor shows it: nothing of it is lost on the way. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { NodeRed } from '../examples/node-red.ts';
import { Chromium, needsChromium } from '../support/chromium.ts';
import { Closing } from '../support/closing.ts';
import { editorLoaded } from '../support/editor.ts';

const NODES = fileURLToPath(new URL('../../nodes/', import.meta.url));
const TYPES = readdirSync(NODES);
const LANGUAGES = readdirSync(`${NODES}esp32-board/locales`);

/** A help as a reader sees it. */
interface Shown {
  properties: number;
  text: string;
  /** What stands in code within its lines. */
  codes: string[];
}

/** What a help says, as a reader sees it: without the marks of Markdown and HTML. */
function said(text: string): string {
  return text
    .replace(/<!--[^]*?-->|^```\w+/gm, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&#58;/g, ':')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/[\s`*#\-[\]()|:]|^\d+\. /gm, '');
}

/** The code in a help, whether in backticks or in tags. */
function codes(help: string): string[] {
  const found = help.replace(/```[^]*?```/g, '').matchAll(/`([^`]*)`|<code>(.*?)<\/code>/g);
  return [...found].map(([, ticks, tags]) => said(ticks ?? tags ?? ''));
}

/** Where a text ceases to be what it was, a few words of it. */
function lost(whole: string, found: string): string {
  let at = 0;
  while (at < whole.length && whole[at] === found[at]) at += 1;
  return (at < whole.length ? whole : found).slice(at, at + 60);
}

describe('the help in the editor', function () {
  this.timeout(120_000);
  const closing = new Closing();
  const chromium = new Chromium();
  let nodeRed: NodeRed;
  let page: Page;

  before(async function () {
    needsChromium(this);
    nodeRed = await NodeRed.start();
    closing.later(() => nodeRed.close());
    closing.later(() => chromium.close());
    await nodeRed.deploy([]);
    page = await chromium.open(nodeRed.url);
    await editorLoaded(page);
  });
  after(() => closing.all());

  /** The help Node-RED sends in a language, as its editor renders it. */
  async function shown(language: string): Promise<Map<string, Shown>> {
    const headers = { Accept: 'text/html', 'Accept-Language': language };
    const all = await (await fetch(`${nodeRed.url}nodes`, { headers })).text();
    const helps = [...all.matchAll(/<script[^>]*data-help-name="([\w-]+)">([^]*?)<\/script>/g)]
      .map(([, type = '', help = '']) => [type, help] as const)
      .filter(([type]) => TYPES.includes(type));
    const rendered = await page.evaluate((list) => {
      interface Editor {
        utils: { renderMarkdown: (text: string) => string };
      }
      const { RED } = globalThis as unknown as { RED: Editor };
      return list.map(([type, help]) => {
        const at = document.createElement('div');
        at.innerHTML = RED.utils.renderMarkdown(help);
        for (const errors of at.querySelectorAll('details')) errors.remove();
        const properties = at.querySelectorAll('dl.message-properties > dt').length;
        const inline = [...at.querySelectorAll('code')].filter((code) => code.closest('pre') === null);
        return [
          type,
          { properties, text: at.textContent, codes: inline.map((code) => code.textContent) },
        ] as const;
      });
    }, helps);
    return new Map(rendered);
  }

  for (const language of LANGUAGES) {
    it(`has every property and every word (${language})`, async () => {
      const helps = await shown(language);
      assert.deepEqual([...helps.keys()].toSorted(), TYPES);
      for (const type of TYPES) {
        const source = readFileSync(`${NODES}${type}/locales/${language}/${type}.html`, 'utf8');
        const { properties, text, codes: found } = helps.get(type) as Shown;
        assert.equal(properties, source.match(/^: /gm)?.length, `${type}: properties`);
        assert.equal(lost(said(source), said(text)), '', type);
        assert.deepEqual(found.map(said), codes(source), type);
      }
    });
  }

  it('raised no error in the page', () => chromium.closePages());
});
