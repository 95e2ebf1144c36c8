/** How a board comes up, told from what it prints. Texts: recordings of an ESP32 and MicroPython v1.24.0. */
import assert from 'node:assert/strict';
import { findBanner, hear, watchBoot } from '../../lib/micropython/boot.ts';
import type { Boot } from '../../lib/micropython/boot.ts';
import { failsWith } from '../support/failures.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const HEAD = 'ets Jul 29 2019 12:21:46\r\n\r\n';
const ROM =
  `${HEAD}rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nconfigsip: 0, SPIWP:0xee\r\n` +
  'mode:DIO, clock div:2\r\nload:0x3fff0030,len:4892\r\nho 0 tail 12 room 4\r\nentry 0x400805b0\r\n';
const BANNER =
  'MicroPython v1.24.0 on 2024-10-25; Generic ESP32 module with ESP32\r\nType "help()" for more information.\r\n';
const BOOT = `${ROM}Performing initial setup\r\n${BANNER}>>> `;
const micropython = { version: 'v1.24.0', machine: 'Generic ESP32 module with ESP32' };
const LOADER = `${HEAD}rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n`;
const EMPTY = 'rst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\ninvalid header: 0xffffffff\r\n';
const BROWN = `${ROM}\r\nBrownout detector was triggered\r\n\r\n`;

/** Lets a board print this in pieces and watches it. */
async function watch(text: string, piece = 7, timeoutMs = 150): Promise<{ boot: Boot; seen: string }> {
  const transport = new ScriptedTransport();
  let seen = '';
  const boot = watchBoot(transport, {
    timeoutMs,
    signal: new AbortController().signal,
    onOutput: (bytes) => (seen += Buffer.from(bytes).toString('latin1')),
  });
  // It may fail while the rest is still being said.
  boot.catch(() => undefined);
  for (let at = 0; at < text.length; at += piece) {
    transport.say(text.slice(at, at + piece));
    await new Promise(setImmediate);
  }
  const done = await boot;
  assert.equal(transport.written.length, 0);
  return { boot: done, seen };
}

