/** The whole board on a clock of the test's own: straps, boot, loops, loader and what is typed meanwhile. */

import assert from 'node:assert/strict';
import { Board } from './board.ts';
import type { BoardEvent, BoardOptions } from './board-options.ts';
import { ascii } from './bytes.ts';
import { ManualClock } from './clock.ts';
import { CHIPS } from './chips.ts';
import { demoImage } from './demo-image.ts';
import { NorFlash } from './nor-flash.ts';
import { request } from './peers/loader-bench.ts';
import type { Program, ProgramHost } from './program.ts';
import { slipEncode } from './slip.ts';

/** A program that greets, echoes, and can be told to ask for things. */
class Echo implements Program {
  readonly host: ProgramHost;
  stopped = false;
  #output: number[] = [...ascii('ready\r\n')];

  constructor(host: ProgramHost) {
    this.host = host;
  }

  receive(bytes: Uint8Array): void {
    this.#output.push(...bytes);
    this.host.readable();
  }

  read(max: number): Uint8Array {
    return Uint8Array.from(this.#output.splice(0, max));
  }

  stop(): void {
    this.stopped = true;
  }
}

class Desk {
  readonly clock: ManualClock;
  readonly board: Board;
  readonly events: BoardEvent[] = [];
  readonly programs: Echo[] = [];
  #heard: number[] = [];

