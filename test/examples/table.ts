/** What each example promises, and how a person gets there: one row a file of `examples/`. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileServer } from '../firmware/server.ts';
import { printed } from '../support/micropython-board.ts';
import { RawRepl } from '../../lib/micropython/raw-repl.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';
import type { Page } from 'playwright-core';
import type { NodeRed } from './node-red.ts';

/** What a row has at hand. */
export interface Stage {
  nodeRed: NodeRed;
  boards: readonly VirtualBoard[];
  /** The web, as far as it is there: MicroPython's downloads, and what a row puts on it. */
  server: FileServer;
  /** An empty folder. */
  folder: string;
  /** For examples with a dashboard: opens it. */
  dashboard: () => Promise<Page>;
}

export interface Example {
  /** Without `.json`. */
  file: string;
  promises: string;
  /** The board behind each `esp32 board` of the flow, in its order; default one with nothing on it. */
  boards?: readonly LaunchOptions[];
  /** The path of its dashboard, which is opened in Chromium. */
  page?: string;
  /** Environment variables of the flow that are filled in, and those that are kept as credentials. */
  environment?: (server: FileServer, folder: string) => Readonly<Record<string, string>>;
  secrets?: Readonly<Record<string, string>>;
  run: (stage: Stage) => Promise<void>;
}

const MICROPYTHON: LaunchOptions = { firmware: 'demo' };

/** A program that goes on after every Ctrl-C. */
const LOCKED = `import time
while True:
    try:
        while True:
            time.sleep_ms(10)
    except KeyboardInterrupt:
        pass
`;

/** Whether the last picture that was sent to the display is the two lines of the example. */
const SHOWN_ON_DISPLAY = `import framebuf, machine
wanted = bytearray(1024)
picture = framebuf.FrameBuffer(wanted, 128, 64, framebuf.MONO_VLSB)
picture.text('Hello', 0, 0)
picture.text('from Node-RED', 0, 10)
sent = [data for data in machine.I2C.written if data[0] == 0x40]
print(sent[-1][1:] == wanted)
`;

