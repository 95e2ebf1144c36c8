import assert from 'node:assert/strict';
import { Bench, CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E } from './bench.ts';

describe('virtual board: MicroPython REPL', () => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench();
  });

  afterEach(() => {
    bench.stop();
  });

  it('greets as an ESP32 does on its first boot', async () => {
    const greeting = await bench.prompt();
    assert.match(
      greeting,
      /^Performing initial setup\r\nMicroPython v1\.27\.0 on [\d-]+; Generic ESP32 module with ESP32\r\nType "help\(\)" for more information\.\r\n>>> $/,
    );
  });

  it('keeps what is typed before the start and echoes it at the prompt', async () => {
    bench.send('print(6*7)\r');
    await bench.prompt();
    assert.equal(await bench.expect('42\r\n>>> '), 'print(6*7)\r\n42\r\n>>> ');
  });

  it('evaluates, prints with \\r\\n and prints tracebacks', async () => {
    await bench.prompt();
    assert.equal(await bench.line('2+2'), '4\r\n');
    assert.equal(await bench.line('print("a\\nb")'), 'a\r\nb\r\n');
    assert.equal(
      await bench.line('1/0'),
      'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nZeroDivisionError: divide by zero\r\n',
    );
  });

  it('says it is an ESP32', async () => {
    await bench.prompt();
    await bench.line('import sys,os,gc');
    assert.equal(await bench.line('sys.platform'), "'esp32'\r\n");
    assert.equal(await bench.line('sys.implementation._machine'), "'Generic ESP32 module with ESP32'\r\n");
    assert.match(
      await bench.line('os.uname()'),
      /^\(sysname='esp32', nodename='esp32', release='1\.27\.0', /,
    );
    assert.equal(await bench.line('50000 < gc.mem_free() < 200000'), 'True\r\n');
  });

  it('hides what no board has', async () => {
    await bench.prompt();
    for (const module of ['js', 'jsffi', '_board', 'setup', 'pathlib']) {
      assert.match(await bench.line(`import ${module}`), /ImportError: no module named/);
    }
    await bench.line('import os,sys');
    assert.equal(await bench.line('os.listdir("/"), sys.path'), "(['boot.py'], ['', '.frozen', '/lib'])\r\n");
  });

  it('runs code in raw mode', async () => {
    await bench.prompt();
    await bench.raw();
    bench.send(`print('hi')${CTRL_D}`);
    assert.equal(await bench.expect('\x04>'), 'OKhi\r\n\x04\x04>');
    bench.send(`raise ValueError(3)${CTRL_D}`);
    assert.equal(
      await bench.expect('\x04>'),
      'OK\x04Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nValueError: 3\r\n\x04>',
    );
    bench.send(CTRL_B);
    assert.match(await bench.prompt(), /^\r\nMicroPython v1\.27\.0 .*\r\n.*\r\n>>> $/);
  });

  it('answers Ctrl-A in raw mode with its banner again', async () => {
    await bench.prompt();
    await bench.raw();
    bench.send(CTRL_A);
    assert.equal(await bench.expect('\r\n>'), 'raw REPL; CTRL-B to exit\r\n>');
  });

  it('takes source in windows of raw paste, and more of it than its ring holds', async () => {
    await bench.prompt();
    await bench.raw();
    const source = `x = 0\n${'x += 1  # a line that takes its room\n'.repeat(500)}print(x)\n`;
    assert.deepEqual(await bench.run(source), { output: '500\r\n', error: '' });
    assert.deepEqual(await bench.run('print(x + 1)'), { output: '501\r\n', error: '' });
    assert.deepEqual(await bench.run(''), { output: '', error: '' });
  });

  it('grants one window for each one taken', async () => {
    await bench.prompt();
    await bench.raw();
    bench.send(`${CTRL_E}A${CTRL_A}`);
    await bench.expect('R\x01\x80\x00\x01');
    bench.send(Buffer.alloc(256, ' '));
    assert.equal(await bench.expect('\x01\x01'), '\x01\x01');
    bench.send(CTRL_D);
    assert.equal(await bench.expect('>'), '\x04\x04\x04>');
  });

  it('takes bytes 1 and 2 as source in raw paste', async () => {
    await bench.prompt();
    await bench.raw();
    assert.deepEqual(await bench.run("print(b'\x01\x02')"), { output: "b'\\x01\\x02'\r\n", error: '' });
  });

  it('ends a raw paste early at an error that no more source can mend', async () => {
    await bench.prompt();
    await bench.raw();
    bench.send(`${CTRL_E}A${CTRL_A}`);
    await bench.expect('R\x01\x80\x00\x01');
    bench.send(`x = = 1\n${'# filler\n'.repeat(20)}`);
    assert.equal(await bench.expect('\x04'), '\x04');
    bench.send(CTRL_D);
    assert.match(await bench.expect('\x04>'), /^\x04.*line 1\r\nSyntaxError: invalid syntax\r\n\x04>$/s);
  });

  it('does not take an open bracket or string for an error', async () => {
    await bench.prompt();
    await bench.raw();
    const source = `x = """\n${'a b c = = "\n'.repeat(60)}"""\ny = [\n${'1,\n'.repeat(200)}]\ndef f():\n${'  pass\n'.repeat(60)}print(len(x), len(y))\n`;
    assert.deepEqual(await bench.run(source), { output: `${60 * 12 + 1} 200\r\n`, error: '' });
  });

  it('raises KeyboardInterrupt for Ctrl-C in a raw paste', async () => {
    await bench.prompt();
    await bench.raw();
    bench.send(`${CTRL_E}A${CTRL_A}`);
    await bench.expect('R\x01\x80\x00\x01');
    bench.send(`x = 1${CTRL_C}`);
    assert.equal(await bench.expect('>'), '\x04\x04KeyboardInterrupt: \r\n\x04>');
  });

  it('says R\\x00 to a command it does not know, and knows no raw paste as an older firmware', async () => {
    await bench.prompt();
    await bench.raw();
    bench.send(`${CTRL_E}B${CTRL_A}`);
    assert.equal(await bench.expect('>'), 'R\x00>');

    const older = new Bench(undefined, { rawPaste: false });
    try {
      await older.prompt();
      await older.raw();
      older.send(`${CTRL_E}A${CTRL_A}`);
      assert.equal(await older.expect('>'), 'raw REPL; CTRL-B to exit\r\n>');
      older.send(`print(1)${CTRL_D}`);
      assert.equal(await older.expect('\x04>'), 'OK1\r\n\x04\x04>');
    } finally {
      older.stop();
    }
  });

  it('has a paste mode', async () => {
    await bench.prompt();
    bench.send(CTRL_E);
    await bench.expect('paste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ');
    bench.send('for i in range(2):\r    print(i)\r');
    await bench.expect('print(i)\r\n=== ');
    bench.send(CTRL_D);
    assert.equal(await bench.prompt(), '\r\n0\r\n1\r\n>>> ');
  });

  it('restarts softly: files stay, names go', async () => {
    await bench.prompt();
    await bench.line('x = 1');
    bench.send(CTRL_D);
    assert.match(await bench.prompt(), /^\r\nMPY: soft reboot\r\nMicroPython v1\.27\.0 .*\r\n.*\r\n>>> $/);
    assert.match(await bench.line('x'), /NameError: name 'x' isn't defined/);
    await bench.line('import machine');
    bench.send('machine.soft_reset()\r');
    assert.match(await bench.prompt(), /MPY: soft reboot/);
    for (let i = 0; i < 5; i++) {
      bench.send(CTRL_D);
      await bench.prompt();
    }
    assert.equal(await bench.line('import os,machine;os.listdir()'), "['boot.py']\r\n");
  });

  it('runs boot.py, then main.py, and after a soft reset from raw mode boot.py alone', async () => {
    await bench.prompt();
    await bench.line('f=open("boot.py","w");_=f.write("print(\'boot\')");f.close()');
    await bench.line('f=open("main.py","w");_=f.write("print(\'main\')\\n1/0");f.close()');
    bench.powerCycle();
    assert.match(
      await bench.prompt(),
      /^boot\r\nmain\r\nTraceback \(most recent call last\):\r\n {2}File "main\.py", line 2, in <module>\r\nZeroDivisionError: divide by zero\r\nMicroPython /,
    );
    await bench.raw();
    bench.send(CTRL_D);
    assert.equal(
      await bench.expect('\r\n>'),
      'OK\r\nMPY: soft reboot\r\nboot\r\nraw REPL; CTRL-B to exit\r\n>',
    );
  });

  it('stops a looping main.py with Ctrl-C, and its neighbour not at all', async () => {
    await bench.prompt();
    await bench.line('f=open("main.py","w");_=f.write("print(\'on\')\\nwhile True: pass");f.close()');
    bench.send(CTRL_D);
    await bench.expect('on\r\n');
    bench.send(CTRL_C);
    assert.match(
      await bench.prompt(),
      /File "main\.py", line 2, in <module>\r\nKeyboardInterrupt: \r\nMicroPython/,
    );
  });
});
