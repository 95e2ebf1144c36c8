/** What the mp repl node hears of a board around all that happens to it, in a real Node-RED on a virtual board. */
import assert from 'node:assert/strict';
import { withReplNodes } from '../support/repl-nodes.ts';
import type { Facts, Seen } from '../support/runtime.ts';
import { demoImage } from '../virtual-board/demo-image.ts';

describe('mp repl that listens', function () {
  this.timeout(60_000);
  const bench = withReplNodes();

  const line = (text: unknown) => (msg: Seen) => msg['topic'] === 'line' && msg.payload === text;
  const state = (name: string) => (msg: Seen) =>
    msg['topic'] === 'state' && (msg.payload as Facts)['state'] === name;

  it('hands on every line without a message, through a flash and an unplugged board', async () => {
    const node = await bench.load('listen');
    await node.untilMeanwhile(state('live'));
    const source = 'for i in range(200): print("zähl €😀", i)';
    assert.ok((await node.send({ mode: 'run', payload: source })).result);
    await node.untilResult(line('zähl €😀 199'));
    const counted = node.results.filter(({ topic }) => topic === 'line').map(({ payload: text }) => text);
    assert.deepEqual(
      counted,
      Array.from({ length: 200 }, (_, i) => `zähl €😀 ${i}`),
    );
    await bench.board.unplug({ ms: 300 });
    await node.untilMeanwhile(state('gone'));
    node.meanwhile.length = 0;
    await node.untilMeanwhile(state('live'));
    await bench.board.pressEn();
    await node.untilResult(({ payload: text }) => String(text).startsWith('MicroPython v'));
  });

  it('hands on JSON as values, and other lines apart', async () => {
    const node = await bench.load('listen', { format: 'json' });
    await node.untilMeanwhile(state('live'));
    await node.send({
      mode: 'run',
      payload: 'import json\nprint(json.dumps({"t": 21.5}))\nprint("no json")',
    });
    await node.untilMeanwhile(({ topic, payload: text }) => topic === 'console' && text === 'no json');
    assert.ok(node.results.some(({ payload: value }) => (value as Facts | undefined)?.['t'] === 21.5));
  });

  it('finds the line behind the prompts that jobs left', async () => {
    const node = await bench.load('listen', { format: 'json' });
    await node.untilMeanwhile(state('live'));
    for (let i = 0; i < 3; i++) await node.send({ mode: 'control', action: 'interrupt' });
    const timer = `import machine\nmachine.Timer(0).init(mode=machine.Timer.ONE_SHOT, period=1500, callback=lambda t: print('{"t": 1}'))`;
    await node.send({ mode: 'run', payload: timer });
    await node.untilResult(({ payload: value }) => (value as Facts | undefined)?.['t'] === 1);
  });

  it('is heard by every node that listens, around an upload', async () => {
    const others = [
      {
        id: 'other-id',
        type: 'mp-repl',
        board: 'board-id',
        mode: 'listen',
        timeout: '10',
        wires: [['caught-id'], []],
      },
      { id: 'upload-id', type: 'mp-upload', board: 'board-id', path: '/data.txt', pathType: 'str' },
    ];
    const node = await bench.load('listen', {}, others);
    await node.untilMeanwhile(state('live'));
    node.receiveAt('upload-id', { payload: Buffer.alloc(20_000, 'x'), filename: '/data.txt' });
    await node.untilMeanwhile(state('paused'));
    node.meanwhile.length = 0;
    await node.untilMeanwhile(state('live'));
    node.receive({
      mode: 'run',
      payload: 'import os\nprint("size", os.stat("/data.txt")[6])\nos.remove("/data.txt")',
    });
    await Promise.all([node.untilResult(line('size 20000')), node.untilFailure(line('size 20000'))]);
  });

  it('is paused by a flash, and goes on by itself', async () => {
    const flash = {
      id: 'flash-id',
      type: 'esp32-flash',
      board: 'board-id',
      operation: 'flash',
      firmware: 'payload',
      firmwareType: 'msg',
      erase: 'needed',
    };
    const listener = await bench.load('listen', {}, [flash]);
    await listener.untilMeanwhile(state('live'));
    listener.receiveAt('flash-id', { payload: Buffer.from(demoImage({ seed: 4 }).bytes) });
    await listener.untilMeanwhile(state('paused'));
    listener.meanwhile.length = 0;
    await listener.untilMeanwhile(state('live'));
    await listener.untilResult(({ payload: text }) => String(text).startsWith('MicroPython v'));
  });
});