export const EXAMPLES: readonly Example[] = [
  {
    file: 'flash-and-greet',
    promises: 'flashes MicroPython, asks 2 + 2, and has main.py greet',
    run: async ({ nodeRed }) => {
      await nodeRed.press('flash MicroPython');
      assert.equal(field(await nodeRed.shows('flashed'), 'started'), 'prompt');
      await nodeRed.press('ask 2 + 2');
      assert.equal(await nodeRed.shows('answer'), 4);
      await nodeRed.press('write main.py');
      assert.deepEqual(changes(await nodeRed.shows('written')), ['created /main.py']);
      await nodeRed.shows('board says', (text) => String(text).includes('Hello from main.py'));
    },
  },
  {
    file: 'flash-button-dashboard',
    promises: 'flashes the board that is chosen on the page, and its bar reaches 100',
    boards: [{ firmware: 'none' }, { firmware: 'none' }],
    page: 'flash',
    run: async ({ nodeRed, boards: [other, chosen], dashboard }) => {
      const page = await dashboard();
      await nodeRed.press('plug in 2');
      await page.locator('.nrdb-ui-dropdown').click();
      await page.getByText(chosen!.rfc2217).click();
      const bar = page.getByRole('progressbar');
      const wide = page.locator('.nrdb-ui-progress').getByText('100%');
      await page.getByRole('button', { name: 'Flash MicroPython' }).click();
      await wide.waitFor({ timeout: 60_000 });
      assert.equal(await bar.getAttribute('aria-valuenow'), '100');
      await page.getByText('MicroPython v1.27.0 runs on 24:0a:c4:12:34:56', { exact: true }).waitFor();
      const steps = nodeRed.shown('steps').map(String);
      assert.equal(steps[0], 'begins');
      assert.ok(steps.some((step) => /^writing \d+ %$/.test(step)));
      const log = await page.locator('pre').textContent();
      assert.match(log ?? '', /^\d.*MicroPython v1\.27\.0 runs[^]*begins$/);
      assert.deepEqual(await other!.readFlash(0x1000, 4), Uint8Array.from([255, 255, 255, 255]));
      assert.equal((await chosen!.readFlash(0x1000, 1))[0], 0xe9);
    },
  },
  {
    file: 'sensor-chart-dashboard',
    promises: 'reads the chip temperature without a button being pressed',
    boards: [MICROPYTHON],
    page: 'temperature',
    run: async ({ nodeRed, dashboard }) => {
      assert.equal(await nodeRed.shows('temperature'), 53.3);
      const page = await dashboard();
      await page.locator('.nrdb-ui-chart canvas').waitFor();
      await page.waitForFunction(hasBlue);
    },
  },
  {
    file: 'upload-on-change',
    promises: 'uploads what differs in a folder when something is saved there, and starts the program anew',
    boards: [MICROPYTHON],
    environment: (_server, folder) => ({ PROJECT: folder }),
    run: async ({ nodeRed, boards: [board], folder }) => {
      await mkdir(join(folder, 'lib'));
      await writeFile(join(folder, 'lib', 'greeting.py'), "WORDS = 'Hello from the folder'\n");
      await nodeRed.shows('uploaded', (value) => changes(value).includes('created /lib/greeting.py'));
      await writeFile(join(folder, 'main.py'), 'import greeting\nprint(greeting.WORDS)\n');
      await writeFile(join(folder, 'main.py~'), 'what an editor keeps');
      await nodeRed.shows('board says', (text) => String(text).includes('Hello from the folder'));
      await nodeRed.deploy([]);
      assert.equal(await onBoard(board, "import os; print(sorted(os.listdir('/')))"), "['boot.py', 'lib', 'main.py']\r\n");
    },
  },
  {
    file: 'files-of-the-board',
    promises: 'tells what is on a board, shows a file, and saves all of them here',
    boards: [MICROPYTHON],
    environment: (_server, folder) => ({ COPIES: folder }),
    run: async ({ nodeRed, boards: [board], folder }) => {
      const boot = await onBoard(board, "print(open('/boot.py').read(), end='')");
      await nodeRed.press('what is on it?');
      const [file] = (await nodeRed.shows('files')) as { path: string }[];
      assert.equal(file?.path, '/boot.py');
      assert.ok(Number(await nodeRed.shows('bytes free')) > 1e6);
      await nodeRed.press('look into boot.py');
      assert.equal(await nodeRed.shows('boot.py'), boot.replaceAll('\r\n', '\n'));
      await nodeRed.press('save all');
      await nodeRed.shows('saved');
      assert.equal(await readFile(join(folder, 'boot.py'), 'utf8'), boot.replaceAll('\r\n', '\n'));
    },
  },
  {
    file: 'wifi-settings',
    promises: 'has the board join a Wi-Fi at every start, and keeps the password out of flow and log',
    boards: [MICROPYTHON],
    environment: () => ({ WIFI_NAME: 'virtual' }),
    secrets: { WIFI_PASSWORD: "it's \"secret\" \\ 密" },
    run: async ({ nodeRed, boards: [board] }) => {
      await nodeRed.press('set up Wi-Fi');
      assert.equal(await nodeRed.shows('address'), '192.0.2.10\n');
      const flows = await readFile(join(nodeRed.userDir, 'flows.json'), 'utf8');
      assert.doesNotMatch(flows + JSON.stringify(nodeRed.everything), /secret/);
      await nodeRed.deploy([]);
      const written = JSON.parse(await onBoard(board, "print(open('/wifi.json').read())")) as unknown;
      assert.deepEqual(written, { name: 'virtual', password: "it's \"secret\" \\ 密" });
    },
  },
  {
    file: 'oled-text',
    promises: 'installs the driver from a package index, and shows text on the display',
    boards: [MICROPYTHON],
    run: async ({ nodeRed, boards: [board], server }) => {
      const driver = await readFile(join(import.meta.dirname, 'ssd1306.py'));
      const hash = createHash('sha256').update(driver).digest('hex').slice(0, 8);
      const list = { v: 1, version: '0.1.0', hashes: [['ssd1306.py', hash]] };
      server.file('/pi/v2/package/py/ssd1306/latest.json', JSON.stringify(list));
      server.file(`/pi/v2/file/${hash.slice(0, 2)}/${hash}`, driver);
      await nodeRed.press('install the driver');
      assert.deepEqual(changes(await nodeRed.shows('installed')), ['created /lib/ssd1306.py']);
      await nodeRed.press('show it');
      assert.equal(await nodeRed.shows('lines shown'), 2);
      await nodeRed.deploy([]);
      assert.equal(await onBoard(board, SHOWN_ON_DISPLAY), 'True\r\n');
    },
  },
  {
    file: 'rescue-button',
    promises: 'gets a board back whose program ignores every Ctrl-C, and keeps that program',
    boards: [MICROPYTHON],
    run: async ({ nodeRed, boards: [board] }) => {
      await onBoard(board, `with open('/main.py', 'w') as file:\n    file.write(${JSON.stringify(LOCKED)})`);
      await board!.pressEn();
      await nodeRed.press('help!');
      const rescued = await nodeRed.shows('rescued');
      assert.equal(field(rescued, 'started'), 'prompt');
      assert.equal((field(rescued, 'renamed') as { from: string }[])[0]?.from, '/main.py');
      const { to } = (field(rescued, 'renamed') as { to: string }[])[0]!;
      await nodeRed.deploy([]);
      assert.equal(await onBoard(board, `print(open('${to}').read() == ${JSON.stringify(LOCKED)})`), 'True\r\n');
    },
  },
  {
    file: 'button-calls-function',
    promises: 'calls a function on the board by a button, with a value of the flow',
    boards: [MICROPYTHON],
    run: async ({ nodeRed }) => {
      await nodeRed.press('give it led.py');
      await nodeRed.shows('written');
      await nodeRed.press('on');
      await nodeRed.shows('the LED is', (value) => value === 1);
      await nodeRed.press('off');
      await nodeRed.shows('the LED is', (value) => value === 0);
    },
  },
  {
    file: 'remote-board',
    promises: 'looks at a board behind a network port, flashes it, and talks to it',
    run: async ({ nodeRed }) => {
      await nodeRed.press('who is there?');
      assert.equal(field(await nodeRed.shows('board'), 'mac'), '24:0a:c4:12:34:56');
      await nodeRed.press('flash MicroPython');
      assert.equal(field(await nodeRed.shows('flashed'), 'started'), 'prompt');
      await nodeRed.press('ask 2 + 2');
      assert.equal(await nodeRed.shows('answer'), 4);
    },
  },
  {
    file: 'workshop-line-dashboard',
    promises: 'has each board that is plugged in ready, three at once, and says of one that fails what is wrong',
    boards: [{ firmware: 'none' }, MICROPYTHON, { firmware: 'none' }, { chip: 'esp32s3' }],
    page: 'workshop',
    run: async ({ nodeRed, boards, dashboard }) => {
      const page = await dashboard();
      for (const number of boards.keys()) await nodeRed.press(`plug in ${number + 1}`);
      const isOver = (rows: unknown): boolean =>
        isRows(rows) && rows.length === 4 && rows.every(({ result = '' }) => /^ready|^FAILED/.test(result));
      const rows = (await nodeRed.shows('table rows', isOver, 'diagnosis expected')) as Row[];
      const ready = rows.filter(({ result }) => result === 'ready');
      assert.deepEqual(ready.map(({ port }) => port).toSorted(), ports(boards.slice(0, 3)).toSorted());
      for (const { mac, chip } of ready) assert.deepEqual([mac, chip], ['24:0a:c4:12:34:56', 'ESP32']);
      const failed = rows.find(({ port }) => port === boards[3]!.rfc2217);
      assert.match(failed?.['result'] ?? '', /^FAILED: /);
      await page.getByRole('cell', { name: 'ready' }).nth(2).waitFor();
    },
  },
  {
    file: 'backup-and-clone',
    promises: 'saves all that is on one board, and makes another like it',
    boards: [MICROPYTHON, { firmware: 'none' }],
    run: async ({ nodeRed, boards: [first, second] }) => {
      const mark = Buffer.from('a file of the first board');
      await first!.writeFlash(0x3ff000, mark);
      await nodeRed.press('back up');
      assert.equal(await nodeRed.shows('bytes saved'), 4 * 1024 * 1024);
      await nodeRed.press('clone');
      assert.equal(field(await nodeRed.shows('cloned'), 'started'), 'prompt');
      assert.deepEqual(Buffer.from(await second!.readFlash(0x3ff000, mark.length)), mark);
    },
  },
];

