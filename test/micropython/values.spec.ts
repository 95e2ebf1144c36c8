/** Expressions evaluated on a board, their values and their errors. */
import assert from 'node:assert/strict';
import { call, evaluate } from '../../lib/micropython/answer.ts';
import type { RawRepl } from '../../lib/micropython/raw-repl.ts';
import { ResultLine } from '../../lib/micropython/result-line.ts';
import { parseTraceback } from '../../lib/micropython/traceback.ts';
import { pythonValue } from '../../lib/micropython/values.ts';
import { failsWith } from '../support/failures.ts';
import { MicroPythonBoard, printed } from '../support/micropython-board.ts';

describe('micropython: value of an expression', () => {
  let mp: MicroPythonBoard;
  let repl: RawRepl;
  before(async () => {
    mp = await MicroPythonBoard.start();
    repl = await mp.repl();
  });
  after(() => mp.close());

  const value = (expression: string): Promise<unknown> => evaluate(repl, expression, { timeoutMs: 10_000 });

  const cases: [string, unknown][] = [
    ['2 + 2', 4],
    ['-7', -7],
    ['2 ** 53 - 1', Number.MAX_SAFE_INTEGER],
    ['2 ** 53', 2n ** 53n],
    ['-(2 ** 70)', -(2n ** 70n)],
    ['1.5', 1.5],
    ['[1e300 * 1e300, -1e300 * 1e300, 1e300 * 1e300 * 0]', [Infinity, -Infinity, NaN]],
    ['None', null],
    ['[True, False, True == 1]', [true, false, true]],
    ['""', ''],
    ['"it\'s \\"so\\" \\\\ \\n\\r\\t\\x00\\x1e\\x04"', 'it\'s "so" \\ \n\r\t\x00\x1e\x04'],
    ['"ünï €😀"', 'ünï €😀'],
    ['bytes(range(256))', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    ['bytearray(b"ab")', Buffer.from('ab')],
    ['b""', Buffer.alloc(0)],
    ['[1, (2, [3, ()]), []]', [1, [2, [3, []]], []]],
    ['{"a": {"b": [b"c", None]}, "d": 1}', { a: { b: [Buffer.from('c'), null] }, d: 1 }],
    ['{}', {}],
    ['{1: "int", None: "none", True: "bool"}', { 1: 'bool', None: 'none' }],
    ['{(1, "a"): 1, b"k": 2}', { "(1, 'a')": 1, "b'k'": 2 }],
    ['{2 ** 70: 1, (2 ** 70,): 2}', { '1180591620717411303424': 1, '(1180591620717411303424,)': 2 }],
    ['{"$int": "7", "$repr": 1}', { $int: '7', $repr: 1 }],
    ['{"__proto__": 1}', Object.fromEntries([['__proto__', 1]])],
    ['len', { repr: '<function>' }],
    ['range(3)', { repr: 'range(0, 3)' }],
    ['[object]', [{ repr: "<class 'object'>" }]],
  ];
  for (const [expression, expected] of cases) {
    it(expression.replaceAll('\\n', '⏎'), async () => {
      assert.deepEqual(await value(expression), expected);
    });
  }

  const sent: [string, unknown, string][] = [
    ['the infinities and NaN', [Infinity, -Infinity, NaN], '[inf, -inf, nan]'],
    ['a BigInt', 2n ** 70n, '1180591620717411303424'],
    ['a Map', new Map([[1, 'one']]), "{'1': 'one'}"],
    ['a Date', new Date(0), "'1970-01-01T00:00:00.000Z'"],
    ['undefined and null', [undefined, null], '[None, None]'],
    ['an ArrayBuffer', Uint8Array.of(1, 255).buffer, "b'\\x01\\xff'"],
  ];
  for (const [what, given, shown] of sent) {
    it(`of JavaScript: ${what}`, async () => {
      assert.equal(await call(repl, 'repr', [given], {}, { timeoutMs: 10_000 }), shown);
    });
  }

  it('that is a dict with keys alike in JSON is told as a whole', async () => {
    const { repr } = (await value('{1: "int", "1": "text"}')) as { repr: string };
    assert.match(repr, /1: 'int'/);
    assert.match(repr, /'1': 'text'/);
  });

  it('that something else prints into is told as confusion, not as a value', () => {
    const line = new ResultLine();
    line.push(Buffer.from('\x1e{"$int": "12tick\r\n3"}\r\n'));
    assert.throws(() => line.end(), failsWith('repl-confused'));
  });

  it('parts what an expression prints from its value', async () => {
    const pieces: Uint8Array[] = [];
    const onOutput = (bytes: Uint8Array): void => void pieces.push(bytes);
    const told = await evaluate(repl, 'print("a\\x1eb") or 5', { timeoutMs: 10_000, onOutput });
    assert.equal(told, 5);
    assert.equal(Buffer.concat(pieces).toString(), 'a\x1eb\r\n');
  });

  it('takes the expression as data: quotes, lines and marks of it do not become other code', async () => {
    assert.equal(await value(`'")))\\nprint("no")#' + """'"""`), `")))\nprint("no")#'`);
    assert.equal(await value('(1 +\n 2)'), 3);
    await assert.rejects(value('1\nprint("no")'), failsWith('python-error'));
    await assert.rejects(value('x = 1'), /SyntaxError/);
  });

  it('sees what earlier code left, and what it raises', async () => {
    await printed(repl, 'left = {"behind": 1}');
    assert.deepEqual(await value('left'), { behind: 1 });
    await assert.rejects(value('nowhere'), /NameError/);
    await assert.rejects(value('1/0'), /ZeroDivisionError/);
  });

  it('leaves names of programs alone', async () => {
    await printed(repl, 'def main(): return "mine"\ndef shape(): return "mine"\njson = "mine"');
    assert.deepEqual(await value('[main(), shape(), json]'), ['mine', 'mine', 'mine']);
    assert.equal(await printed(repl, 'print(main(), shape(), json)'), 'mine mine mine\r\n');
  });

  it('does not trust what a board tells as a value', () => {
    assert.deepEqual(pythonValue({ constructor: 'x' }), { constructor: 'x' });
    assert.deepEqual(pythonValue({ $int: 'no number' }), { $int: 'no number' });
    assert.deepEqual(pythonValue({ $dict: 7 }), { $dict: 7 });
    assert.deepEqual(pythonValue({}), {});
  });
});

describe('micropython: traceback as data', () => {
  const NESTED =
    'Traceback (most recent call last):\r\n' +
    '  File "main.py", line 12, in <module>\r\n' +
    '  File "lib/my driver.py", line 3, in read\r\n' +
    'OSError: [Errno 19] ENODEV\r\n';

  it('has type, message and frames, the innermost on top', () => {
    const { text, ...rest } = parseTraceback(NESTED);
    assert.deepEqual(rest, {
      type: 'OSError',
      message: '[Errno 19] ENODEV',
      file: 'lib/my driver.py',
      line: 3,
      function: 'read',
      frames: [
        { file: 'main.py', line: 12, function: '<module>' },
        { file: 'lib/my driver.py', line: 3, function: 'read' },
      ],
    });
    assert.equal(text, NESTED.replaceAll('\r\n', '\n').trimEnd());
  });

  it('takes frames without a function, and messages of no or several lines', () => {
    const syntax = parseTraceback(
      'Traceback (most recent call last):\r\n  File "<stdin>", line 2\r\nSyntaxError: invalid syntax\r\n',
    );
    assert.deepEqual(syntax.frames, [{ file: '<stdin>', line: 2 }]);
    assert.equal(syntax.function, undefined);
    const head = 'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\n';
    const summary = (raised: string): [string, string] => {
      const { type, message } = parseTraceback(head + raised);
      return [type, message];
    };
    assert.deepEqual(summary('KeyboardInterrupt: \r\n'), ['KeyboardInterrupt', '']);
    assert.deepEqual(summary('MemoryError\r\n'), ['MemoryError', '']);
    assert.deepEqual(summary('Exception\r\n'), ['Exception', '']);
    assert.deepEqual(summary('ValueError: one\r\ntwo: three\r\n'), ['ValueError', 'one\ntwo: three']);
    assert.deepEqual(summary('my.lib.Odd: x: y\r\n'), ['my.lib.Odd', 'x: y']);
  });

  it('keeps text that is no traceback as the message', () => {
    for (const text of ['', 'something else happened', '\x00\x01']) {
      const { type, message, frames } = parseTraceback(text);
      assert.deepEqual({ type, message, frames }, { type: 'Exception', message: text, frames: [] });
    }
  });
});
