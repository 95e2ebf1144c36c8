/** Source on its way to firmware that knows raw paste, knows it but not here, or is older than it. */
import assert from 'node:assert/strict';
import { RawRepl } from '../../lib/micropython/raw-repl.ts';
import { failsWith } from '../support/failures.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const BANNER = 'raw REPL; CTRL-B to exit\r\n>';
const WINDOW = 'R\x01\x80\x00\x01';

/** An interpreter in its raw REPL: how it answers to raw paste, and what to code (it is told each once). */
class Firmware {
  readonly codes: string[] = [];
  readonly pieces: number[] = [];
  requests = 0;
  readonly transport: ScriptedTransport;
  #line = '';

  constructor(pasteAnswer: string, { output = 'hello\r\n\x04\x04>', firstAnswer = pasteAnswer } = {}) {
    this.transport = new ScriptedTransport((bytes, say) => {
      const typed = Buffer.from(bytes).toString('latin1');
      if (typed === '\x05A\x01') {
        this.requests++;
        say(this.requests === 1 ? firstAnswer : pasteAnswer);
        return;
      }
      this.pieces.push(typed.length);
      this.#line += typed;
      const isPaste = pasteAnswer.includes('R\x01');
      if (!this.#line.endsWith('\x04')) {
        if (isPaste)
          say(
            '\x01'.repeat(
              Math.floor(this.#line.length / 128) - Math.floor((this.#line.length - typed.length) / 128),
            ),
          );
        return;
      }
      const code = this.#line.slice(0, -1);
      this.#line = '';
      this.codes.push(code);
      // A part of what comes prints nothing.
      say((isPaste ? '\x04' : 'OK') + (code.startsWith('_code') ? '\x04\x04>' : output));
    });
  }

  repl(): RawRepl {
    return new RawRepl(this.transport, new AbortController().signal);
  }
}

async function run(repl: RawRepl, source: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  await repl.run(source, { timeoutMs: 5000, onOutput: (bytes) => void pieces.push(bytes) });
  return Buffer.concat(pieces).toString('utf8');
}

describe('micropython: source sent', () => {
  it('by raw paste, never more than the board has room for', async () => {
    const firmware = new Firmware(WINDOW);
    const source = 'x = 1\n'.repeat(200);
    assert.equal(await run(firmware.repl(), source), 'hello\r\n');
    assert.deepEqual(firmware.codes, [source]);
    assert.ok(firmware.pieces.every((length) => length <= 256));
  });

  const fallbacks = {
    'that knows raw paste but not here': 'R\x00',
    'from before raw paste': `ra${BANNER.slice(2)}`,
  };
  for (const [which, answer] of Object.entries(fallbacks)) {
    it(`in small pieces to firmware ${which}, which is asked twice and then no more`, async () => {
      const firmware = new Firmware(answer);
      const repl = firmware.repl();
      const source = 'y = 22\n'.repeat(60);
      assert.equal(await run(repl, source), 'hello\r\n');
      assert.equal(await run(repl, 'print(1)'), 'hello\r\n');
      const [first, ...rest] = firmware.codes;
      assert.match(first ?? '', /^_code='(y = 22\\n)+y?/);
      assert.deepEqual(rest.slice(-2), ["exec(globals().pop('_code'))", 'print(1)']);
      assert.equal(firmware.requests, 2);
      assert.ok(firmware.pieces.every((length) => length <= 61));
    });
  }

  it('by raw paste though the line has harmed the first request', async () => {
    const firmware = new Firmware(WINDOW, { firstAnswer: `ra${BANNER.slice(2)}` });
    const repl = firmware.repl();
    await run(repl, 'print(1)');
    assert.equal(repl.link.paste, 'yes');
    assert.equal(firmware.requests, 2);
  });

  it('without the bytes that are keys, by any way', async () => {
    const source = 'print("\x03\x04 ä")';
    const paste = new Firmware(WINDOW);
    await run(paste.repl(), source);
    const [, inner = ''] = /a2b_base64\('([^']*)'\)/.exec(paste.codes.join('')) ?? [];
    assert.equal(Buffer.from(inner, 'base64').toString('utf8'), source);
    const plain = new Firmware('R\x00');
    await run(plain.repl(), source);
    assert.equal(
      Buffer.from(plain.codes[0] ?? '', 'latin1').toString('utf8'),
      `_code='print("\\x03\\x04 ä")'`,
    );
  });

  const refusals = {
    'has found an error':
      'Traceback (most recent call last):\r\n  File "<stdin>", line 1\r\nSyntaxError: invalid syntax\r\n',
    'has no memory left': 'MemoryError: memory allocation failed, allocating 2048 bytes\r\n',
  };
  for (const [why, text] of Object.entries(refusals)) {
    it(`and the error of a board that ${why} and stops taking it is the traceback`, async () => {
      let isTold = false;
      const transport = new ScriptedTransport((bytes, say) => {
        const typed = Buffer.from(bytes).toString('latin1');
        if (typed === '\x05A\x01') say(WINDOW);
        else if (typed === '\x04') say(`\x04${text}\x04>`);
        else if (!isTold) {
          isTold = true;
          say('\x04');
        }
      });
      const repl = new RawRepl(transport, new AbortController().signal);
      const source = 'x = = 1\n'.repeat(500);
      await assert.rejects(repl.run(source, { timeoutMs: 5000 }), failsWith('python-error', { text }));
      assert.ok(transport.written.length < 600);
    });
  }

  it('to a board whose timer prints in between: that is output', async () => {
    const talk = 'tick\r\n';
    const asked = new Firmware(`${talk}${WINDOW}`);
    assert.equal(await run(asked.repl(), 'print(1)'), `${talk}hello\r\n`);
    const inside = new Firmware(WINDOW);
    const long = 'x = 1\n'.repeat(5000);
    const running = run(inside.repl(), long);
    const timer = setInterval(() => inside.transport.say(talk), 1);
    const output = await running.finally(() => clearInterval(timer));
    assert.match(output, /^(tick\r\n)+hello\r\n$/);
    assert.deepEqual(inside.codes, [long]);
    const old = new Firmware(`${talk}R\x00`);
    assert.equal(await run(old.repl(), 'print(1)'), `${talk}${talk}hello\r\n`);
  });

  it('not to a board that says something else: the error shows what', async () => {
    await assert.rejects(
      new Firmware('I (312) wifi: ready').repl().run('print(1)', { timeoutMs: 1000 }),
      failsWith('repl-confused', { expected: 'an answer to raw paste', tail: 'I (312) wifi: ready' }),
    );
  });

  it('and what a board tells of its crash ends the run', async () => {
    const panic =
      "Guru Meditation Error: Core  0 panic'ed (LoadProhibited).\r\nRebooting...\r\nets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n";
    const firmware = new Firmware(WINDOW, { output: panic });
    await assert.rejects(
      run(firmware.repl(), 'crash()'),
      failsWith('panic', { reason: 'LoadProhibited', reset: '0xc (SW_CPU_RESET)' }),
    );
  });
});
