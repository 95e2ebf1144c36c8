/** The main job in a real runtime: flash, ask, upload, on the virtual board through each of its doors. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { holds } from '../support/flash-board.ts';
import { NodeUnderTest, withRuntime } from '../support/runtime.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const FLASH = { firmware: 'payload', firmwareType: 'msg', erase: 'needed', offset: '' };
const image = demoImage();
const firmware = Buffer.from(image.bytes);

describe('flash, ask and upload over RFC 2217', function () {
  withRuntime();
  let board: VirtualBoard;
  before(async () => {
    board = await launchBoard({ firmware: 'none' });
  });
  after(() => board.close());

  it('flashes an empty board, which then runs MicroPython', async () => {
    const node = await NodeUnderTest.load('esp32-flash', board.rfc2217, FLASH);
    const { result, caught } = await node.send({ payload: firmware });
    assert.equal(caught?.diagnosis, undefined);
    const payload = result?.payload as Record<string, unknown>;
    assert.equal(payload['chip'], 'ESP32');
    assert.equal(payload['mac'], '24:0a:c4:12:34:56');
    assert.equal(payload['flashSize'], 4 * 1024 * 1024);
    assert.equal(payload['offset'], 0x1000);
    assert.equal(payload['bytes'], firmware.length);
    assert.equal(payload['started'], 'prompt');
    assert.match((payload['micropython'] as { version: string }).version, /^v1\.\d+/);
    assert.ok(await holds(board, image));
    assert.equal(node.lastStatus?.fill, 'green');
  });

  it('tells progress on output 2, from connecting to starting', async () => {
    const node = await NodeUnderTest.load('esp32-flash', board.rfc2217, FLASH);
    await node.send({ payload: Buffer.from(demoImage({ seed: 2 }).bytes) });
    const steps = node.meanwhile.map(
      (msg) => msg.payload as { phase: string; done?: number; total?: number },
    );
    const phases = [...new Set(steps.map(({ phase }) => phase))];
    assert.deepEqual(phases, [
      'connecting',
      'connected',
      'board',
      'comparing',
      'plan',
      'writing',
      'verifying',
      'starting',
    ]);
    const last = steps.filter(({ phase }) => phase === 'writing').at(-1);
    assert.equal(last?.done, last?.total);
    assert.ok(last?.total && last.total > firmware.length / 2);
  });

  it('erases files only when everything is erased', async () => {
    const upload = await NodeUnderTest.load('mp-upload', board.rfc2217, {
      filename: 'keep.txt',
      after: 'nothing',
    });
    assert.ok((await upload.send({ payload: 'kept' })).result);
    await reload(FLASH, { payload: firmware });
    assert.deepEqual(await listing(), ['boot.py', 'keep.txt']);
    await reload(FLASH, { payload: firmware, erase: 'all' });
    assert.deepEqual(await listing(), ['boot.py']);
  });

  async function reload(settings: object, msg: Record<string, unknown>): Promise<void> {
    const node = await NodeUnderTest.load('esp32-flash', board.rfc2217, settings);
    assert.ok((await node.send(msg)).result);
  }

  async function listing(): Promise<unknown> {
    const node = await NodeUnderTest.load('mp-repl', board.rfc2217, { mode: 'evaluate', timeout: '10' });
    const { result } = await node.send({ payload: "sorted(__import__('os').listdir('/'))" });
    return result?.payload;
  }

  it('gets 4 for 2 + 2', async () => {
    const node = await NodeUnderTest.load('mp-repl', board.rfc2217, { mode: 'evaluate', timeout: '10' });
    assert.equal((await node.send({ payload: '2 + 2' })).result?.payload, 4);
  });

  it('runs a program, its output live on output 2 and whole on output 1', async () => {
    const node = await NodeUnderTest.load('mp-repl', board.rfc2217, { mode: 'run', timeout: '10' });
    const { result } = await node.send({ payload: 'for i in range(3):\n    print("line", i)' });
    assert.deepEqual(result?.payload, { stdout: 'line 0\nline 1\nline 2\n' });
    const printed = node.meanwhile
      .filter((msg) => msg['topic'] === 'console')
      .map((msg) => String(msg.payload));
    assert.equal(printed.join(''), 'line 0\nline 1\nline 2\n');
  });

  it('writes main.py, and a soft reset runs it', async () => {
    const node = await NodeUnderTest.load('mp-upload', board.rfc2217, {
      filename: 'main.py',
      after: 'soft-reset',
    });
    const program = "print('Hello from main.py')\n";
    const { result } = await node.send({ payload: program });
    const payload = result?.payload as Record<string, unknown>;
    const sha256 = createHash('sha256').update(program).digest('hex');
    assert.deepEqual(payload['files'], [
      { path: '/main.py', bytes: program.length, sha256, action: 'created' },
    ]);
    assert.equal(payload['changed'], true);
    assert.equal(payload['started'], 'prompt');
    const printed = node.meanwhile
      .filter((msg) => msg['topic'] === 'console')
      .map((msg) => String(msg.payload));
    assert.match(printed.join(''), /^Hello from main\.py\nMicroPython v/);
  });

  it('makes folders, and takes names and bytes of every kind', async () => {
    const node = await NodeUnderTest.load('mp-upload', board.rfc2217, { filename: '', after: 'nothing' });
    const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 31) & 0xff));
    const filename = `/lib/dir with 'quotes"/ünï\\code.bin`;
    const { result } = await node.send({ payload: bytes, filename });
    const { files } = result?.payload as { files: { path: string }[] };
    assert.equal(files[0]?.path, filename);
    const read = await NodeUnderTest.load('mp-repl', board.rfc2217, { mode: 'evaluate', timeout: '10' });
    const back = await read.send({ payload: `open(${JSON.stringify(filename)}, 'rb').read()` });
    assert.deepEqual(back.result?.payload, bytes);
  });
});

describe('flash, ask and upload over a pty', function () {
  withRuntime();
  let board: VirtualBoard;
  before(async function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: the pty door is for Linux');
      this.skip();
    }
    board = await launchBoard({ firmware: 'none', rfc2217: false, pty: true });
  });
  after(() => board.close());

  it('asks for BOOT and EN where the port has no lines, flashes, and asks for EN', async () => {
    await pressBootAndEn();
    const node = await NodeUnderTest.load('esp32-flash', board.pty, FLASH);
    const { result, caught } = await node.send({ payload: firmware });
    assert.equal(caught?.diagnosis, undefined);
    assert.equal((result?.payload as Record<string, unknown>)['started'], 'press-en');
    assert.match(node.lastStatus?.text ?? '', /press-en/);
    assert.ok(await holds(board, image));
  });

  it('finds the stub that still runs, and flashes again', async () => {
    const node = await NodeUnderTest.load('esp32-flash', board.pty, FLASH);
    assert.ok((await node.send({ payload: firmware })).result);
  });

  it('goes on by itself when a person presses the buttons', async () => {
    await board.pressEn();
    const node = await NodeUnderTest.load('esp32-flash', board.pty, FLASH);
    const outcome = node.send({ payload: firmware });
    await untilStatus(node, /press-boot/);
    await pressBootAndEn();
    assert.ok((await outcome).result);
  });

  it('talks to the board after EN', async () => {
    await board.pressEn();
    const ask = await NodeUnderTest.load('mp-repl', board.pty, { mode: 'evaluate', timeout: '10' });
    const answer = await ask.send({ payload: '2 + 2' });
    assert.equal(answer.caught?.diagnosis, undefined);
    assert.equal(answer.result?.payload, 4);
    const write = await NodeUnderTest.load('mp-upload', board.pty, {
      filename: 'main.py',
      after: 'soft-reset',
    });
    const { result, caught } = await write.send({ payload: 'print("up")\n' });
    assert.equal(caught?.diagnosis, undefined);
    assert.ok(result);
    const printed = write.meanwhile.map((msg) => String(msg.payload)).join('');
    assert.match(printed, /up\n/);
  });

  /** As a person does: BOOT is held until the chip has started. */
  async function pressBootAndEn(): Promise<void> {
    const inLoader = board.nextEvent(({ name, facts }) => name === 'reset' && facts['download'] === true);
    await board.holdBoot(true);
    await board.pressEn();
    await inLoader;
    await board.holdBoot(false);
  }

  async function untilStatus(node: NodeUnderTest, text: RegExp): Promise<void> {
    while (!text.test(node.lastStatus?.text ?? '')) await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
