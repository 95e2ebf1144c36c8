/** Programs run by the mp repl node, how they end, and those that wait, in a real Node-RED on a virtual board. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withReplNodes } from '../support/repl-nodes.ts';
import type { Facts, Seen } from '../support/runtime.ts';

describe('mp repl that runs programs', function () {
  this.timeout(60_000);
  const bench = withReplNodes();

  describe('run', () => {
    it('gives output and exception as data', async () => {
      const node = await bench.load('run');
      const source = 'print("before")\ndef f():\n  1 / 0\nf()';
      const result = await node.payload<Facts>({ payload: source });
      assert.equal(result['stdout'], 'before\n');
      const { type, line, function: name, frames } = result['error'] as Facts;
      const found = { type, line, name, frames: (frames as unknown[]).length };
      assert.deepEqual(found, { type: 'ZeroDivisionError', line: 3, name: 'f', frames: 2 });
      assert.equal(node.lastStatus?.fill, 'red');
      const broken = await node.payload<Facts>({ payload: 'x = = 1' });
      assert.equal((broken['error'] as Facts)['type'], 'SyntaxError');
    });

    it('runs a file of this machine, with params', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'mp-repl-'));
      try {
        const path = join(folder, 'hello.py');
        await writeFile(path, 'print("hello", params["who"])\n');
        const node = await bench.load('run');
        assert.deepEqual(await node.payload({ payload: path, params: { who: 'you' } }), {
          stdout: 'hello you\n',
        });
        assert.equal((await node.diagnosis({ payload: join(folder, 'other.py') })).code, 'source-unreadable');
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('tells apart what ends a run', async () => {
      const node = await bench.load('run');
      const code = async (source: string): Promise<unknown> =>
        (await node.diagnosis({ payload: source })).code;
      assert.equal(await code('raise SystemExit'), 'soft-reset');
      assert.equal(await code('import machine\nmachine.soft_reset()'), 'soft-reset');
      assert.equal(await code('import machine\nmachine.reset()'), 'board-restarted');
      assert.equal((await node.diagnosis({ payload: 'while True: pass', timeout: 0.3 })).code, 'run-timeout');
      assert.deepEqual(await node.payload({ payload: 'print(1)' }), { stdout: '1\n' });
    });

    it('ends where the board is reset or unplugged in the middle, and the next runs', async () => {
      const node = await bench.load('run');
      const mishaps: [string, () => Promise<void>][] = [
        ['board-restarted', () => bench.board.pressEn()],
        ['port-lost', () => bench.board.unplug({ ms: 300 })],
      ];
      for (const [code, mishap] of mishaps) {
        const running = node.send({ payload: 'print("on")\nwhile True: pass' });
        await node.untilMeanwhile(({ payload: text }) => text === 'on\n');
        node.meanwhile.length = 0;
        await mishap();
        assert.equal((await running).caught?.diagnosis?.code, code);
        assert.equal(await node.payload({ mode: 'evaluate', payload: '1 + 1' }), 2);
      }
    });

    it('takes what looks like a prompt, an end or a restart for output', async () => {
      const node = await bench.load('run');
      const odd = [
        '>>> ',
        '\x04',
        '\x04\x04',
        '\x04>',
        '\x04\x04>',
        'raw REPL; CTRL-B to exit',
        'OK\x04',
        'MPY: soft reboot',
        'rst:0x1 (X),boot:0x13',
        'Traceback (most recent call last):',
      ];
      for (const text of odd) {
        const source = `print(${JSON.stringify(text)})\nprint("end")`;
        assert.deepEqual(await node.payload({ payload: source }), { stdout: `${text}\nend\n` }, text);
      }
    });

    it('lets main.py run again afterwards', async () => {
      const node = await bench.load('run', { after: 'soft-reset' });
      const listener = await node.send({
        payload: 'f = open("main.py", "w")\nf.write("x = 6 * 7")\nf.close()',
      });
      assert.ok(listener.result);
      assert.equal(await node.payload({ mode: 'evaluate', payload: 'x', after: 'nothing' }), 42);
      await node.payload({ payload: 'import os\nos.remove("main.py")', after: 'nothing' });
    });

    it('is cancelled by a message, and the next runs', async () => {
      const node = await bench.load('run');
      const long = node.send({ payload: 'print("on")\nwhile True: pass' });
      await node.untilMeanwhile(({ topic, payload: text }) => topic === 'console' && text === 'on\n');
      node.receive({ cancel: true });
      assert.equal((await long).caught?.diagnosis?.code, 'cancelled');
      assert.deepEqual(await node.payload({ payload: 'print(2)' }), { stdout: '2\n' });
    });

    it('is cancelled by the text of true, too; a cancel that finds nothing says so', async () => {
      const node = await bench.load('run');
      const long = node.send({ payload: 'print("on")\nwhile True: pass' });
      await node.untilMeanwhile(({ topic, payload: text }) => topic === 'console' && text === 'on\n');
      const misses = (): number =>
        node.statuses.filter(({ text }) => text?.includes('nothing-to-cancel')).length;
      node.receive({ cancel: 'no such id' });
      node.receive({ cancel: 'true' });
      assert.equal((await long).caught?.diagnosis?.code, 'cancelled');
      assert.equal(misses(), 1);
      // Neither is a cancel.
      for (const cancel of ['', 'false'])
        assert.deepEqual(await node.payload({ payload: 'print(3)', cancel }), { stdout: '3\n' });
      node.receive({ cancel: true });
      await node.payload({ payload: 'print(4)' });
      assert.equal(misses(), 2);
    });
  });

  describe('requests in a queue', () => {
    it('are cancelled one by one, or all', async () => {
      const node = await bench.load('run');
      for (const id of ['first', 'second', 'third'])
        node.receive({ _msgid: id, payload: `print("${id}")\n${id === 'first' ? 'while True: pass' : ''}` });
      await node.untilMeanwhile(({ payload: text }) => text === 'first\n');
      const isOf = (id: string) => (msg: Seen) => msg['_msgid'] === id;
      node.receive({ cancel: 'second' });
      await node.untilFailure(isOf('second'));
      node.receive({ cancel: 'first' });
      await node.untilResult(isOf('third'));
      const failed = node.failures.map((msg) => [msg['_msgid'], msg.diagnosis?.code]);
      assert.deepEqual(failed, [
        ['second', 'cancelled'],
        ['first', 'cancelled'],
      ]);
      assert.deepEqual(
        node.results.map((msg) => msg.payload),
        [{ stdout: 'third\n' }],
      );
    });
  });
});
