/** The telnet door, asked byte by byte, and the board's process behind it. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchBoard } from '../launch.ts';
import type { LaunchOptions, VirtualBoard } from '../launch.ts';
import { PlainRfc2217Client } from '../peers/rfc2217-client.ts';

const OTHER_PROGRAM = { firmware: 'none', timing: 'none', bootMs: 0, latencyMs: 0 } satisfies LaunchOptions;

/** Resolves when the bytes that came hold `text`; what came is in the error when they do not in time. */
class Ear {
  #text = '';
  #look: () => void = () => undefined;

  constructor(client: PlainRfc2217Client) {
    client.onData = (bytes) => {
      this.#text += Buffer.from(bytes).toString('latin1');
      this.#look();
    };
  }

  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${String(pattern)} did not come; came: ${JSON.stringify(this.#text.slice(-500))}`));
      }, 10_000);
      this.#look = () => {
        if (!pattern.test(this.#text)) return;
        clearTimeout(timer);
        const text = this.#text;
        this.#text = '';
        resolve(text);
      };
      this.#look();
    });
  }
}

function rawConnection(board: VirtualBoard): Promise<Socket> {
  const socket = connect(Number(new URL(board.rfc2217).port), '127.0.0.1');
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Reads until the bytes `end` have come. */
function readUntil(socket: Socket, end: number[]): Promise<Buffer> {
  return new Promise((resolve) => {
    let all = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      all = Buffer.concat([all, chunk]);
      if (!all.includes(Buffer.from(end))) return;
      socket.off('data', take);
      resolve(all);
    };
    socket.on('data', take);
  });
}

describe('virtual board: RFC 2217 door', () => {
  let board: VirtualBoard;

  const clients: PlainRfc2217Client[] = [];

  const dial = async (address: string, baudRate?: number): Promise<PlainRfc2217Client> => {
    const client = await PlainRfc2217Client.open(address, baudRate);
    clients.push(client);
    return client;
  };

  before(async () => {
    board = await launchBoard(OTHER_PROGRAM);
  });

  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

  after(() => board.close());

  it('agrees to binary and COM-PORT, refuses other options, and never answers an answer', async () => {
    const socket = await rawConnection(board);
    // WILL COM-PORT and DO BINARY answer its own offers; DO 99 is unknown; WILL 31 is not wanted.
    socket.write(Uint8Array.of(255, 251, 44, 255, 253, 0, 255, 253, 99, 255, 251, 31));
    const said = [...(await readUntil(socket, [255, 254, 31]))];
    const verbs: string[] = [];
    for (let i = 0; i + 2 < said.length; i++) {
      if (said[i] === 255 && said[i + 1]! >= 251 && said[i + 1]! <= 254)
        verbs.push(`${said[i + 1]} ${said[i + 2]}`);
    }
    assert.deepEqual(
      verbs.filter((verb) => /(44|99|31| 0)$/.test(verb)),
      ['251 0', '253 0', '253 44', '252 99', '254 31'],
    );
    socket.destroy();
  });

  it('tells its settings when asked and confirms what it is told', async () => {
    const client = await dial(board.rfc2217, 115200);
    const ask = async (command: number, ...value: number[]): Promise<number[]> => [
      ...(await client.command(command, ...value)),
    ];
    assert.deepEqual(await ask(1, 0, 0, 0, 0), [0, 1, 0xc2, 0]);
    // 65535 holds two bytes FF, which have to be doubled both ways.
    assert.deepEqual(await ask(1, 0, 0, 0xff, 0xff), [0, 0, 0xff, 0xff]);
    assert.deepEqual(await ask(2, 0), [8]);
    assert.deepEqual(await ask(3, 0), [1]);
    assert.deepEqual(await ask(4, 0), [1]);
    assert.deepEqual(await ask(5, 0), [1]);
    assert.deepEqual(await ask(5, 7), [8], 'an open port has DTR asserted');
    assert.deepEqual(await ask(5, 9), [9]);
    assert.deepEqual(await ask(5, 7), [9]);
    assert.deepEqual(await ask(5, 12), [12]);
    assert.deepEqual(await ask(5, 10), [12]);
    assert.deepEqual(await ask(12, 3), [3]);
    assert.deepEqual(await ask(11, 0), [0]);
  });

  it('turns a second client away with a word, and lets it in when the first is gone', async () => {
    const first = await dial(board.rfc2217);
    const second = await rawConnection(board);
    assert.match((await readUntil(second, [13, 10])).toString('latin1'), /in use/);
    second.destroy();
    await first.close();
    const third = await dial(board.rfc2217);
    assert.deepEqual([...(await third.command(12, 1))], [1]);
  });

  it('resets by RTS, boots into the loader by DTR, and by the buttons', async () => {
    const client = await dial(board.rfc2217);
    const ear = new Ear(client);
    client.setLines(false, true);
    client.setLines(true, false);
    assert.match(await ear.until(/waiting for download\r\n/), /boot:0x3 \(DOWNLOAD_BOOT/);
    client.setLines(false, true);
    client.setLines(false, false);
    await ear.until(/boot:0x13 \(SPI_FAST_FLASH_BOOT\)\r\ninvalid header: 0xffffffff/);
    await board.holdBoot(true);
    await board.pressEn(5);
    await ear.until(/waiting for download\r\n/);
    await board.holdBoot(false);
  });

  it('keeps what comes while it is suspended', async () => {
    const client = await dial(board.rfc2217);
    const ear = new Ear(client);
    client.notify(8);
    client.setLines(false, true);
    client.setLines(true, false);
    let silent = true;
    const reset = board.nextEvent((event) => event.name === 'reset');
    const heard = ear.until(/waiting for download/).then(() => (silent = false));
    await reset;
    await board.readFlash(0, 0x200000);
    assert.equal(silent, true);
    client.notify(9);
    await heard;
  });

  it('gives garbage to a client at another rate, and text again at the right one', async () => {
    const client = await dial(board.rfc2217, 9600);
    let bytes = Buffer.alloc(0);
    client.onData = (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
    };
    await board.pressEn(5);
    await board.nextEvent((event) => event.name === 'boot');
    await board.nextEvent((event) => event.name === 'boot');
    assert.ok(bytes.length > 0);
    assert.ok(!bytes.toString('latin1').includes('rst:'));
    await client.setBaudRate(115200);
    await new Ear(client).until(/rst:0x10 \(RTCWDT_RTC_RESET\)/);
  });

  it('breaks the connection when unplugged, refuses new ones, and comes back on the same port', async () => {
    const client = await dial(board.rfc2217);
    const address = board.rfc2217;
    const back = board.unplug({ ms: 150 });
    await client.closed;
    await assert.rejects(dial(address), /ECONNREFUSED/);
    await back;
    assert.equal(board.rfc2217, address);
    const again = await dial(address);
    await new Ear(again).until(/rst:0x/);
  });
});

describe('virtual board: process', () => {
  it('keeps its flash in a file and ends when told', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'virtual-board-'));
    const flashFile = join(folder, 'flash.bin');
    try {
      const first = await launchBoard({ ...OTHER_PROGRAM, flashFile });
      await first.writeFlash(0x300000, Uint8Array.of(1, 2, 3));
      await first.close();
      await assert.rejects(first.stats(), /has ended/);
      const second = await launchBoard({ ...OTHER_PROGRAM, flashFile });
      assert.deepEqual(await second.readFlash(0x300000, 3), Uint8Array.of(1, 2, 3));
      await second.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('does not start with a wrong flag', async () => {
    await assert.rejects(launchBoard({ chip: 'esp31' as 'esp32' }), /--chip: esp31 is none of esp32/);
  });
});
