import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Bench, CTRL_C } from './bench.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('virtual board: running MicroPython code', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = new Bench();
    await bench.prompt();
  });

  afterEach(() => {
    bench.stop();
  });

  it('is stopped by Ctrl-C in a loop, with the traceback of its line', async () => {
    await bench.raw();
    bench.send('print("go")\nwhile True:\n  pass\n\x04');
    await bench.expect('OKgo\r\n');
    bench.send(CTRL_C);
    assert.match(
      await bench.expect('\x04>'),
      /^\x04Traceback \(most recent call last\):\r\n {2}File "<stdin>", line [23], in <module>\r\nKeyboardInterrupt: \r\n\x04>$/,
    );
    bench.send('print("still here")\x04');
    assert.equal(await bench.expect('\x04>'), 'OKstill here\r\n\x04\x04>');
  });

  for (const wait of [
    'time.sleep(1000)',
    'time.sleep_ms(1000000)',
    'input()',
    'sys.stdin.read(1)',
    'p.poll()',
  ]) {
    it(`is stopped by Ctrl-C in ${wait}`, async () => {
      await bench.raw();
      bench.send('import time,sys,select\np=select.poll()\np.register(sys.stdin, 1)\x04');
      await bench.expect('\x04\x04>');
      bench.send(`print("go")\n${wait}\nprint("not here")\x04`);
      await bench.expect('OKgo\r\n');
      bench.send(CTRL_C);
      assert.equal(
        await bench.expect('\x04>'),
        '\x04Traceback (most recent call last):\r\n  File "<stdin>", line 2, in <module>\r\nKeyboardInterrupt: \r\n\x04>',
      );
    });
  }

  it('can catch Ctrl-C', async () => {
    await bench.raw();
    bench.send('try:\n  print("go")\n  while True: pass\nexcept KeyboardInterrupt:\n  print("caught")\x04');
    await bench.expect('OKgo\r\n');
    bench.send(CTRL_C);
    assert.equal(await bench.expect('\x04>'), 'caught\r\n\x04\x04>');
  });

  it('gets byte 3 as data after kbd_intr(-1)', async () => {
    await bench.raw();
    bench.send(
      'import micropython,sys\nmicropython.kbd_intr(-1)\nprint("go")\nprint(sys.stdin.buffer.read(4))\x04',
    );
    await bench.expect('OKgo\r\n');
    bench.send('\x01\x03\x04\x03');
    assert.equal(await bench.expect('\x04>'), "b'\\x01\\x03\\x04\\x03'\r\n\x04\x04>");
  });

  it('reads every byte there is from stdin, blocking, window by window', async () => {
    await bench.raw();
    const { error } = await bench.run(
      [
        'import micropython,sys,hashlib,binascii',
        'def receive(n):',
        '  micropython.kbd_intr(-1)',
        '  buf=bytearray(128)',
        '  h=hashlib.sha256()',
        '  for _ in range(n):',
        '    sys.stdout.write("w")',
        '    sys.stdin.buffer.readinto(buf)',
        '    h.update(buf)',
        '  micropython.kbd_intr(3)',
        '  return binascii.hexlify(h.digest())',
      ].join('\n'),
    );
    assert.equal(error, '');
    const bytes = Uint8Array.from({ length: 40 * 128 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
    bench.send('print(receive(40))\x04');
    await bench.expect('OK');
    for (let at = 0; at < bytes.length; at += 128) {
      await bench.expect('w');
      bench.send(bytes.subarray(at, at + 128));
    }
    assert.equal(await bench.expect('\x04>'), `b'${sha256(bytes)}'\r\n\x04\x04>`);
  });

  it('reads text with \\r as \\n and bytes as they are', async () => {
    await bench.raw();
    bench.send('import sys\nprint("go")\nprint(repr(sys.stdin.read(2)), sys.stdin.buffer.read(2))\x04');
    await bench.expect('OKgo\r\n');
    bench.send('a\rb\r');
    assert.equal(await bench.expect('\x04>'), "'a\\n' b'b\\r'\r\n\x04\x04>");
  });

  it('asks with input()', async () => {
    bench.send('print("got", input("na"+"me? "))\r');
    await bench.expect('name? ');
    bench.send('bobx\x7f\r');
    assert.equal(await bench.prompt(), 'bobx\b \b\r\ngot bob\r\n>>> ');
  });

  it('polls stdin', async () => {
    await bench.raw();
    bench.send('import sys,select\np=select.poll()\np.register(sys.stdin,1)\nprint(p.poll(0))\x04');
    assert.equal(await bench.expect('\x04>'), 'OK[]\r\n\x04\x04>');
    bench.send('print("go");r=p.poll()\nprint(r[0][1], sys.stdin.read(1))\x04');
    await bench.expect('OKgo\r\n');
    bench.send('x');
    assert.equal(await bench.expect('\x04>'), '1 x\r\n\x04\x04>');
  });

  it('loses what comes while its ring is full, as the chip does', async () => {
    await bench.raw();
    bench.send(
      'import sys,select\nsys.stdout.write("go"*100)\np=select.poll()\np.register(sys.stdin,1)\nn=0\n' +
        'while p.poll(0): n+=len(sys.stdin.read(1))\nprint(n)\x04',
    );
    // It stands still in its write meanwhile.
    await bench.expect('OK');
    bench.reading = false;
    bench.send(Buffer.alloc(400, 'x'));
    bench.reading = true;
    assert.match(await bench.expect('\x04>'), /259\r\n\x04\x04>$/);
  });

  it('blocks while its output is not taken and loses none of it', async () => {
    await bench.raw();
    bench.reading = false;
    bench.send('for i in range(2000): print("%050d" % i)\nprint("end")\x04');
    assert.deepEqual(bench.requests, []);
    await new Promise((resolve) => setTimeout(resolve, 100));
    bench.reading = true;
    const output = await bench.expect('\x04\x04>');
    const expected = Array.from({ length: 2000 }, (_, i) => `${String(i).padStart(50, '0')}\r\n`).join('');
    assert.equal(sha256(Buffer.from(output)), sha256(Buffer.from(`OK${expected}end\r\n\x04\x04>`)));
  });

  it('writes text cooked and sys.stdout.buffer as it is', async () => {
    await bench.raw();
    bench.send(
      'import sys\n_=sys.stdout.write("a\\n")\n_=sys.stdout.buffer.write(bytes(range(8,14))+b"\\xff\\x80")\x04',
    );
    assert.equal(await bench.expect('\x04>'), 'OKa\r\n\x08\x09\x0a\x0b\x0c\x0d\xff\x80\x04\x04>');
  });

  it('runs timers and pin interrupts while it waits', async () => {
    await bench.raw();
    const { output, error } = await bench.run(
      [
        'from machine import Pin, Timer',
        'import time',
        'seen=[]',
        't=Timer(0, mode=Timer.ONE_SHOT, period=1, callback=lambda t: seen.append("timer"))',
        'p=Pin(4, Pin.OUT); p.irq(lambda p: seen.append("pin"), Pin.IRQ_RISING); p.on(); p.off()',
        'while len(seen)<2: time.sleep_ms(1)',
        'print(sorted(seen))',
      ].join('\n'),
    );
    assert.equal(error, '');
    assert.equal(output, "['pin', 'timer']\r\n");
  });

  it('runs asyncio tasks', async () => {
    await bench.raw();
    const { output, error } = await bench.run(
      [
        'import asyncio',
        'async def count(name, ms):',
        '  for i in range(3):',
        '    await asyncio.sleep_ms(ms)',
        '    print(name, i)',
        '  return name',
        'async def for_ever():',
        '  try:',
        '    while True: await asyncio.sleep(1)',
        '  except asyncio.CancelledError:',
        '    print("cancelled"); raise',
        'async def main():',
        '  e=asyncio.Event(); t=asyncio.create_task(e.wait()); u=asyncio.create_task(for_ever())',
        '  print(await asyncio.gather(count("a", 1), count("b", 300)))',
        '  e.set(); print(await t)',
        '  u.cancel()',
        '  try: await u',
        '  except asyncio.CancelledError: print("gone")',
        '  try: await asyncio.wait_for_ms(for_ever(), 5)',
        '  except asyncio.TimeoutError: print("late")',
        '  return 7',
        'print(asyncio.run(main()))',
      ].join('\n'),
    );
    assert.equal(error, '');
    assert.equal(
      output.replaceAll('\r\n', '|'),
      "a 0|a 1|a 2|b 0|b 1|b 2|['a', 'b']|True|cancelled|gone|cancelled|late|7|",
    );
    bench.send('async def f():\n  print("go")\n  await asyncio.sleep(1000)\nasyncio.run(f())\x04');
    await bench.expect('OKgo\r\n');
    bench.send(CTRL_C);
    assert.match(await bench.expect('\x04>'), /KeyboardInterrupt: \r\n\x04>$/);
  });

  it('ends endless recursion and endless lists with an exception', async () => {
    await bench.raw();
    const deep = await bench.run('def f(): return f()\nf()');
    assert.match(deep.error, /RuntimeError: maximum recursion depth exceeded\r\n$/);
    const wide = await bench.run('x=bytearray(400000000)');
    assert.match(wide.error, /MemoryError: memory allocation failed, allocating \d+ bytes\r\n$/);
    assert.deepEqual(await bench.run('print(1)'), { output: '1\r\n', error: '' });
  });
});