describe('micropython: boot watched', () => {
  it('ends at the prompt, with what the banner says', async () => {
    for (const piece of [1, 7, BOOT.length]) {
      const { boot, seen } = await watch(BOOT, piece);
      assert.deepEqual(boot, { started: 'prompt', micropython });
      assert.equal(seen, BOOT);
    }
  });

  it('ends at the prompt behind what boot.py and main.py print', async () => {
    const { boot } = await watch(`${ROM}hello from boot.py\r\nand main.py\r\n${BANNER}>>> `);
    assert.equal(boot.started, 'prompt');
  });

  it('tells what main.py raised, and nothing of what it caught', async () => {
    const raised =
      'Traceback (most recent call last):\r\n  File "main.py", line 2, in <module>\r\nImportError: bmé\r\n';
    const text = Buffer.from(raised).toString('latin1');
    const { error } = (await watch(`${ROM}hello\r\n${text}${BANNER}>>> `)).boot;
    assert.deepEqual(
      [error?.type, error?.message, error?.file, error?.line],
      ['ImportError', 'bmé', 'main.py', 2],
    );
    assert.equal((await watch(`${ROM}${text}went on\r\n${BANNER}>>> `)).boot.error, undefined);
    assert.equal((await watch(`${ROM}${text}${BANNER}>>> ${ROM}${BANNER}>>> `)).boot.error, undefined);
  });

  it('ends at a prompt of another text, which nothing follows', async () => {
    assert.equal((await watch(`${ROM}${BANNER}--> `, 7, 2000)).boot.started, 'prompt');
    assert.equal((await watch(`${ROM}${BANNER}tick\r\ntock\r\n`)).boot.started, 'program');
  });

  it('ends at the prompt after noise, one brown-out or one panic', async () => {
    const panic = "Guru Meditation Error: Core  1 panic'ed (LoadProhibited)\r\nRebooting...\r\n";
    for (const before of ['\xff\x00\xfe', BROWN, panic]) {
      assert.equal((await watch(before + BOOT)).boot.started, 'prompt');
    }
  });

  it('says nothing of a board that says nothing', async () => {
    assert.deepEqual((await watch('')).boot, { started: 'silent' });
  });

  it('finds a program where something else prints', async () => {
    assert.deepEqual((await watch(`${ROM}I (31) app: my own firmware\r\n`)).boot, { started: 'program' });
    assert.deepEqual((await watch(`${ROM}main.py: tick\r\ntock\r\n`)).boot, { started: 'program' });
  });

  it('finds a program that started after one brown-out or panic', async () => {
    assert.equal((await watch(`${BROWN}${ROM}${'main.py: tick\r\n'.repeat(20)}`)).boot.started, 'program');
  });

  it('fails where the board restarts again and again, whatever it prints meanwhile, with the last reason', async () => {
    const watchdog = ROM.replace('0x1 (POWERON_RESET)', '0x7 (TG0WDT_SYS_RESET)');
    const byProgram = ROM.replace('0x1 (POWERON_RESET)', '0xc (SW_CPU_RESET)');
    // As much as a chatty program prints at each start.
    const chat = 'I (31) app: '.padEnd(3000, 'x') + '\r\n';
    for (const [again, reset] of [
      [watchdog, '0x7 (TG0WDT_SYS_RESET)'],
      [byProgram + chat, '0xc (SW_CPU_RESET)'],
    ] as const) {
      for (const piece of [11, 4000]) {
        await assert.rejects(
          watch(ROM + again.repeat(3), piece),
          failsWith('boot-failed', { heard: 'restarts', reset }),
        );
      }
    }
  });

  it('looks longer where the board has restarted by itself', async () => {
    const transport = new ScriptedTransport();
    const boot = watchBoot(transport, { timeoutMs: 30, signal: new AbortController().signal });
    transport.say(ROM + ROM);
    await new Promise((resolve) => setTimeout(resolve, 60));
    transport.say(BOOT);
    assert.equal((await boot).started, 'prompt');
  });

  it('does not take waking from deep sleep for a failure', async () => {
    const waking = ROM.replace('0x1 (POWERON_RESET)', '0x5 (DEEPSLEEP_RESET)');
    assert.deepEqual((await watch(ROM + `${waking}measured\r\n`.repeat(5))).boot, { started: 'program' });
  });

  it('fails where the last thing was a crash', async () => {
    for (const crash of ['Guru Meditation Error: Core  0', 'Fatal exception (0): IllegalInstruction']) {
      await assert.rejects(watch(`${ROM}${crash}\r\n`), failsWith('boot-failed', { heard: 'panic' }));
    }
  });

  const failures: [string, string, string][] = [
    ['stays in the loader', LOADER, 'loader'],
    ['finds nothing to start', EMPTY.repeat(3), 'boot-loop'],
    ['finds a damaged loader', `${HEAD}csum err:0x5a!=0x77\r\n`.repeat(3), 'boot-loop'],
    ['finds no partition table', `${ROM}E (68) boot: load partition table error!\r\n`.repeat(3), 'boot-loop'],
    ['lacks power', BROWN.repeat(3), 'brown-out'],
    ['crashes again and again', `${ROM}abort() was called at PC 0x400d\r\n`.repeat(3), 'panic'],
    ['speaks at another rate', '\xfe\x80\xf8\x00'.repeat(40), 'garbage'],
  ];
  for (const [what, text, heard] of failures) {
    it(`fails where the board ${what}`, async () => {
      await assert.rejects(watch(text, 50), failsWith('boot-failed', { heard }));
    });
  }

  it('ends early at a loop: a fourth time would tell no more', async () => {
    await assert.rejects(watch(EMPTY.repeat(20), EMPTY.length, 60_000), failsWith('boot-failed'));
  });

  it('ends at an abort', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(watchBoot(new ScriptedTransport(), { timeoutMs: 1000, signal }), /enough/);
  });
});

describe('micropython: what is heard', () => {
  it('is told in one word', () => {
    assert.equal(hear(''), 'nothing');
    assert.equal(hear(LOADER), 'loader');
    assert.equal(hear('rst:0x1 (POWERON),boot:0x5 (DOWNLOAD(USB/UART0/1))\r\n'), 'loader');
    assert.equal(hear(EMPTY), 'boot-loop');
    assert.equal(hear(BROWN), 'brown-out');
    assert.equal(hear('temperature 21.5\r\n'), 'text');
    assert.equal(hear(Buffer.from('Temperatur 21,5 °C – größer\r\n').toString('latin1')), 'text');
    assert.equal(hear('\x00\xff\x80\xfe\x00\x01'), 'garbage');
  });

  it('holds the last banner, not an earlier one', () => {
    const older = BANNER.replace('v1.24.0', 'v1.19.1');
    assert.deepEqual(findBanner(older + BANNER), micropython);
    assert.equal(findBanner('MicroPython is nice'), undefined);
  });
});
