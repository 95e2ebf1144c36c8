/** The help lists every error there is, under the anchor that `msg.diagnosis.help` names. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { diagnose, InputError } from '../../lib/runtime/diagnosis.ts';
import { withErrors } from '../../scripts/help.ts';
import type { Words } from '../../scripts/help.ts';

const LOCALES = fileURLToPath(new URL('../../nodes/esp32-board/locales/', import.meta.url));

describe('runtime: the help of errors', () => {
  for (const locale of readdirSync(LOCALES)) {
    it(`has an anchor, a cause and what to do for every code (${locale})`, () => {
      const file = `${LOCALES}${locale}/esp32-board`;
      const { diagnosis } = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as {
        diagnosis: Record<string, Words>;
      };
      const help = withErrors(readFileSync(`${file}.html`, 'utf8'), diagnosis);
      const anchors = [...help.matchAll(/<details id="([\w-]+)"/g)].map(([, code]) => code);
      assert.deepEqual(anchors, Object.keys(diagnosis));
      assert.ok(anchors.length > 60);
      assert.equal(help.match(/<p>[^<]+<\/p><ul><li>/g)?.length, anchors.length);
      assert.doesNotMatch(help, /__\w+__|<!-- errors -->/);
    });
  }

  it('keeps what is no HTML out of it, and every kind of cause in it', () => {
    const words = { short: 'a < b', cause: '__n__ & <b>', cause_panic: 'it crashed', remedy: 'one\ntwo' };
    assert.equal(
      withErrors('<!-- errors -->', { 'some-code': words }),
      '<details id="some-code"><summary><code>some-code</code> a &lt; b</summary>' +
        '<p>‹n› &amp; &lt;b&gt;</p><p>it crashed</p><ul><li>one</li><li>two</li></ul></details>',
    );
  });

  it('is where a diagnosis says', () => {
    const { help } = diagnose(new InputError('bad-payload', 'm'), (key) => key);
    assert.equal(help, 'esp32-board#bad-payload');
  });

  it('must have a place', () => {
    assert.throws(() => withErrors('no place', {}), /errors/);
  });
});