const ports = (boards: readonly VirtualBoard[]): string[] => boards.map(({ rfc2217 }) => rfc2217);

type Row = Record<string, string>;
const isRows = (value: unknown): value is Row[] => Array.isArray(value);

/** What an upload did, each file by what became of it and its path. */
function changes(value: unknown): string[] {
  const files = field(value, 'files') as { path: string; action: string }[];
  return files.map(({ path, action }) => `${action} ${path}`);
}

function field(value: unknown, name: string): unknown {
  assert.ok(typeof value === 'object' && value !== null, String(value));
  return (value as Record<string, unknown>)[name];
}

/** In the page: whether the first point is drawn, in the first of the chart's colours. */
function hasBlue(): boolean {
  const canvas = document.querySelector<HTMLCanvasElement>('.nrdb-ui-chart canvas');
  const { data } = canvas!.getContext('2d')!.getImageData(0, 0, canvas!.width, canvas!.height);
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] === 0x00 && data[i + 1] === 0x95 && data[i + 2] === 0xff) return true;
  }
  return false;
}

/** What a program prints on a board that no flow uses any more. */
async function onBoard(board: VirtualBoard | undefined, source: string): Promise<string> {
  assert.ok(board);
  const transport = await openTransport(board.rfc2217);
  try {
    const repl = new RawRepl(transport, AbortSignal.timeout(20_000));
    await repl.enter();
    return await printed(repl, source);
  } finally {
    await transport.close();
  }
}
