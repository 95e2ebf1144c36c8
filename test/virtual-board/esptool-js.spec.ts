/** The board against a client no one here wrote: Espressif's esptool-js, over the RFC 2217 door. */

import { ESPLoader, HardReset, Transport } from 'esptool-js';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { CHIPS } from './chips.ts';
import type { ChipName } from './chips.ts';
import { demoImage } from './demo-image.ts';
import { launchBoard } from './launch.ts';
import type { LaunchOptions, VirtualBoard } from './launch.ts';
import { WebSerialPort } from './peers/web-serial.ts';

interface Connected {
  loader: ESPLoader;
  /** What it told of the chip. */
  description: string;
  said: string[];
}

/** It may trip over the answer that the ROM of an ESP32 leaves half sent when the stub starts, as on silicon. */
const TRIES = 3;

function newLoader(board: VirtualBoard, baudrate: number): Omit<Connected, 'description'> {
  const said: string[] = [];
  // Its declarations name a type of the browser which is not there.
  const transport = new Transport(new WebSerialPort(board.rfc2217));
  // It prints what its reader does even when tracing is off.
  transport.trace = () => undefined;
  const loader = new ESPLoader({
    transport,
    baudrate,
    romBaudrate: 115200,
    terminal: {
      clean: () => undefined,
      write: (text: string) => said.push(text),
      writeLine: (text: string) => said.push(text),
    },
  });
  return { loader, said };
}

async function connect(board: VirtualBoard, baudrate: number): Promise<Connected> {
  for (let tries = 1; ; tries++) {
    const { loader, said } = newLoader(board, baudrate);
    try {
      return { loader, said, description: await loader.main() };
    } catch (error) {
      await loader.transport.disconnect().catch(() => undefined);
      if (tries === TRIES) throw error;
    }
  }
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** Runs `work` with a board and esptool-js connected to it, and ends both whatever happens. */
async function withBoard(
  options: LaunchOptions,
  baudrate: number,
  work: (board: VirtualBoard, connected: Connected) => Promise<void>,
): Promise<void> {
  const board = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0, ...options });
  try {
    const connected = await connect(board, baudrate);
    await work(board, connected).finally(() =>
      connected.loader.transport.disconnect().catch(() => undefined),
    );
  } finally {
    await board.close();
  }
}

async function write(loader: ESPLoader, address: number, data: Uint8Array, compress: boolean): Promise<void> {
  await loader.writeFlash({
    fileArray: [{ data, address }],
    flashMode: 'keep',
    flashFreq: 'keep',
    flashSize: 'keep',
    eraseAll: false,
    compress,
    calculateMD5Hash: md5,
  });
}

describe('virtual board with esptool-js', () => {
  it('is recognised, flashed with compressed blocks, read back and booted', () =>
    withBoard({ chip: 'esp32' }, 921600, async (board, { loader, description, said }) => {
      assert.match(description, /ESP32-D0WD-V3/);
      assert.ok(said.some((line) => line.includes('24:0a:c4:12:34:56')));
      assert.equal(await loader.readFlashId(), 0x1640ef);

      const image = demoImage({ payloadSize: 60_000 });
      await write(loader, image.offset, image.bytes, true);
      assert.equal(md5(await board.readFlash(image.offset, image.bytes.length)), md5(image.bytes));
      const readBack = await loader.readFlash(image.offset, 0x3000);
      assert.equal(md5(readBack), md5(image.bytes.slice(0, 0x3000)));

      const booted = board.nextEvent((event) => event.name === 'program');
      await loader.transport.setRTS(true);
      await new HardReset(loader.transport).reset();
      assert.equal((await booted).facts['project'], 'micropython');
    }));

  it('takes raw blocks too, and what lay there before is erased', () =>
    withBoard({ chip: 'esp32' }, 460800, async (board, { loader }) => {
      await board.writeFlash(0x10000, new Uint8Array(0x10000));
      const data = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) & 0xff);
      await write(loader, 0x10000, data, false);
      assert.equal(md5(await board.readFlash(0x10000, data.length)), md5(data));
    }));

  it('is erased as a whole', () =>
    withBoard({ chip: 'esp32', firmware: 'demo' }, 115200, async (board, { loader }) => {
      await loader.eraseFlash();
      const flash = await board.readFlash(0, 0x400000);
      assert.ok(flash.every((byte) => byte === 0xff));
    }));

  const others: { chip: ChipName; description: RegExp }[] = [
    { chip: 'esp32s2', description: /ESP32-S2/ },
    { chip: 'esp32s3', description: /ESP32-S3/ },
    { chip: 'esp32c3', description: /ESP32-C3/ },
    { chip: 'esp32c6', description: /ESP32-C6/ },
    { chip: 'esp8266', description: /ESP8266/ },
  ];
  for (const { chip, description } of others) {
    it(`is an ${chip} when asked to be, and boots what was written at its own offset`, () =>
      withBoard({ chip }, 921600, async (board, { loader, description: told }) => {
        assert.match(told, description);
        const image = demoImage({ chip, payloadSize: 8000 });
        assert.equal(image.offset, CHIPS[chip].bootloaderOffset);
        await write(loader, image.offset, image.bytes, true);
        const booted = board.nextEvent((event) => event.name === 'program');
        await loader.transport.setRTS(true);
        await new HardReset(loader.transport).reset();
        assert.equal((await booted).facts['project'], 'micropython');
      }));
  }
});
