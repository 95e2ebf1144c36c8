/** The mp repl node asked for values, in a real Node-RED, on a virtual board that runs MicroPython. */
import assert from 'node:assert/strict';
import { withReplNodes } from '../support/repl-nodes.ts';
import type { Seen } from '../support/runtime.ts';

describe('mp repl asked for values', function () {
  this.timeout(60_000);
  const bench = withReplNodes();

  describe('evaluate', () => {
    it('takes values of the message as data', async () => {
      const node = await bench.load('evaluate');
      const params = {
        gain: 3,
        bytes: Buffer.from([1, 2, 255]),
        none: null,
        'quote"': "it's",
        nested: [{ a: 1.5 }],
      };
      assert.deepEqual(await node.payload({ payload: 'params', params }), params);
      assert.equal(await node.payload({ payload: 'params["gain"] * 2', params }), 6);
    });

    it('hands an exception to Catch nodes, with file, line and frames', async () => {
      const node = await bench.load('evaluate');
      const { code, evidence } = await node.diagnosis({ payload: '[][1]' });
      assert.equal(code, 'python-error');
      assert.equal(evidence['type'], 'IndexError');
    });
  });

  describe('call', () => {
    it('calls functions of the program, of modules, and built in', async () => {
      const node = await bench.load('call');
      const source =
        'class Led:\n  def set(self, r, g=0, *, fade=False):\n    return (r, g, fade)\nled = Led()';
      await node.payload({ mode: 'run', payload: source });
      const call = (msg: Seen): Promise<unknown> => node.payload(msg);
      assert.deepEqual(await call({ function: 'led.set', args: [255, 7], kwargs: { fade: true } }), [
        255,
        7,
        true,
      ]);
      assert.deepEqual(await call({ function: 'led.set', args: 5 }), [5, 0, false]);
      assert.deepEqual(await call({ function: 'os.listdir', args: ['/'] }), ['boot.py']);
      assert.equal(await call({ function: 'sum', args: [[1, 2, 3]] }), 6);
      const { evidence } = await node.diagnosis({ function: 'led.blink' });
      assert.equal(evidence['type'], 'AttributeError');
    });

    it('never takes a value for code', async () => {
      const node = await bench.load('call');
      const nasty = `'"); import os; os.remove("boot.py") #\n\x03\x04\x1e{}`;
      assert.equal(await node.payload({ function: 'str', args: [nasty] }), nasty);
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      assert.deepEqual(await node.payload({ function: 'bytes', args: [bytes] }), bytes);
      assert.equal((await node.diagnosis({ function: 'print("x")' })).code, 'bad-property');
      const circle: Record<string, unknown> = {};
      circle['self'] = circle;
      assert.equal((await node.diagnosis({ function: 'str', args: [circle] })).code, 'value-too-deep');
    });

    it('uses what the node is set to', async () => {
      const settings = { function: 'max', functionType: 'str', args: '[3, 9, 4]', argsType: 'json' };
      const node = await bench.load('call', settings);
      assert.equal(await node.payload({}), 9);
    });
  });
});
