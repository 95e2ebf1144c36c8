/** The small parts of flashing: compression, resets, boot texts, the address of a chip. */
import assert from 'node:assert/strict';
import { deflateSync, inflateSync } from 'node:zlib';
import { bootMode, looksLikeWrongBaud } from '../../lib/esp/boot-log.ts';
import { CHIPS } from '../../lib/esp/chips.ts';
import { deflate } from '../../lib/esp/deflate.ts';
import { Loader } from '../../lib/esp/loader.ts';
import { readMac } from '../../lib/esp/mac.ts';
import { HARD_RESET, runReset, strategiesFor } from '../../lib/esp/reset.ts';
import type { PortFacts } from '../../lib/esp/reset.ts';
import { encodeFrame, FrameDecoder } from '../../lib/esp/slip.ts';
import { stubImage } from '../../lib/esp/stub-images.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';
import { demoImage } from '../virtual-board/demo-image.ts';

const never = new AbortController().signal;

describe('esp: deflate', () => {
  it('is zlib at level 9, whatever the length', async () => {
    const image = demoImage().bytes;
    for (const length of [0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, image.length]) {
      const bytes = image.subarray(0, length);
      const compressed = await deflate(bytes, never);
      assert.deepEqual(inflateSync(compressed), Buffer.from(bytes));
      assert.equal(compressed.length, deflateSync(bytes, { level: 9 }).length, `${length} bytes`);
    }
  });

  it('gives the event loop a turn at least for every 16 KB', async () => {
    const bytes = demoImage().bytes;
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await deflate(bytes, never);
    running = false;
    assert.ok(turns >= Math.floor(bytes.length / (16 * 1024)), `${turns} turns`);
  });

  it('stops at an abort', async () => {
    const stop = new AbortController();
    const work = deflate(new Uint8Array(1_000_000), stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(work, /enough/);
  });
});

describe('esp: reset strategies', () => {
  const names = (facts: Partial<PortFacts>): string[] =>
    strategiesFor({ kind: 'serial', hasModemLines: true, platform: 'linux', ...facts }).map(
      ({ name }) => name,
    );

  it('fit what a port can do', () => {
    const all = ['tight 50 ms', 'tight 550 ms', 'classic 50 ms', 'classic 550 ms'];
    assert.deepEqual(names({}), all);
    assert.deepEqual(names({ platform: 'darwin' }), all);
    assert.deepEqual(names({ platform: 'win32' }), ['classic 50 ms', 'classic 550 ms']);
    assert.deepEqual(names({ kind: 'rfc2217' }), ['classic 50 ms', 'classic 550 ms']);
    assert.deepEqual(names({ usb: { vendorId: '303a', productId: '1001' } }), [
      'USB-Serial/JTAG',
      'classic 50 ms',
    ]);
    assert.deepEqual(names({ kind: 'tcp', hasModemLines: false }), ['by hand']);
  });

  it('hold IO0 low while EN rises, and let go of both lines at the end', () => {
    const ports = [
      { kind: 'serial', platform: 'linux' },
      { kind: 'serial', platform: 'win32' },
      { kind: 'rfc2217', platform: 'linux' },
    ] as const;
    for (const port of ports) {
      for (const strategy of strategiesFor({ ...port, hasModemLines: true })) {
        const steps = strategy.steps.map(({ dtr, rts }) => `${Number(dtr)}${Number(rts)}`);
        assert.equal(steps.at(-1), '00', strategy.name);
        const inReset = steps.indexOf('01');
        assert.ok(inReset >= 0 && steps.indexOf('10', inReset) > inReset, strategy.name);
        assert.ok(!steps.slice(inReset, steps.indexOf('10', inReset)).includes('00'), strategy.name);
      }
    }
  });

  it('pass (1,1) on USB-Serial/JTAG, never (0,0), on the way from IO0 to EN', () => {
    const [jtag] = strategiesFor({
      kind: 'serial',
      hasModemLines: true,
      platform: 'linux',
      usb: { vendorId: '303a', productId: '1001' },
    });
    assert.deepEqual(
      jtag?.steps.map(({ dtr, rts }) => [dtr, rts]),
      [
        [false, false],
        [true, false],
        [true, true],
        [false, true],
        [false, false],
      ],
    );
  });

  it('are carried out step by step, and say whether the port has lines', async () => {
    const transport = new ScriptedTransport();
    assert.equal(await runReset(transport, HARD_RESET, never), true);
    assert.deepEqual(transport.lines, [
      { dtr: false, rts: true },
      { dtr: false, rts: false },
    ]);
    transport.hasModemLines = false;
    assert.equal(await runReset(transport, { name: 'none', steps: [] }, never), false);
  });

  it('end at an abort', async () => {
    const work = runReset(new ScriptedTransport(), HARD_RESET, AbortSignal.abort(new Error('enough')));
    await assert.rejects(work, { name: 'AbortError' });
  });
});

describe('esp: boot texts', () => {
  const download =
    'ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n';
  const flash =
    'ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nconfigsip: 0, SPIWP:0xee\r\n';

  it('tell the loader from the flash', () => {
    assert.deepEqual(bootMode(download), { value: '0x3', download: true });
    assert.deepEqual(bootMode(flash), { value: '0x13', download: false });
    const c3 =
      'ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:0x1 (POWERON),boot:0x5 (DOWNLOAD(USB/UART0/1))\r\n';
    assert.deepEqual(bootMode(c3), { value: '0x5', download: true });
    assert.deepEqual(bootMode('rst:0x1 (POWERON),boot:0xC (SPI_FAST_FLASH_BOOT)\r\n'), {
      value: '0xc',
      download: false,
    });
    assert.equal(bootMode('MicroPython v1.24.0 on 2024-10-25'), undefined);
    assert.equal(bootMode(''), undefined);
  });

  it('count from the last boot on', () => {
    assert.deepEqual(bootMode(download + flash), { value: '0x13', download: false });
    assert.deepEqual(bootMode(flash + download), { value: '0x3', download: true });
  });

  it('survive noise before them and are not taken for a wrong rate', () => {
    assert.equal(bootMode(`\x00\xff\xfe${flash}`)?.value, '0x13');
    assert.equal(looksLikeWrongBaud(flash), false);
    assert.equal(looksLikeWrongBaud('\xfe\x80\x00\xe6'.repeat(8)), true);
    assert.equal(looksLikeWrongBaud('\xfe'), false);
  });
});

describe('esp: address of a chip', () => {
  function registers(values: Record<number, number>): Loader {
    const decoder = new FrameDecoder();
    const transport = new ScriptedTransport((written, say) => {
      for (const frame of decoder.push(written)) {
        const answer = new Uint8Array(12);
        const view = new DataView(answer.buffer);
        const address = new DataView(frame.buffer, frame.byteOffset).getUint32(8, true);
        answer.set([1, frame[1]!, 4]);
        view.setUint32(4, values[address] ?? 0, true);
        say(encodeFrame(answer));
      }
    });
    return new Loader(transport, never);
  }
  const chip = (name: string) => CHIPS.find((entry) => entry.name === name)!;

  it('is put together from two eFuse words', async () => {
    const loader = registers({ 0x3ff5a004: 0xc4123456, 0x3ff5a008: 0xff00240a });
    assert.equal(await readMac(loader, chip('ESP32')), '24:0a:c4:12:34:56');
  });

  it('has on the ESP8266 a maker of its own, or one of two', async () => {
    const mac = (word0: number, word1: number, word3: number): Promise<string> =>
      readMac(registers({ 0x3ff00050: word0, 0x3ff00054: word1, 0x3ff0005c: word3 }), chip('ESP8266'));
    assert.equal(await mac(0x56000000, 0x02001234, 0x00aabbcc), 'aa:bb:cc:12:34:56');
    assert.equal(await mac(0x56000000, 0x00001234, 0), '18:fe:34:12:34:56');
    assert.equal(await mac(0x56000000, 0x00011234, 0), 'ac:d0:74:12:34:56');
  });
});

describe('esp: table of chips', () => {
  it('names each chip, id and stub once, and every stub is there', async () => {
    for (const key of ['name', 'imageId', 'magic', 'stub'] as const) {
      const values = CHIPS.map((chip) => chip[key]).filter((value) => value !== undefined);
      assert.equal(new Set(values).size, values.length, key);
    }
    for (const { stub } of CHIPS) {
      const { entry, text, data } = await stubImage(stub);
      assert.ok(entry >= text.address && entry < text.address + text.bytes.length, stub);
      assert.ok(text.bytes.length > 1000 && data.bytes.length > 0, stub);
    }
  });
});
