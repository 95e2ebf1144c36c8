/**
 * What a person does after `npm start`: opens the editor, drags "esp32 flash" into a flow, sets it up,
 * deploys, presses inject, and reads the node's status until it says done.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Locator, Page } from 'playwright-core';
import { startDemo } from '../../scripts/demo.ts';
import type { Demo } from '../../scripts/demo.ts';
import { freePort } from '../support/free-port.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const TYPES = ['esp32-flash', 'esp32-ports', 'mp-files', 'mp-repl', 'mp-upload'];
const JOB_TIMEOUT_MS = 60_000;

describe('the editor after npm start', function () {
  this.timeout(120_000);
  let demo: Demo;
  let page: Page;
  const closers: (() => Promise<unknown>)[] = [];
  const complaints: string[] = [];

  before(async function () {
    if (!existsSync(CHROMIUM)) {
      console.log(`SKIPPED: ${CHROMIUM} is not there (apt-get install chromium, or set CHROMIUM)`);
      this.skip();
    }
    const userDir = await mkdtemp(join(tmpdir(), 'esp32-editor-'));
    closers.unshift(() => rm(userDir, { recursive: true, force: true }));
    demo = await startDemo({ host: '127.0.0.1', port: await freePort(), userDir });
    closers.unshift(demo.close);
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
      ],
    });
    closers.unshift(() => browser.close());
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(demo.url);
    await page.waitForFunction(() => 'RED' in globalThis);
    await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
  });

  afterEach(async function () {
    const folder = process.env['SCREENSHOTS'];
    const name = this.currentTest?.title.replaceAll(/\W+/g, '-');
    if (folder !== undefined && name !== undefined)
      await page.screenshot({ path: join(folder, `${name}.png`) });
  });

  after(async () => {
    for (const close of closers) await close();
  });

  const inPalette = (type: string): Locator =>
    page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
  const status = (id: string): Locator => page.locator(`[id="${id}"] .red-ui-flow-node-status-label`);
  const press = (id: string): Promise<void> =>
    page.locator(`[id="${id}"] .red-ui-flow-node-button-button`).click();

  it('shows the nodes in the palette, with icons that load', async () => {
    for (const type of TYPES) {
      await inPalette(type).scrollIntoViewIfNeeded();
      assert.ok(await inPalette(type).isVisible(), type);
      const icon = await inPalette(type).locator('.red-ui-palette-icon').getAttribute('style');
      const url = /url\(["']?([^"')]+)/.exec(icon ?? '')?.[1] ?? '';
      const answer = await page.request.get(new URL(url, demo.url).href);
      assert.ok(answer.ok() && url.endsWith(`${type}.svg`), `${type}: ${url}`);
    }
  });

  it('lists the ports of this machine in the board dialog', async () => {
    await editBoard();
    assert.equal(await page.locator('#node-config-input-port').inputValue(), '${ESP32_BOARD}');
    await page.waitForFunction(() => document.querySelector('#esp32-board-ports')?.childNodes.length);
    await page.locator('#node-config-dialog-cancel').click();
    await page.locator('#node-config-input-port').waitFor({ state: 'detached' });
  });

  let dragged = '';

  it('takes an esp32 flash node by drag and drop', async () => {
    const from = await centre(inPalette('esp32-flash'));
    const chart = await page.locator('#red-ui-workspace-chart').boundingBox();
    assert.ok(chart);
    const to = { x: chart.x + 500, y: chart.y + 620 };
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x + 60, from.y + 10, { steps: 5 });
    await page.mouse.move(to.x, to.y, { steps: 15 });
    await page.mouse.up();
    const flashNodes = await nodesOfType('esp32-flash');
    assert.equal(flashNodes.length, 2);
    dragged = flashNodes.find((id) => !id.startsWith('a1c0de')) ?? '';
    assert.notEqual(dragged, '');
  });

  it('sets it up, wires it to the inject node, and deploys', async () => {
    await page.locator(`[id="${dragged}"] .red-ui-flow-node`).dblclick();
    await page.locator('#node-input-name').fill('my flash');
    await page.locator('#node-input-board').selectOption({ label: 'my board' });
    await page.locator('#node-input-erase').selectOption('all');
    await page.locator('#node-dialog-ok').click();
    await page.locator('#node-input-name').waitFor({ state: 'detached' });
    const inject = 'a1c0de0000000005';
    await dragWire(
      page.locator(`[id="${inject}"] .red-ui-flow-port-output .red-ui-flow-port`),
      page.locator(`[id="${dragged}"] .red-ui-flow-port-input .red-ui-flow-port`),
    );
    await removeWire(inject, 'a1c0de0000000006');
    await page.locator('#red-ui-header-button-deploy').click();
    await page.locator('.red-ui-notification-success').first().waitFor();
  });

  it('flashes by a press on inject, until its status says that MicroPython runs', async () => {
    await press('a1c0de0000000005');
    await status(dragged)
      .filter({ hasText: /writing \d+ %/ })
      .waitFor({ timeout: JOB_TIMEOUT_MS });
    await status(dragged)
      .filter({ hasText: /done: v1\.\d+\.\d+ runs/ })
      .waitFor({ timeout: JOB_TIMEOUT_MS });
  });

  it('gets 4 for 2 + 2 in the debug sidebar', async () => {
    await page.evaluate(() => {
      const { RED } = globalThis as unknown as { RED: { sidebar: { show: (id: string) => void } } };
      RED.sidebar.show('debug');
    });
    await press('a1c0de000000000a');
    const answer = page.locator('.red-ui-debug-msg').filter({ hasText: 'answer' });
    await answer.waitFor({ timeout: JOB_TIMEOUT_MS });
    assert.equal(await answer.locator('.red-ui-debug-msg-payload').innerText(), '4');
  });

  it('writes main.py, which a soft reset runs', async () => {
    await press('a1c0de000000000e');
    const printed = page.locator('.red-ui-debug-msg').filter({ hasText: 'Hello from main.py' });
    await printed.first().waitFor({ timeout: JOB_TIMEOUT_MS });
    await status('a1c0de000000000f')
      .filter({ hasText: 'done: /main.py' })
      .waitFor({ timeout: JOB_TIMEOUT_MS });
  });

  it('says in the status what is wrong with a port, and at the Catch node what to do', async () => {
    await editBoard();
    await page.locator('#node-config-input-port').fill('/dev/ttyNOTTHERE');
    await page.locator('#node-config-dialog-ok').click();
    await page.locator('#node-config-input-port').waitFor({ state: 'detached' });
    await page.locator('#red-ui-header-button-deploy').click();
    await page.locator('.red-ui-notification-success').first().waitFor();
    await press('a1c0de000000000a');
    await status('a1c0de000000000b').filter({ hasText: 'port not there' }).waitFor();
    const diagnosis = page.locator('.red-ui-debug-msg').filter({ hasText: 'diagnosis' });
    await diagnosis.filter({ hasText: 'port-missing' }).waitFor();
  });

  it('raised no error in the page', () => {
    assert.deepEqual(complaints, []);
  });

  async function editBoard(): Promise<void> {
    await page.evaluate(() => {
      const { RED } = globalThis as unknown as { RED: { editor: { editConfig: (...a: string[]) => void } } };
      RED.editor.editConfig('', 'esp32-board', 'a1c0de0000000002');
    });
    await page.locator('#node-config-input-port').waitFor();
  }

  async function nodesOfType(type: string): Promise<string[]> {
    return page.evaluate((wanted) => {
      interface Editor {
        nodes: { filterNodes: (filter: object) => { id: string }[] };
      }
      const { RED } = globalThis as unknown as { RED: Editor };
      return RED.nodes.filterNodes({ type: wanted }).map(({ id }) => id);
    }, type);
  }

  async function dragWire(output: Locator, input: Locator): Promise<void> {
    const [from, to] = [await centre(output), await centre(input)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 8 });
    await page.mouse.move(to.x, to.y, { steps: 8 });
    await page.mouse.up();
  }

  async function removeWire(source: string, target: string): Promise<void> {
    await page.evaluate(
      ([from, to]) => {
        interface Link {
          source: { id: string };
          target: { id: string };
        }
        interface Editor {
          nodes: { filterLinks: (filter: object) => Link[]; removeLink: (link: Link) => void };
        }
        const { RED } = globalThis as unknown as { RED: Editor };
        const links = RED.nodes.filterLinks({ source: { id: from }, target: { id: to } });
        for (const link of links) RED.nodes.removeLink(link);
      },
      [source, target],
    );
  }
});

async function centre(locator: Locator): Promise<{ x: number; y: number }> {
  await locator.scrollIntoViewIfNeeded();
  const box = await locator.boundingBox();
  assert.ok(box);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
