/** What is taken out of settings and messages, and what is refused. */
import assert from 'node:assert/strict';
import {
  anyBytesOf,
  contentBytes,
  numberOr,
  oneOf,
  optionalAddress,
  positive,
  requiredText,
} from '../../lib/runtime/properties.ts';
import { failsWith } from '../support/failures.ts';

describe('runtime: bytes', () => {
  it('are a Buffer, or binary of another kind', () => {
    const bytes = Uint8Array.of(0xe9, 1, 2);
    for (const value of [Buffer.from(bytes), bytes, bytes.buffer, new DataView(bytes.buffer)]) {
      assert.deepEqual([...(anyBytesOf(value) ?? [])], [...bytes]);
    }
  });

  it('may be a Buffer that went through JSON, or an array of bytes', () => {
    const json: unknown = JSON.parse(JSON.stringify(Buffer.from([0xe9, 7])));
    assert.deepEqual([...(anyBytesOf(json) ?? [])], [0xe9, 7]);
    assert.deepEqual([...(anyBytesOf([0xe9, 8]) ?? [])], [0xe9, 8]);
  });

  it('are nothing else', () => {
    const others = [
      undefined,
      null,
      '  ',
      7,
      true,
      { data: 1 },
      { type: 'Buffer', data: ['a'] },
      [1, 256],
      [1.5],
      ['a'],
    ];
    for (const value of others) assert.equal(anyBytesOf(value), undefined);
  });
});

describe('runtime: addresses', () => {
  it('are numbers, or decimal or hex text; blank text is none', () => {
    assert.deepEqual(
      [4096, '4096', '0x1000', ' 0x1000 ', 0, '', '  ', undefined, null].map((value) =>
        optionalAddress(value, 'offset'),
      ),
      [4096, 4096, 4096, 4096, 0, undefined, undefined, undefined, undefined],
    );
    for (const value of [false, [], {}, -1, 1.5, 'here', NaN]) {
      assert.throws(
        () => optionalAddress(value, 'offset'),
        failsWith('bad-property', { property: 'offset' }),
      );
    }
  });
});

describe('runtime: content of a file', () => {
  const written = (value: unknown): string =>
    Buffer.from(contentBytes(value, 'f.txt', 'payload')).toString('utf8');

  it('is text, bytes, or anything as JSON', () => {
    assert.equal(written('ünï\r\n'), 'ünï\r\n');
    assert.equal(written(''), '');
    assert.equal(written(Buffer.from('b')), 'b');
    assert.equal(written(Uint8Array.of(0x61).buffer), 'a');
    assert.equal(written(new Uint16Array([0x6261])), 'ba'.split('').toReversed().join(''));
    assert.equal(written({ a: [1, null] }), '{\n  "a": [\n    1,\n    null\n  ]\n}');
    assert.equal(written(5), '5');
    assert.equal(written(false), 'false');
  });

  it('is not what JSON has no shape for', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const facts = { case: 'content', property: 'payload' };
    for (const value of [undefined, NaN, Infinity, () => 1, Symbol('s'), 2n, { big: 2n ** 70n }, circle]) {
      assert.throws(() => contentBytes(value, 'f.json', 'payload'), failsWith('bad-payload', facts));
    }
  });

  it('is null only in a JSON file', () => {
    assert.equal(Buffer.from(contentBytes(null, '/conf.JSON', 'payload')).toString(), 'null');
    const nothing = failsWith('bad-payload', { case: 'content', found: 'null' });
    for (const path of ['main.py', 'json', 'json.txt'])
      assert.throws(() => contentBytes(null, path, 'payload'), nothing);
  });
});

describe('runtime: settings', () => {
  it('text is a text or a number', () => {
    assert.equal(requiredText('main.py', 'filename'), 'main.py');
    assert.equal(requiredText(' x = 1', 'payload'), ' x = 1');
    assert.equal(requiredText(7, 'payload'), '7');
    for (const value of ['', ' \n', undefined, null, {}, [], true, Buffer.from('x')]) {
      assert.throws(
        () => requiredText(value, 'filename'),
        failsWith('bad-payload', { property: 'filename' }),
      );
    }
  });

  it('text that is missing or blank is told as that', () => {
    for (const [value, found] of [
      ['', 'empty text'],
      [' \n', 'empty text'],
      [undefined, 'undefined'],
      [null, 'null'],
    ]) {
      assert.throws(
        () => requiredText(value, 'filename'),
        failsWith('bad-payload', { property: 'filename', expected: 'string', found, case: 'empty' }),
      );
    }
    assert.throws(
      () => requiredText({}, 'filename'),
      failsWith('bad-payload', { found: 'object', case: undefined }),
    );
  });

  it('a number is above 0, or the default', () => {
    assert.equal(numberOr('460800', 1), 460800);
    assert.equal(numberOr(0.5, 1), 0.5);
    for (const value of ['', '0', -1, 'fast', NaN, Infinity, undefined, null, {}])
      assert.equal(numberOr(value, 9), 9);
  });

  it('a number of a message is above 0, or absent; what is neither is refused', () => {
    assert.deepEqual(
      [5, 0.5, ' 7 ', '', '  ', undefined, null].map((value) => positive(value, 9, 'timeout')),
      [5, 0.5, 7, 9, 9, 9, 9],
    );
    for (const [value, found] of [
      ['abc', 'abc'],
      ['5s', '5s'],
      [-3, '-3'],
      [0, '0'],
      [NaN, 'NaN'],
      [Infinity, 'Infinity'],
      [true, 'boolean'],
      [[5], 'array'],
    ]) {
      const facts = { property: 'timeout', expected: 'number > 0', found };
      assert.throws(() => positive(value, 9, 'timeout'), failsWith('bad-property', facts));
    }
  });

  it('a word is one of a list, or the default where there is none', () => {
    const erase = (value: unknown): string => oneOf(value, ['needed', 'all'], 'needed', 'erase');
    assert.equal(erase('all'), 'all');
    for (const value of [undefined, null, '']) assert.equal(erase(value), 'needed');
    const facts = { property: 'erase', expected: 'needed | all' };
    assert.throws(() => erase('everything'), failsWith('bad-property', { ...facts, found: 'everything' }));
    assert.throws(() => erase(true), failsWith('bad-property', { ...facts, found: 'boolean' }));
  });
});
