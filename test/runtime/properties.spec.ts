/** What is taken out of settings and messages, and what is refused. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentBytes, firmwareBytes, numberOr, oneOf, requiredText } from '../../lib/runtime/properties.ts';
import { failsWith } from '../support/failures.ts';

describe('runtime: firmware', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'firmware-'));
    await writeFile(join(folder, 'board.bin'), Uint8Array.of(0xe9, 1, 2));
  });
  after(() => rm(folder, { recursive: true }));

  it('is a Buffer, bytes of other kinds, or the path of a file', async () => {
    const bytes = Uint8Array.of(0xe9, 1, 2);
    const path = join(folder, 'board.bin');
    for (const value of [
      Buffer.from(bytes),
      bytes,
      bytes.buffer,
      new DataView(bytes.buffer),
      path,
      ` ${path}\n`,
    ]) {
      assert.deepEqual([...(await firmwareBytes(value))], [...bytes]);
    }
  });

  it('may be a Buffer that went through JSON, or an array of bytes', async () => {
    const json: unknown = JSON.parse(JSON.stringify(Buffer.from([0xe9, 7])));
    assert.deepEqual([...(await firmwareBytes(json))], [0xe9, 7]);
    assert.deepEqual([...(await firmwareBytes([0xe9, 8]))], [0xe9, 8]);
  });

  it('is nothing else', async () => {
    const refused: [unknown, string][] = [
      [undefined, 'undefined'],
      [null, 'null'],
      ['  ', 'string'],
      [7, 'number'],
      [true, 'boolean'],
      [{ data: 1 }, 'object'],
      [{ type: 'Buffer', data: ['a'] }, 'object'],
      [[1, 256], 'array'],
      [[1.5], 'array'],
      [['a'], 'array'],
    ];
    for (const [value, found] of refused) {
      await assert.rejects(firmwareBytes(value), failsWith('bad-payload', { found }));
    }
  });

  it('in a file that cannot be read tells which and why', async () => {
    const path = join(folder, 'missing.bin');
    await assert.rejects(firmwareBytes(path), (error: unknown) => {
      failsWith('file-unreadable', { path })(error);
      assert.match((error as { facts: { reason: string } }).facts.reason, /ENOENT/);
      return true;
    });
    await assert.rejects(firmwareBytes(folder), failsWith('file-unreadable', { path: folder }));
  });
});

describe('runtime: content of a file', () => {
  const written = (value: unknown): string => Buffer.from(contentBytes(value)).toString('utf8');

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
    for (const value of [undefined, () => 1, Symbol('s'), 2n, { big: 2n ** 70n }, circle]) {
      assert.throws(() => contentBytes(value), failsWith('bad-payload'));
    }
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

  it('a number is above 0, or the default', () => {
    assert.equal(numberOr('460800', 1), 460800);
    assert.equal(numberOr(0.5, 1), 0.5);
    for (const value of ['', '0', -1, 'fast', NaN, Infinity, undefined, null, {}])
      assert.equal(numberOr(value, 9), 9);
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
