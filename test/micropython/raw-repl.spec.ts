/** Getting hold of the interpreter, whatever it is doing, and running code in it. */
import assert from 'node:assert/strict';
import { Inbox } from '../../lib/transport/inbox.ts';
import { failsWith } from '../support/failures.ts';
import { MicroPythonBoard, printed } from '../support/micropython-board.ts';

const soon = { timeoutMs: 10_000 };

/** Every try takes its time on a silent board: it is asked beside the other tests. */
async function enterSilent(): Promise<void> {
  const mp = await MicroPythonBoard.start();
  try {
    await new Inbox(mp.transport).until('>>> ', soon);
    await mp.board.fault({ kind: 'silent' });
    await mp.repl();
  } finally {
    await mp.close();
  }
}

describe('micropython: raw REPL entered', () => {
  let mp: MicroPythonBoard;
  let silent: Promise<void>;
  before(async () => {
    silent = enterSilent();
    // Its own test looks at what came of it.
    silent.catch(() => undefined);
    mp = await MicroPythonBoard.start();
  });
  after(() => mp.close());

  const type = (text: string): Promise<void> => mp.transport.write(Buffer.from(text, 'latin1'));
  const answers = async (): Promise<void> => {
    assert.equal(await mp.output('print(6 * 7)'), '42\r\n');
  };

  it('while the board boots', async () => {
    await mp.board.pressEn();
    await answers();
  });

  it('at the friendly prompt, with a half-typed line', async () => {
    await (await mp.repl()).leave();
    await type('x = (1 + ');
    await answers();
  });

  it('in the raw REPL already', async () => {
    await mp.repl();
    await answers();
  });

  it('with code typed into the raw REPL that was not run', async () => {
    await mp.repl();
    await type('print("left over")');
    await answers();
  });

  it('while a program prints without end', async () => {
    const inbox = new Inbox(mp.transport);
    await (await mp.repl()).leave();
    inbox.attach();
    await type('while True: print("on and on")\r\r\r');
    await inbox.until('on and on\r\non and on\r\n', soon);
    await answers();
  });

  it('while a program catches one Ctrl-C', async () => {
    const repl = await mp.repl();
    await repl.begin(
      'import time\ntry:\n  while True: time.sleep_ms(10)\nexcept KeyboardInterrupt:\n  while True: time.sleep_ms(10)',
    );
    await answers();
  });

  it('in the middle of a raw paste that was cut off', async () => {
    await mp.repl();
    const inbox = new Inbox(mp.transport);
    await type('\x05A\x01');
    await inbox.until(Uint8Array.of(0x52, 1, 128, 0, 1), soon);
    await type('print("half');
    await answers();
  });

  it('in paste mode of the friendly prompt', async () => {
    await (await mp.repl()).leave();
    const inbox = new Inbox(mp.transport);
    await type('\x05');
    await inbox.until('=== ', soon);
    await type('print(1)\r');
    await answers();
  });

  it('while a program prints what looks like a raw REPL', async () => {
    const inbox = new Inbox(mp.transport);
    await (await mp.repl()).leave();
    inbox.attach();
    await type('while True: print("raw REPL; CTRL-B to exit\\n>", end="")\r\r\r');
    await inbox.until('exit\r\n>raw REPL', soon);
    await answers();
  });

  it('with noise before the banner', async () => {
    const repl = await mp.repl();
    await repl.begin('import sys\nsys.stdout.buffer.write(bytes(range(256)) * 8)');
    await answers();
  });

  it('at a prompt of its own, and by a timer that prints at any time', async () => {
    const repl = await mp.repl();
    await repl.run('import sys\nsys.ps1 = "--> "', soon);
    assert.equal(Buffer.from(await repl.leave()).toString(), '--> ');
    await answers();
    const timer = 'import machine\nmachine.Timer(0).init(period=3, callback=lambda t: print("tick"))';
    await (await mp.repl()).run(timer, soon);
    for (let i = 0; i < 10; i++) assert.match(await mp.output(`print("${'x'.repeat(400)}")`), /x{400}\r\n/);
    await (await mp.repl()).run('machine.Timer(0).deinit()\nsys.ps1 = ">>> "', soon);
  });

  it('and leaves the board at its friendly prompt', async () => {
    const repl = await mp.repl();
    const inbox = new Inbox(mp.transport);
    await repl.leave();
    await inbox.until('>>> ', soon);
    await type('6 * 7\r');
    await inbox.until('42\r\n>>> ', soon);
  });

  it('not at all on a silent board: the error tells what was heard and tried', async () => {
    await assert.rejects(silent, (error: unknown) => {
      failsWith('no-prompt', { heard: 'nothing' })(error);
      assert.ok((error as { facts: { steps: string[] } }).facts.steps.includes('interrupt'));
      return true;
    });
  });
});

