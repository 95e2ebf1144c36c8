/** The mp repl node in all its modes, in a real Node-RED, on a virtual board that runs MicroPython. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeUnderTest, withRuntime } from '../support/runtime.ts';
import type { Seen } from '../support/runtime.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

type Payload = Record<string, unknown>;

describe('mp repl', function () {
  this.timeout(60_000);
  withRuntime();
  let board: VirtualBoard;
  before(async () => {
    board = await launchBoard({ timing: 'none', bootMs: 0 });
  });
  after(() => board.close());

  const load = (mode: string, settings: object = {}): Promise<NodeUnderTest> =>
    NodeUnderTest.load('mp-repl', board.rfc2217, { mode, timeout: '10', ...settings });
  const payload = async (node: NodeUnderTest, msg: Seen): Promise<unknown> => {
    const { result, caught } = await node.send(msg);
    assert.equal(caught?.diagnosis, undefined);
    return result?.payload;
  };
  const diagnosis = async (node: NodeUnderTest, msg: Seen): Promise<Payload> =>
    (await node.send(msg)).caught?.diagnosis as unknown as Payload;

  /** A program at the prompt that nobody started through a job. */
  const startProgram = async (lines: string): Promise<void> => {
    const node = await load('line', { quiet: '100' });
    await payload(node, { payload: lines });
  };

  describe('evaluate', () => {
    it('takes values of the message as data', async () => {
      const node = await load('evaluate');
      const params = {
        gain: 3,
        bytes: Buffer.from([1, 2, 255]),
        none: null,
        'quote"': "it's",
        nested: [{ a: 1.5 }],
      };
      assert.deepEqual(await payload(node, { payload: 'params', params }), params);
      assert.equal(await payload(node, { payload: 'params["gain"] * 2', params }), 6);
    });

    it('hands an exception to Catch nodes, with file, line and frames', async () => {
      const node = await load('evaluate');
      const { code, evidence } = await diagnosis(node, { payload: '[][1]' });
      assert.equal(code, 'python-error');
      assert.equal((evidence as Payload)['type'], 'IndexError');
    });
  });

  describe('call', () => {
    it('calls functions of the program, of modules, and built in', async () => {
      const node = await load('call');
      const source =
        'class Led:\n  def set(self, r, g=0, *, fade=False):\n    return (r, g, fade)\nled = Led()';
      await payload(node, { mode: 'run', payload: source });
      const call = (msg: Seen): Promise<unknown> => payload(node, msg);
      assert.deepEqual(await call({ function: 'led.set', args: [255, 7], kwargs: { fade: true } }), [
        255,
        7,
        true,
      ]);
      assert.deepEqual(await call({ function: 'led.set', args: 5 }), [5, 0, false]);
      assert.deepEqual(await call({ function: 'os.listdir', args: ['/'] }), ['boot.py']);
      assert.equal(await call({ function: 'sum', args: [[1, 2, 3]] }), 6);
      const { evidence } = await diagnosis(node, { function: 'led.blink' });
      assert.equal((evidence as Payload)['type'], 'AttributeError');
    });

    it('never takes a value for code', async () => {
      const node = await load('call');
      const nasty = `'"); import os; os.remove("boot.py") #\n\x03\x04\x1e{}`;
      assert.equal(await payload(node, { function: 'str', args: [nasty] }), nasty);
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      assert.deepEqual(await payload(node, { function: 'bytes', args: [bytes] }), bytes);
      assert.equal((await diagnosis(node, { function: 'print("x")' }))['code'], 'bad-property');
      const circle: Payload = {};
      circle['self'] = circle;
      assert.equal((await diagnosis(node, { function: 'str', args: [circle] }))['code'], 'value-too-deep');
    });

    it('uses what the node is set to', async () => {
      const settings = { function: 'max', functionType: 'str', args: '[3, 9, 4]', argsType: 'json' };
      const node = await load('call', settings);
      assert.equal(await payload(node, {}), 9);
    });
  });

  describe('run', () => {
    it('gives output and exception as data', async () => {
      const node = await load('run');
      const source = 'print("before")\ndef f():\n  1 / 0\nf()';
      const result = (await payload(node, { payload: source })) as Payload;
      assert.equal(result['stdout'], 'before\n');
      const { type, line, function: name, frames } = result['error'] as Payload;
      const found = { type, line, name, frames: (frames as unknown[]).length };
      assert.deepEqual(found, { type: 'ZeroDivisionError', line: 3, name: 'f', frames: 2 });
      assert.equal(node.lastStatus?.fill, 'red');
      const broken = (await payload(node, { payload: 'x = = 1' })) as Payload;
      assert.equal((broken['error'] as Payload)['type'], 'SyntaxError');
    });

    it('runs a file of this machine, with params', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'mp-repl-'));
      try {
        const path = join(folder, 'hello.py');
        await writeFile(path, 'print("hello", params["who"])\n');
        const node = await load('run');
        assert.deepEqual(await payload(node, { payload: path, params: { who: 'you' } }), {
          stdout: 'hello you\n',
        });
        assert.equal(
          (await diagnosis(node, { payload: join(folder, 'other.py') }))['code'],
          'source-unreadable',
        );
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('tells apart what ends a run', async () => {
      const node = await load('run');
      const code = async (source: string): Promise<unknown> =>
        (await diagnosis(node, { payload: source }))['code'];
      assert.equal(await code('raise SystemExit'), 'soft-reset');
      assert.equal(await code('import machine\nmachine.soft_reset()'), 'soft-reset');
      assert.equal(await code('import machine\nmachine.reset()'), 'board-restarted');
      assert.equal(
        (await diagnosis(node, { payload: 'while True: pass', timeout: 0.3 }))['code'],
        'run-timeout',
      );
      assert.deepEqual(await payload(node, { payload: 'print(1)' }), { stdout: '1\n' });
    });

    it('ends where the board is reset or unplugged in the middle, and the next runs', async () => {
      const node = await load('run');
      const mishaps: [string, () => Promise<void>][] = [
        ['board-restarted', () => board.pressEn()],
        ['port-lost', () => board.unplug({ ms: 300 })],
      ];
      for (const [code, mishap] of mishaps) {
        const running = node.send({ payload: 'print("on")\nwhile True: pass' });
        await node.untilMeanwhile(({ payload: text }) => text === 'on\n');
        node.meanwhile.length = 0;
        await mishap();
        assert.equal((await running).caught?.diagnosis?.code, code);
        assert.equal(await payload(node, { mode: 'evaluate', payload: '1 + 1' }), 2);
      }
    });

    it('takes what looks like a prompt, an end or a restart for output', async () => {
      const node = await load('run');
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
        assert.deepEqual(await payload(node, { payload: source }), { stdout: `${text}\nend\n` }, text);
      }
    });

    it('lets main.py run again afterwards', async () => {
      const node = await load('run', { after: 'soft-reset' });
      const listener = await node.send({
        payload: 'f = open("main.py", "w")\nf.write("x = 6 * 7")\nf.close()',
      });
      assert.ok(listener.result);
      assert.equal(await payload(node, { mode: 'evaluate', payload: 'x', after: 'nothing' }), 42);
      await payload(node, { payload: 'import os\nos.remove("main.py")', after: 'nothing' });
    });

    it('is cancelled by a message, and the next runs', async () => {
      const node = await load('run');
      const long = node.send({ payload: 'print("on")\nwhile True: pass' });
      await node.untilMeanwhile(({ topic, payload: text }) => topic === 'console' && text === 'on\n');
      node.receive({ cancel: true });
      assert.equal((await long).caught?.diagnosis?.code, 'cancelled');
      assert.deepEqual(await payload(node, { payload: 'print(2)' }), { stdout: '2\n' });
    });
  });

  describe('requests in a queue', () => {
    it('are cancelled one by one, or all', async () => {
      const node = await load('run');
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

  describe('line', () => {
    it('is answered by the prompt and by a running program, which goes on', async () => {
      const node = await load('line', { quiet: '150' });
      assert.equal(await payload(node, { payload: '6 * 7' }), '42');
      assert.equal(await payload(node, { payload: 'while True: print("got", input())\r'.trim() }), '... ');
      await payload(node, { payload: '' });
      assert.match(String(await payload(node, { payload: 'one' })), /got one/);
      assert.match(String(await payload(node, { payload: 'two', until: 'got two' })), /got two/);
      assert.match(String(await payload(node, { payload: 'drei ü', until: '/got .*drei/i' })), /^got drei/);
      assert.equal((await diagnosis(node, { payload: 'a\nb' }))['code'], 'bad-payload');
      assert.equal((await diagnosis(node, { payload: 'a', until: '/(/' }))['code'], 'bad-property');
      await payload(node, { mode: 'control', action: 'interrupt' });
    });
  });

  describe('a running program', () => {
    it('is left alone where it must be, and the message says when it may', async () => {
      await startProgram('while True: __import__("time").sleep_ms(10)');
      await startProgram('');
      await startProgram('');
      const never = await load('evaluate', { interrupt: 'never' });
      assert.equal((await diagnosis(never, { payload: '1', interrupt: true }))['code'], 'program-running');
      const ask = await load('evaluate', { interrupt: 'ask' });
      assert.equal((await diagnosis(ask, { payload: '1' }))['code'], 'program-running');
      assert.equal(await payload(ask, { payload: '1 + 1', interrupt: true }), 2);
      const polite = await load('evaluate', { interrupt: 'never' });
      assert.equal(await payload(polite, { payload: '1 + 2' }), 3);
    });
  });

  describe('listen', () => {
    const line = (text: unknown) => (msg: Seen) => msg['topic'] === 'line' && msg.payload === text;
    const state = (name: string) => (msg: Seen) =>
      msg['topic'] === 'state' && (msg.payload as Payload)['state'] === name;

    it('hands on every line without a message, through a flash and an unplugged board', async () => {
      const node = await load('listen');
      await node.untilMeanwhile(state('live'));
      const source = 'for i in range(200): print("zähl €😀", i)';
      assert.ok((await node.send({ mode: 'run', payload: source })).result);
      await node.untilResult(line('zähl €😀 199'));
      const counted = node.results.filter(({ topic }) => topic === 'line').map(({ payload: text }) => text);
      assert.deepEqual(
        counted,
        Array.from({ length: 200 }, (_, i) => `zähl €😀 ${i}`),
      );
      await board.unplug({ ms: 300 });
      await node.untilMeanwhile(state('gone'));
      node.meanwhile.length = 0;
      await node.untilMeanwhile(state('live'));
      await board.pressEn();
      await node.untilResult(({ payload: text }) => String(text).startsWith('MicroPython v'));
    });

    it('hands on JSON as values, and other lines apart', async () => {
      const node = await load('listen', { format: 'json' });
      await node.untilMeanwhile(state('live'));
      await node.send({
        mode: 'run',
        payload: 'import json\nprint(json.dumps({"t": 21.5}))\nprint("no json")',
      });
      await node.untilMeanwhile(({ topic, payload: text }) => topic === 'console' && text === 'no json');
      assert.ok(node.results.some(({ payload: value }) => (value as Payload | undefined)?.['t'] === 21.5));
    });

    it('finds the line behind the prompts that jobs left', async () => {
      const node = await load('listen', { format: 'json' });
      await node.untilMeanwhile(state('live'));
      for (let i = 0; i < 3; i++) await node.send({ mode: 'control', action: 'interrupt' });
      const timer = `import machine\nmachine.Timer(0).init(mode=machine.Timer.ONE_SHOT, period=1500, callback=lambda t: print('{"t": 1}'))`;
      await node.send({ mode: 'run', payload: timer });
      await node.untilResult(({ payload: value }) => (value as Payload | undefined)?.['t'] === 1);
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
      const settings = { mode: 'listen', timeout: '10' };
      const node = await NodeUnderTest.load('mp-repl', board.rfc2217, settings, {}, others);
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
      const listener = await NodeUnderTest.load(
        'mp-repl',
        board.rfc2217,
        { mode: 'listen', timeout: '10' },
        {},
        [
          {
            id: 'flash-id',
            type: 'esp32-flash',
            board: 'board-id',
            operation: 'flash',
            firmware: 'payload',
            firmwareType: 'msg',
            erase: 'needed',
          },
        ],
      );
      await listener.untilMeanwhile(state('live'));
      listener.receiveAt('flash-id', { payload: Buffer.from(demoImage({ seed: 4 }).bytes) });
      await listener.untilMeanwhile(state('paused'));
      listener.meanwhile.length = 0;
      await listener.untilMeanwhile(state('live'));
      await listener.untilResult(({ payload: text }) => String(text).startsWith('MicroPython v'));
    });
  });

  describe('control', () => {
    it('restarts, interrupts and rescues', async () => {
      const node = await load('control');
      const action = async (name: string): Promise<unknown> =>
        ((await payload(node, { action: name })) as Payload)['started'];
      for (const name of ['interrupt', 'soft-reset', 'soft-reset-no-main', 'hard-reset'])
        assert.equal(await action(name), 'prompt', name);
      for (const line of ['while True: pass', '', '']) await node.send({ mode: 'line', payload: line });
      const interrupted = (await payload(node, { action: 'interrupt' })) as Payload;
      assert.deepEqual(interrupted['steps'], ['interrupt']);
      const rescued = (await payload(node, { action: 'rescue' })) as Payload;
      assert.deepEqual(rescued['renamed'], []);
      const { caught } = await node.send({ action: 'explode' });
      assert.equal(caught?.diagnosis?.code, 'bad-property');
      const loader = (await payload(node, { action: 'loader' })) as Payload;
      assert.equal(loader['chip'], 'ESP32');
      assert.equal(await action('hard-reset'), 'prompt');
    });
  });
});
