/** MicroPython's newest and oldest builds, as far as they run here: the whole way from entry to values. */
import assert from 'node:assert/strict';
import { call, evaluate } from '../../lib/micropython/answer.ts';
import { failsWith } from '../support/failures.ts';
import { MicroPythonBoard, printed } from '../support/micropython-board.ts';

const soon = { timeoutMs: 10_000 };

/** What SystemExit does in the raw REPL: newer ones restart the interpreter, older ones say nothing. */
const LEAVING = { newest: 'soft-reset', oldest: 'system-exit' } as const;

for (const [interpreter, code] of Object.entries(LEAVING) as [keyof typeof LEAVING, string][]) {
  describe(`micropython: its ${interpreter} build`, () => {
    let mp: MicroPythonBoard;
    before(async () => {
      mp = await MicroPythonBoard.start({ interpreter });
    });
    after(() => mp.close());

    it('is entered, and runs code that is longer than its windows', async () => {
      const repl = await mp.repl();
      const lines = Array.from({ length: 100 }, (_, i) => `total += ${i}`);
      assert.equal(await printed(repl, ['total = 0', ...lines, 'print(total)'].join('\n')), '4950\r\n');
      assert.match(await printed(repl, 'import sys\nprint(sys.version)'), /MicroPython v1\.\d+/);
    });

    it('tells values, and what it raised', async () => {
      const repl = await mp.repl();
      const values = '[1, 2 ** 70, 1.5, None, "ü€😀", b"\\x00\\xff", {"a": [True]}, len]';
      assert.deepEqual(await evaluate(repl, values, soon), [
        1,
        2n ** 70n,
        1.5,
        null,
        'ü€😀',
        Buffer.from([0, 255]),
        { a: [true] },
        { repr: '<function>' },
      ]);
      assert.equal(await call(repl, 'max', [[1, 5, 3]], {}, soon), 5);
      await assert.rejects(evaluate(repl, '1 / 0', soon), /ZeroDivisionError/);
    });

    it('takes 04 in output for output, is interrupted, is left, and starts anew', async () => {
      const repl = await mp.repl();
      let text = '';
      const onOutput = (bytes: Uint8Array): void => void (text += Buffer.from(bytes).toString());
      await repl.runProgram('print("a\\x04\\x04>b")', { ...soon, onOutput });
      assert.equal(text, 'a\x04\x04>b\r\n');
      await assert.rejects(
        repl.run('while True: pass', { timeoutMs: 200 }),
        failsWith('run-timeout', { interrupted: true }),
      );
      await repl.run('x = 1', soon);
      await repl.softReset(soon);
      await assert.rejects(repl.run('x', soon), /NameError/);
      await assert.rejects(repl.runProgram('raise SystemExit', soon), failsWith(code));
      assert.equal(await printed(repl, 'print(2)'), '2\r\n');
    });
  });
}