describe('micropython: code run in the raw REPL', () => {
  let mp: MicroPythonBoard;
  before(async () => {
    mp = await MicroPythonBoard.start();
  });
  after(() => mp.close());

  it('of 20 KB, by raw paste', async () => {
    const lines = Array.from({ length: 600 }, (_, i) => `values.append(${i})  # line of some length`);
    const source = ['values = []', ...lines, 'print(len(values), sum(values))'].join('\n');
    assert.ok(source.length > 20_000);
    assert.equal(await mp.output(source), `600 ${(599 * 600) / 2}\r\n`);
  });

  it('with lengths around a window of raw paste', async () => {
    const repl = await mp.repl();
    for (const length of [127, 128, 129, 255, 256, 257, 384]) {
      const source = `print(${length})#`.padEnd(length, '.');
      assert.equal(source.length, length);
      assert.equal(await printed(repl, source), `${length}\r\n`);
    }
  });

  it("with the bytes of the REPL's own keys in its strings", async () => {
    const repl = await mp.repl();
    const keys = '\x01\x02\x03\x04\x05';
    assert.equal(await printed(repl, `print([ord(c) for c in "${keys}"])`), '[1, 2, 3, 4, 5]\r\n');
    assert.equal(await printed(repl, `s = "ä€😀${keys}"\nprint(len(s), s[:3])`), '8 ä€😀\r\n');
  });

  it('with any characters, as they were written', async () => {
    const text = 'ünïcödé € 😀 \\ \t \x00 \x7f';
    const shown = await mp.output(
      `import binascii\nprint(binascii.hexlify(${JSON.stringify(text)}.encode()))`,
    );
    assert.equal(shown, `b'${Buffer.from(text).toString('hex')}'\r\n`);
  });

  it('prints bytes that are handed on in order, also where a character is cut', async () => {
    const repl = await mp.repl();
    const decoder = new TextDecoder('utf8', { fatal: true });
    let text = '';
    await repl.run('print("€ä😀" * 300)', {
      timeoutMs: 10_000,
      onOutput: (bytes) => (text += decoder.decode(bytes, { stream: true })),
    });
    assert.equal(text + decoder.decode(), `${'€ä😀'.repeat(300)}\r\n`);
  });

  it('fails with its traceback', async () => {
    const repl = await mp.repl();
    const source = 'print("before")\ndef f():\n  return 1 / 0\nf()';
    await assert.rejects(repl.run(source, soon), (error: unknown) => {
      failsWith('python-error')(error);
      const { text } = (error as { facts: { text: string } }).facts;
      assert.match(text, /Traceback[\s\S]*line 4, in <module>[\s\S]*line 3, in f[\s\S]*ZeroDivisionError/);
      return true;
    });
    assert.equal(await printed(repl, 'print("after")'), 'after\r\n');
  });

  it('fails by a syntax error in the middle of long source, and the next code runs', async () => {
    const repl = await mp.repl();
    const rest = Array.from({ length: 900 }, (_, i) => `y${i} = ${i}`).join('\n');
    await assert.rejects(repl.run(`x = 1\nx = = 2\n${rest}`, soon), (error: unknown) => {
      failsWith('python-error')(error);
      assert.match((error as Error).message, /line 2[\s\S]*SyntaxError/);
      return true;
    });
    assert.equal(await printed(repl, 'print("after")'), 'after\r\n');
  });

  it('fails by SystemExit and KeyboardInterrupt like by any other error, or ends', async () => {
    const repl = await mp.repl();
    await assert.rejects(repl.run('raise KeyboardInterrupt', soon), /KeyboardInterrupt/);
    assert.equal(await printed(repl, 'print(1)'), '1\r\n');
  });

  it('is interrupted when its time is over, and the next code runs', async () => {
    const repl = await mp.repl();
    await assert.rejects(
      repl.run('while True: pass', { timeoutMs: 200 }),
      failsWith('run-timeout', { timeoutMs: 200, interrupted: true }),
    );
    const endless = repl.run('n = 0\nwhile True:\n  n += 1\n  print(n)', { timeoutMs: 300 });
    await assert.rejects(endless, failsWith('run-timeout', { interrupted: true }));
    assert.equal(await printed(repl, 'print("after")'), 'after\r\n');
  });

  it('tells that the board restarted under it', async () => {
    const repl = await mp.repl();
    const run = repl.run('import machine\nprint("soon")\nmachine.reset()', soon);
    await assert.rejects(run, failsWith('board-restarted'));
    assert.equal(await mp.output('print("after")'), 'after\r\n');
  });

  it('ends at an abort, and the board can be had again', async () => {
    const stop = new AbortController();
    const repl = await mp.repl(stop.signal);
    const run = repl.run('import time\nwhile True: time.sleep_ms(5)', soon);
    stop.abort(new Error('enough'));
    await assert.rejects(run, /enough/);
    assert.equal(await mp.output('print("after")'), 'after\r\n');
  });
});
