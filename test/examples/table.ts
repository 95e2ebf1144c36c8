/** What each example promises, and how a person gets there: one row a file of `examples/`. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  /** Environment variables of the flow that a person fills in, and those that are kept as credentials. */
  environment?: Readonly<Record<string, string>>;
  secrets?: Readonly<Record<string, string>>;
  run: (stage: Stage) => Promise<void>;
}

const MICROPYTHON: LaunchOptions = { firmware: 'demo' };

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
      assert.equal(field(await nodeRed.shows('written'), 'path'), '/main.py');
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
    file: 'wifi-settings',
    promises: 'has the board join a Wi-Fi at every start, and keeps the password out of flow and log',
    boards: [MICROPYTHON],
    environment: { WIFI_NAME: 'virtual' },
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
