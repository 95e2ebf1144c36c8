/**
 * What goes wrong for beginners: each is told by a code with words, in the status, at the Catch node; and
 * the next message works.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { openTransport } from '../../lib/transport/open.ts';
import { NodeUnderTest, withRuntime } from '../support/runtime.ts';
import type { Seen } from '../support/runtime.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const FLASH = { firmware: 'payload', firmwareType: 'msg', erase: 'needed', offset: '' };
const EVALUATE = { mode: 'evaluate', timeout: '10' };
const firmware = Buffer.from(demoImage().bytes);

/** The node is red, and the message at the Catch node carries the diagnosis. */
function assertDiagnosed(node: NodeUnderTest, caught: Seen | undefined, code: string): void {
  assert.equal(caught?.diagnosis?.code, code);
  assert.ok(caught.diagnosis.remedy.length > 0);
  assert.ok(caught.error?.message.includes(`${code}.cause`), caught.error?.message);
  assert.equal(node.lastStatus?.fill, 'red');
  assert.ok(node.lastStatus.text?.includes(`${code}.short`), node.lastStatus.text);
}

describe('bad input: the port', () => {
  withRuntime();

  it('no board chosen', async () => {
    const node = await NodeUnderTest.load('esp32-flash', 'COM1', { ...FLASH, board: '' });
    assertDiagnosed(node, (await node.send({ payload: firmware })).caught, 'no-board-chosen');
  });

  const PORTS: readonly [string, string][] = [
    ['', 'no-port-chosen'],
    ['http://board', 'bad-port-name'],
    ['/dev/ttyNOTTHERE', 'port-missing'],
    ['rfc2217://127.0.0.1:1', 'port-refused'],
    ['tcp://127.0.0.1:1', 'port-refused'],
    ['/dev/null', 'port-open-failed'],
  ];
  for (const [port, code] of PORTS) {
    it(`${code}: ${port || '(empty)'}`, async () => {
      for (const [type, settings] of [['esp32-flash', FLASH] as const, ['mp-repl', EVALUATE] as const]) {
        const node = await NodeUnderTest.load(type, port, settings);
        const payload = type === 'mp-repl' ? '2 + 2' : firmware;
        assertDiagnosed(node, (await node.send({ payload })).caught, code);
      }
    });
  }

  it('port-busy, and works once the other program has let go', async function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: the pty door is for Linux');
      this.skip();
    }
    const board = await launchBoard({ rfc2217: false, pty: true });
    try {
      const other = await openTransport(board.pty);
      const node = await NodeUnderTest.load('mp-repl', board.pty, EVALUATE);
      const { caught } = await node.send({ payload: '2 + 2' });
      assertDiagnosed(node, caught, 'port-busy');
      // It is this very process that has it.
      assert.equal(caught?.diagnosis?.evidence['pid'], process.pid);
      await other.close();
      assert.equal((await node.send({ payload: '2 + 2' })).result?.payload, 4);
    } finally {
      await board.close();
    }
  });

  it('no answer on the port: neither to the loader nor to the REPL', async () => {
    const silent = await listen();
    const port = `tcp://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    try {
      const flash = await NodeUnderTest.load('esp32-flash', port, FLASH, { connectTimeout: '1' });
      assertDiagnosed(flash, (await flash.send({ payload: firmware })).caught, 'no-answer');
      const repl = await NodeUnderTest.load('mp-repl', port, EVALUATE);
      const { caught } = await repl.send({ payload: '2 + 2' });
      assertDiagnosed(repl, caught, 'no-prompt');
      assert.equal(caught?.diagnosis?.evidence['heard'], 'nothing');
    } finally {
      silent.close();
    }
  });

  function listen(): Promise<Server> {
    return new Promise((resolve) => {
      const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1', () => resolve(server));
    });
  }
});

describe('bad input: the message', () => {
  withRuntime();
  let board: VirtualBoard;
  before(async () => {
    board = await launchBoard();
  });
  after(() => board.close());

  const FIRMWARE: readonly [string, unknown, string][] = [
    ['an empty Buffer', Buffer.alloc(0), 'image-empty'],
    ['a web page', Buffer.from('<!doctype html><title>404</title>'), 'image-not-esp'],
    ['half a download', firmware.subarray(0, firmware.length / 2), 'image-damaged'],
    ['a changed byte', changed(firmware), 'image-damaged'],
    ['another chip', Buffer.from(demoImage({ chip: 'esp32c3' }).bytes), 'image-wrong-chip'],
    ['a missing file', '/no/such/file.bin', 'source-unreadable'],
    ['a number', 42, 'source-unusable'],
    ['nothing', undefined, 'source-unusable'],
  ];
  for (const [what, payload, code] of FIRMWARE) {
    it(`firmware that is ${what}: ${code}, and nothing is erased`, async () => {
      const before = await board.readFlash(0, 0x20000);
      const node = await NodeUnderTest.load('esp32-flash', board.rfc2217, FLASH);
      assertDiagnosed(node, (await node.send({ payload })).caught, code);
      assert.deepEqual(await board.readFlash(0, 0x20000), before);
    });
  }

  it('an offset that contradicts the image, and one that is none', async () => {
    const node = await NodeUnderTest.load('esp32-flash', board.rfc2217, FLASH);
    const wrong = await node.send({ payload: firmware, offset: '0x0' });
    assertDiagnosed(node, wrong.caught, 'offset-contradicts-image');
    const none = await node.send({ payload: firmware, offset: 'here' });
    assertDiagnosed(node, none.caught, 'bad-property');
  });

  it('Python that raises, and the next message works', async () => {
    const node = await NodeUnderTest.load('mp-repl', board.rfc2217, EVALUATE);
    const { caught } = await node.send({ payload: '1 / 0' });
    assertDiagnosed(node, caught, 'python-error');
    assert.equal(caught?.diagnosis?.evidence['type'], 'ZeroDivisionError');
    assert.equal((await node.send({ payload: '2 + 2' })).result?.payload, 4);
  });

  it('a file name that cannot be one', async () => {
    const node = await NodeUnderTest.load('mp-upload', board.rfc2217, { filename: '', after: 'nothing' });
    const { caught } = await node.send({ payload: 'x' });
    assertDiagnosed(node, caught, 'bad-payload');
    assert.equal(caught?.diagnosis?.evidence['case'], 'empty');
    for (const filename of ['../main.py', 'lib/', '/', 'a//b']) {
      assertDiagnosed(node, (await node.send({ payload: 'x', filename })).caught, 'bad-file-name');
    }
  });

  it('a cancel in the middle of a job; the board then takes the next', async () => {
    const node = await NodeUnderTest.load('mp-repl', board.rfc2217, { mode: 'run', timeout: '20' });
    const outcome = node.send({ payload: 'print("up")\nwhile True:\n    pass' });
    await node.untilMeanwhile((msg) => msg['topic'] === 'console');
    node.receive({ cancel: true });
    assertDiagnosed(node, (await outcome).caught, 'cancelled');
    assert.deepEqual((await node.send({ payload: 'print(1)' })).result?.payload, { stdout: '1\n' });
  });

  it('a deploy in the middle of flashing; the next job works', async () => {
    const node = await NodeUnderTest.load('esp32-flash', board.rfc2217, FLASH);
    const outcome = node.send({ payload: Buffer.from(demoImage({ seed: 2 }).bytes) });
    await node.untilMeanwhile((msg) => (msg.payload as { phase?: string }).phase === 'writing');
    await node.redeploy({ name: 'changed' });
    assertDiagnosed(node, (await outcome).caught, 'board-closed');
    const again = await NodeUnderTest.load('esp32-flash', board.rfc2217, FLASH);
    assert.equal(((await again.send({ payload: firmware })).result?.payload as Seen)['started'], 'prompt');
  });
});

function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.length - 5000;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
