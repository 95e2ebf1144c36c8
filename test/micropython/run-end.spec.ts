/** How a run ends on firmware and chips that the virtual board is not: told from recorded conversations. */
import assert from 'node:assert/strict';
import { RawRepl } from '../../lib/micropython/raw-repl.ts';
import { RunEnd } from '../../lib/micropython/run-end.ts';
import type { RunOptions } from '../../lib/micropython/raw-repl.ts';
import { failsWith } from '../support/failures.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

/** An answer to raw paste that grants room for any code here. */
const WINDOW = 'R\x01\xff\x7f\x01';

/** Firmware whose code says this in these pieces when it is run. */
async function ends(
  says: readonly string[],
  { isProgram = true, ...options }: RunOptions & { isProgram?: boolean } = {},
): Promise<string> {
  let code = '';
  const transport = new ScriptedTransport((bytes, say) => {
    const typed = Buffer.from(bytes).toString('latin1');
    if (typed === '\x05A\x01') say(WINDOW);
    else code += typed;
    if (!typed.endsWith('\x04')) return;
    say('\x04');
    for (const piece of says) setImmediate(() => say(piece.replace('<mark>', markIn(code))));
  });
  const repl = new RawRepl(transport, new AbortController().signal);
  let printed = '';
  const run: RunOptions = {
    timeoutMs: 10_000,
    onOutput: (bytes) => (printed += Buffer.from(bytes).toString('latin1')),
    ...options,
  };
  await (isProgram ? repl.runProgram('x', run) : repl.run('x', run));
  return printed;
}

/** What the last line prints. */
function markIn(code: string): string {
  return /print\("([^"]*)",end=""\)/.exec(code)?.[1] ?? '';
}

const ROM = `ets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nentry 0x400805b0\r\n`;

describe('micropython: the end of a run', () => {
  it('is seen behind the last line, which is nobody’s output, however the wire cuts it', async () => {
    const pieces = ['hello\r\n<mark>\x04\x04>'];
    assert.equal(await ends(pieces), 'hello\r\n');
    assert.equal(await ends(['hello', '\r\n<mark>', '\x04', '\x04', '>']), 'hello\r\n');
    assert.equal(await ends(['<mark>1\x04', '2\x043', '>']), '123');
    assert.equal(await ends(['a timer\r\n<mark>talks\r\n', 'on\x04\x04>']), 'a timer\r\ntalks\r\non');
  });

  it('is no end where the program goes on behind it', async () => {
    assert.equal(await ends(['a\x04\x04>b\r\n', '<mark>\x04\x04>']), 'a\x04\x04>b\r\n');
    assert.equal(await ends(['a\x04\x04>', 'b\r\n<mark>\x04\x04>']), 'a\x04\x04>b\r\n');
  });

  it('is found wherever the wire cuts its mark', () => {
    const whole = Buffer.from('x mark\x04\x04>');
    for (let at = 0; at <= whole.length; at++) {
      let printed = '';
      const end = new RunEnd((bytes) => (printed += Buffer.from(bytes).toString()), { mark: 'mark' });
      end.push(whole.subarray(0, at));
      end.push(whole.subarray(at));
      assert.deepEqual([printed, end.ended], ['x ', 'prompt']);
    }
  });

  it('by SystemExit is told where the firmware says nothing of it', async () => {
    await assert.rejects(ends(['before\r\n\x04\x04>']), failsWith('system-exit'));
  });

  it('by an exception is told with its traceback', async () => {
    const traceback =
      'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nValueError: \r\n';
    await assert.rejects(ends([`\x04${traceback}\x04>`]), failsWith('python-error', { text: traceback }));
    const full = 'MemoryError: memory allocation failed, allocating 4096 bytes\r\n';
    await assert.rejects(ends([`\x04${full}\x04>`]), failsWith('python-error', { text: full }));
  });
});

describe('micropython: a restart under a run', () => {
  it('keeps its cause through pages of registers and a main.py that talks on', async () => {
    const dump = 'Stack memory:\r\n'.padEnd(6000, '3fc94f50: 0x00000000 0x00000001 ');
    const panic = `Guru Meditation Error: Core  0 panic'ed (Load access fault). Exception was unhandled.\r\n`;
    const chatter = Array.from({ length: 100 }, (_, i) => `main.py ${i} has something to say\r\n`);
    await assert.rejects(
      ends([panic, dump, ROM, ...chatter]),
      failsWith('panic', { reason: 'Load access fault', reset: '0xc (SW_CPU_RESET)' }),
    );
  });

  it('for lack of power is told as such', async () => {
    const brown = '\r\nBrownout detector was triggered\r\n\r\n';
    await assert.rejects(ends([brown, ROM]), failsWith('brown-out', { reset: '0xc (SW_CPU_RESET)' }));
  });

  it('is none where a program prints what a mask ROM says, and runs on', async function () {
    this.timeout(10_000);
    let code = '';
    const transport = new ScriptedTransport((bytes, say) => {
      const typed = Buffer.from(bytes).toString('latin1');
      if (typed === '\x05A\x01') say(WINDOW);
      else code += typed;
      if (!typed.endsWith('\x04')) return;
      say('\x04rst:0x1 (POWERON),boot:0x13 is what it says\r\n');
      setTimeout(() => say(`later\r\n${markIn(code)}\x04\x04>`), 2500);
    });
    const repl = new RawRepl(transport, new AbortController().signal);
    await repl.runProgram('x', { timeoutMs: 10_000 });
  });
});
