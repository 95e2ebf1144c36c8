/** What each example promises, and how a person gets there: one row a file of `examples/`. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { printed } from '../support/micropython-board.ts';
import { RawRepl } from '../../lib/micropython/raw-repl.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';
import type { NodeRed } from './node-red.ts';

/** What a row has at hand. */
export interface Stage {
  nodeRed: NodeRed;
  boards: readonly VirtualBoard[];
}

export interface Example {
  /** Without `.json`. */
  file: string;
  promises: string;
  /** The board behind each `esp32 board` of the flow, in its order; default one with nothing on it. */
  boards?: readonly LaunchOptions[];
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
    file: 'sensor-chart-dashboard',
    promises: 'reads the chip temperature without a button being pressed',
    boards: [MICROPYTHON],
    run: async ({ nodeRed }) => {
      assert.equal(await nodeRed.shows('temperature'), 53.3);
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
];

function field(value: unknown, name: string): unknown {
  assert.ok(typeof value === 'object' && value !== null, String(value));
  return (value as Record<string, unknown>)[name];
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