  constructor(options: Partial<BoardOptions> & { clock?: ManualClock } = {}, firmware = true) {
    this.clock = options.clock ?? new ManualClock();
    const flash = NorFlash.blank(0x400000);
    const image = demoImage({ chip: options.chip ?? 'esp32', payloadSize: 4000 });
    if (firmware) flash.bytes.set(image.bytes, image.offset);
    this.board = new Board({
      chip: 'esp32',
      flash,
      clock: this.clock,
      createProgram: (host) => {
        const program = new Echo(host);
        this.programs.push(program);
        return program;
      },
      onEvent: (event) => this.events.push(event),
      ...options,
    });
    this.board.uart.connect({ data: (bytes) => this.#heard.push(...bytes) });
    this.board.circuit.setLines(true, true);
  }

  /** What came over the wire since the last call. */
  heard(): string {
    return Buffer.from(this.#heard.splice(0)).toString('latin1');
  }

  names(): string[] {
    return this.events.map((event) => event.name);
  }

  write(text: string | Uint8Array): void {
    this.board.uart.write(typeof text === 'string' ? ascii(text) : text);
  }

  /** The reset sequence of a host that sets both lines at once. */
  async enterLoader(): Promise<void> {
    this.board.circuit.setLines(false, true);
    await this.clock.advance(100);
    this.board.circuit.setLines(true, false);
    await this.clock.advance(50);
    this.board.circuit.setLines(false, false);
  }
}

const SYNC_FRAME = slipEncode(
  request(0x08, Uint8Array.from([7, 7, 0x12, 0x20, ...(Array(32).fill(0x55) as number[])])),
);

describe('virtual board: boot', () => {
  it('starts the program after its silence and keeps what was typed meanwhile', async () => {
    const desk = new Desk({ bootMs: 300 });
    desk.board.powerOn();
    await desk.clock.advance(10);
    desk.write('typed early');
    await desk.clock.advance(200);
    assert.match(desk.heard(), /rst:0x1 \(POWERON_RESET\)[^]*entry 0x400805b0\r\n$/);
    await desk.clock.advance(300);
    assert.equal(desk.heard(), 'ready\r\ntyped early');
  });

  it('keeps no more of it than the ring holds', async () => {
    const desk = new Desk({ bootMs: 300 });
    desk.board.powerOn();
    desk.write('x'.repeat(400));
    await desk.clock.advance(600);
    assert.equal(desk.heard().split('ready\r\n')[1]?.length, 260);
  });

  it('comes up again and again while the flash is empty', async () => {
    const desk = new Desk({}, false);
    desk.board.powerOn();
    await desk.clock.advance(2000);
    const text = desk.heard();
    assert.equal(text.match(/rst:0x1 \(POWERON_RESET\)/g)?.length, 1);
    const resets = text.match(/rst:0x10 \(RTCWDT_RTC_RESET\)/g)?.length ?? 0;
    assert.ok(resets >= 4, `${resets} resets in two seconds`);
    assert.ok(text.includes('invalid header: 0xffffffff\r\n'));
  });

  it('stops its program the moment EN falls, and loses what was in its FIFO', async () => {
    const desk = new Desk({ bootMs: 0 });
    desk.board.powerOn();
    await desk.clock.advance(200);
    desk.heard();
    desk.write('0123456789'.repeat(10));
    await desk.clock.advance(5);
    desk.board.circuit.setLines(false, true);
    assert.equal(desk.programs[0]?.stopped, true);
    await desk.clock.advance(100);
    const came = desk.heard().length;
    assert.ok(came > 20 && came < 70, `${came} bytes`);
  });

  it('reads the straps at EN, and not at a reset by software', async () => {
    const desk = new Desk({ bootMs: 0 });
    desk.board.powerOn();
    await desk.clock.advance(200);
    desk.board.circuit.holdBoot(true);
    desk.programs[0]?.host.request({ kind: 'reset' });
    desk.heard();
    await desk.clock.advance(100);
    assert.match(desk.heard(), /rst:0xc \(SW_CPU_RESET\),boot:0x13/);
    desk.board.circuit.holdEn(true);
    desk.board.circuit.holdEn(false);
    await desk.clock.advance(100);
    assert.match(desk.heard(), /boot:0x3 \(DOWNLOAD_BOOT.*\)\r\nwaiting for download\r\n$/);
  });

  it('sleeps deeply without a word and wakes by its reason', async () => {
    const desk = new Desk({ bootMs: 0 });
    desk.board.powerOn();
    await desk.clock.advance(200);
    desk.heard();
    desk.programs[0]?.host.request({ kind: 'deep-sleep', ms: 5000 });
    desk.write('anyone?');
    await desk.clock.advance(4990);
    assert.equal(desk.heard(), '');
    await desk.clock.advance(500);
    assert.match(desk.heard(), /rst:0x5 \(DEEPSLEEP_RESET\)/);
  });

  it('speaks garbage to a host at the wrong rate: an ESP8266 boots at 74880', async () => {
    const desk = new Desk({ chip: 'esp8266', bootMs: 0 });
    desk.board.powerOn();
    await desk.clock.advance(100);
    const garbage = desk.heard();
    assert.ok(garbage.length > 0);
    assert.ok(!garbage.includes('ets Jan'));
    desk.board.uart.hostBaudRate = 74880;
    desk.board.circuit.holdEn(true);
    desk.board.circuit.holdEn(false);
    await desk.clock.advance(100);
    assert.match(desk.heard(), /ets Jan {2}8 2013,rst cause:2, boot mode:\(3,6\)/);
  });
});

describe('virtual board: loader on the wire', () => {
  it('learns the host’s rate from the first sync and answers the second', async () => {
    for (const rate of [115200, 57600, 460800]) {
      const desk = new Desk();
      desk.board.powerOn();
      await desk.enterLoader();
      desk.heard();
      desk.board.uart.hostBaudRate = rate;
      desk.write(SYNC_FRAME);
      await desk.clock.advance(100);
      assert.equal(desk.heard(), '', `first sync at ${rate}`);
      desk.write(SYNC_FRAME);
      await desk.clock.advance(100);
      const answers = desk.heard();
      assert.equal(answers.match(/\xc0\x01\x08/g)?.length, 8, `second sync at ${rate}`);
    }
  });

  it('keeps the rate it has learned once it is synced', async () => {
    const desk = new Desk({ firstSync: 'answered' });
    desk.board.powerOn();
    await desk.enterLoader();
    desk.write(SYNC_FRAME);
    await desk.clock.advance(100);
    assert.match(desk.heard(), /\x01\x08/);
    desk.board.uart.hostBaudRate = 460800;
    desk.write(SYNC_FRAME);
    await desk.clock.advance(100);
    assert.doesNotMatch(desk.heard(), /\x01\x08/);
  });

  it('hears what does not fit into its FIFO while it erases no more', async () => {
    const desk = new Desk({ firstSync: 'answered', timing: 'datasheet' });
    desk.board.powerOn();
    await desk.enterLoader();
    const send = (op: number, data: Uint8Array): void => {
      desk.write(slipEncode(request(op, data)));
    };
    const { magic } = CHIPS.esp32;
    const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
    send(0x0d, words(0, 0));
    send(0x02, words(0x1000, 4, 0x400, 0x100000));
    // 20 commands of 14 bytes arrive during the 45 ms of the erase.
    for (let i = 0; i < 20; i++) send(0x0a, words(0x40001000));
    await desk.clock.advance(500);
    const value = Buffer.from(words(magic)).toString('latin1');
    const answered = desk.heard().split(`\x01\x0a\x04\x00${value}`).length - 1;
    assert.ok(answered > 5 && answered < 15, `${answered} of 20 answered`);
  });
});

describe('virtual board: faults', () => {
  it('browns out whenever a program starts, until it is mended', async () => {
    const desk = new Desk({ bootMs: 0 });
    desk.board.fault({ kind: 'brown-out' });
    desk.board.powerOn();
    await desk.clock.advance(1000);
    assert.ok((desk.heard().match(/Brownout detector was triggered/g)?.length ?? 0) >= 3);
    assert.equal(desk.programs.length, 0);
    desk.board.clearFaults();
    await desk.clock.advance(500);
    assert.match(desk.heard(), /ready\r\n$/);
  });

  it('drops, doubles and flips bytes, the same ones for the same seed', async () => {
    const run = async (kind: 'drop' | 'flip' | 'duplicate', seed: number): Promise<string> => {
      const desk = new Desk({ bootMs: 0, seed });
      desk.board.powerOn();
      await desk.clock.advance(200);
      desk.heard();
      desk.board.fault({ kind, every: 50, direction: 'to-chip' });
      desk.write('abcdefghij'.repeat(100));
      await desk.clock.advance(500);
      return desk.heard();
    };
    const [dropped, doubled, flipped] = [
      await run('drop', 1),
      await run('duplicate', 1),
      await run('flip', 1),
    ];
    assert.ok(dropped.length < 1000 && dropped.length > 900);
    assert.ok(doubled.length > 1000 && doubled.length < 1100);
    assert.equal(flipped.length, 1000);
    assert.notEqual(flipped, 'abcdefghij'.repeat(100));
    assert.equal(await run('drop', 1), dropped);
    assert.notEqual(await run('drop', 2), dropped);
  });

  it('is silent when told to be, and has noise before its boot text', async () => {
    const desk = new Desk({ bootMs: 0 });
    desk.board.fault({ kind: 'silent' });
    desk.board.powerOn();
    await desk.enterLoader();
    desk.write(SYNC_FRAME);
    await desk.clock.advance(200);
    assert.equal(desk.heard(), '');
    desk.board.clearFaults();
    desk.board.fault({ kind: 'boot-noise', bytes: 40 });
    desk.board.circuit.setLines(false, true);
    desk.board.circuit.setLines(false, false);
    await desk.clock.advance(100);
    assert.equal(desk.heard().indexOf('ets Jul'), 40);
  });
});

describe('virtual board: USB adapter', () => {
  it('holds bytes back for its latency or until a packet is full', async () => {
    const clock = new ManualClock();
    const desk = new Desk({ bootMs: 0, latencyMs: 16, clock });
    const sizes: number[] = [];
    desk.board.uart.connect({ data: (bytes) => sizes.push(bytes.length) });
    desk.board.powerOn();
    await clock.advance(200);
    assert.ok(Math.max(...sizes) <= 62);
    assert.ok(sizes.filter((size) => size === 62).length >= 4);
    sizes.length = 0;
    desk.write('x');
    await clock.advance(10);
    assert.deepEqual(sizes, []);
    await clock.advance(10);
    assert.deepEqual(sizes, [1]);
  });
});
