/** The built package in every Node-RED it is for: loads without a fault and does the main job. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE, startDemo } from '../../scripts/demo.ts';
import { freePort } from '../support/free-port.ts';

interface NodeSet {
  module: string;
  types: string[];
  err?: string;
}

for (const nodeRed of ['node-red', 'node-red-4']) {
  describe(`the package in ${nodeRed}`, function () {
    this.timeout(120_000);
    const closers: (() => Promise<unknown>)[] = [];
    let url = '';
    let userDir = '';

    before(async () => {
      userDir = await mkdtemp(join(tmpdir(), `esp32-${nodeRed}-`));
      closers.unshift(() => rm(userDir, { recursive: true, force: true }));
      const demo = await startDemo({ host: '127.0.0.1', port: await freePort(), userDir, nodeRed });
      closers.unshift(demo.close);
      url = demo.url;
    });
    after(async () => {
      for (const close of closers) await close();
    });

    it('loads every node without a fault', async () => {
      const answer = await fetch(`${url}nodes`, { headers: { Accept: 'application/json' } });
      const sets = ((await answer.json()) as NodeSet[]).filter(({ module }) =>
        module.includes('micropython'),
      );
      assert.deepEqual(sets.flatMap(({ types }) => types).sort(), [
        'esp32-board',
        'esp32-flash',
        'esp32-ports',
        'mp-files',
        'mp-repl',
        'mp-upload',
      ]);
      assert.deepEqual(
        sets.map(({ err }) => err).filter((err) => err !== undefined),
        [],
      );
    });

    it('loads the sidebar, and serves what its page needs', async () => {
      const answer = await fetch(`${url}plugins`, { headers: { Accept: 'application/json' } });
      const [plugin] = ((await answer.json()) as (NodeSet & { id: string })[]).filter(
        ({ module }) => module === PACKAGE,
      );
      assert.equal(plugin?.id, `${PACKAGE}/esp32-sidebar`);
      assert.equal(plugin.err, undefined);
      for (const file of ['editor/sidebar/main.js', 'editor/board-dialog/main.js', 'xterm/xterm.mjs'])
        assert.equal((await fetch(`${url}resources/${PACKAGE}/${file}`)).status, 200, file);
    });

    it('explains every error in the help', async () => {
      const answer = await fetch(`${url}nodes`, { headers: { Accept: 'text/html' } });
      const help = /data-help-name="esp32-board">([^]*?)<\/script>/.exec(await answer.text())?.[1] ?? '';
      for (const code of ['port-busy', 'no-answer', 'verify-failed', 'unexpected'])
        assert.match(help, new RegExp(`<details id="${code}"><summary><code>${code}</code> .+<li>`));
    });

    it('offers the example, and the ports of this machine', async () => {
      const examples = await (await fetch(`${url}library/examples/flows/${PACKAGE}`)).text();
      assert.match(examples, /flash-and-greet/);
      const { ports } = (await (await fetch(`${url}esp32-board/ports`)).json()) as { ports: unknown };
      assert.ok(Array.isArray(ports));
    });

    it('flashes a board and asks it, on a web request', async () => {
      const answer = await fetch(`${url}flows`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(webFlow(join(userDir, 'micropython-demo.bin'))),
      });
      assert.equal(answer.status, 204);
      assert.equal(await greeting(`${url}greet`), '4');
    });
  });
}

/** Node-RED 5 starts a deployed flow only after it has answered: until then there is no such page. */
async function greeting(url: string): Promise<string> {
  for (;;) {
    const answer = await fetch(url);
    if (answer.status !== 404) return answer.text();
    await sleep(50);
  }
}

/** `GET /greet` flashes the firmware, asks the board for 2 + 2, and answers with that. */
function webFlow(firmware: string): object[] {
  const z = 'b1c0de0000000001';
  const board = 'b1c0de0000000002';
  const set = (to: string): object[] => [{ t: 'set', p: 'payload', pt: 'msg', to, tot: 'str' }];
  const node = (id: number, type: string, settings: object, next: number): object => {
    const name = (n: number): string => `b1c0de00000000${n}`;
    return { id: name(id), type, z, ...settings, wires: next ? [[name(next)]] : [] };
  };
  return [
    { id: z, type: 'tab', label: 'web' },
    { id: board, type: 'esp32-board', port: '${ESP32_BOARD}', baudRate: '115200', flashBaudRate: '921600' },
    node(10, 'http in', { url: '/greet', method: 'get' }, 11),
    node(11, 'change', { rules: set(firmware) }, 12),
    node(
      12,
      'esp32-flash',
      { board, firmware: 'payload', firmwareType: 'msg', erase: 'needed', offset: '' },
      13,
    ),
    node(13, 'change', { rules: set('2 + 2') }, 14),
    node(14, 'mp-repl', { board, mode: 'evaluate', timeout: '10' }, 15),
    node(
      15,
      'change',
      { rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '$string(payload)', tot: 'jsonata' }] },
      16,
    ),
    node(16, 'http response', { statusCode: '' }, 0),
  ];
}
