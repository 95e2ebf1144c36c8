/** The mp repl node with what runs on a board already: lines typed to it, left alone, ended; on a virtual board. */
import assert from 'node:assert/strict';
import { withReplNodes } from '../support/repl-nodes.ts';
import { keepBusy } from '../support/runtime.ts';
import type { Facts } from '../support/runtime.ts';

describe('mp repl and what runs already', function () {
  this.timeout(60_000);
  const bench = withReplNodes();

  describe('line', () => {
    it('is answered by the prompt and by a running program, which goes on', async () => {
      const node = await bench.load('line', { quiet: '1500' });
      assert.equal(await node.payload({ payload: '6 * 7' }), '42');
      assert.equal(await node.payload({ payload: 'while True: print("got", input())\r'.trim() }), '... ');
      await node.payload({ payload: '' });
      assert.match(String(await node.payload({ payload: 'one' })), /got one/);
      assert.match(String(await node.payload({ payload: 'two', until: 'got two' })), /got two/);
      assert.match(String(await node.payload({ payload: 'drei ü', until: '/got .*drei/i' })), /^got drei/);
      assert.equal((await node.diagnosis({ payload: 'a\nb' })).code, 'bad-payload');
      assert.equal((await node.diagnosis({ payload: 'a', until: '/(/' })).code, 'bad-property');
      for (const wrong of [{ quiet: 'abc' }, { timeout: -3 }])
        assert.equal((await node.diagnosis({ payload: 'a', ...wrong })).code, 'bad-property');
      await node.payload({ mode: 'control', action: 'interrupt' });
    });
  });

  describe('a running program', () => {
    it('is left alone where it must be, and the message says when it may', async () => {
      await keepBusy(bench.board.rfc2217);
      const never = await bench.load('evaluate', { interrupt: 'never' });
      assert.equal((await never.diagnosis({ payload: '1', interrupt: true })).code, 'program-running');
      const ask = await bench.load('evaluate', { interrupt: 'ask' });
      assert.equal((await ask.diagnosis({ payload: '1' })).code, 'program-running');
      assert.equal(await ask.payload({ payload: '1 + 1', interrupt: true }), 2);
      const polite = await bench.load('evaluate', { interrupt: 'never' });
      assert.equal(await polite.payload({ payload: '1 + 2' }), 3);
    });
  });

  describe('control', () => {
    it('restarts, interrupts and rescues', async () => {
      const node = await bench.load('control');
      const action = async (name: string): Promise<unknown> =>
        (await node.payload<Facts>({ action: name }))['started'];
      for (const name of ['interrupt', 'soft-reset', 'soft-reset-no-main', 'hard-reset'])
        assert.equal(await action(name), 'prompt', name);
      for (const line of ['while True: pass', '', '']) await node.send({ mode: 'line', payload: line });
      const interrupted = await node.payload<Facts>({ action: 'interrupt' });
      assert.equal((interrupted['steps'] as string[])[0], 'interrupt');
      const rescued = await node.payload<Facts>({ action: 'rescue' });
      assert.deepEqual(rescued['renamed'], []);
      assert.equal((await node.diagnosis({ action: 'explode' })).code, 'bad-property');
      const loader = await node.payload<Facts>({ action: 'loader' });
      assert.equal(loader['chip'], 'ESP32');
      assert.equal(await action('hard-reset'), 'prompt');
    });

    it('does not show as done a restart of which nothing was heard', async () => {
      const node = await bench.load('control');
      await bench.board.fault({ kind: 'drop', every: 1, direction: 'to-host' });
      const { started } = await node.payload<Facts>({ action: 'hard-reset' });
      await bench.board.clearFaults();
      assert.deepEqual([started, node.statuses.at(-1)?.fill], ['silent', 'yellow']);
    });
  });
});
