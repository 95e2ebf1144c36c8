/** `npm run screenshots`: makes the pictures in `docs/images` anew, of what runs on a virtual board. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { prepared } from '../test/examples/files.ts';
import { NodeRed } from '../test/examples/node-red.ts';
import { EXAMPLES } from '../test/examples/table.ts';
import { startCatalogue } from '../test/firmware/server.ts';
import type { FileServer } from '../test/firmware/server.ts';
import { openTab, showSidebar } from '../test/e2e/sidebar/stage.ts';
import { Chromium } from '../test/support/chromium.ts';
import { Closing } from '../test/support/closing.ts';
import { editorLoaded } from '../test/support/editor.ts';
import { launchBoard } from '../test/virtual-board/launch.ts';
import type { VirtualBoard } from '../test/virtual-board/launch.ts';

interface Stage {
  nodeRed: NodeRed;
  chromium: Chromium;
  board: VirtualBoard;
  server: FileServer;
}

/** File name → how to get to what it shows. The last page is what is taken. */
const PICTURES: Readonly<Record<string, (stage: Stage) => Promise<Page>>> = {
  'flow.png': async (stage) => {
    const page = await editor(stage, 'flash-and-greet');
    await stage.nodeRed.press('flash MicroPython');
    await stage.nodeRed.shows('flashed');
    await stage.nodeRed.press('ask 2 + 2');
    await stage.nodeRed.shows('answer');
    await stage.nodeRed.press('write main.py');
    await stage.nodeRed.shows('board says');
    await page.locator('.red-ui-debug-msg').filter({ hasText: 'board says' }).last().waitFor();
    return page;
  },
  'dialog.png': async (stage) => {
    const page = await editor(stage, 'flash-and-greet');
    await page
      .locator('.red-ui-flow-node-group, .red-ui-flow-node')
      .filter({ hasText: 'esp32 flash' })
      .last()
      .dblclick();
    await page.locator('#node-input-erase').waitFor();
    // The tray slides in.
    await page.waitForTimeout(1000);
    return page;
  },
  'terminal.png': async (stage) => {
    const page = await sidebar(stage);
    await page.locator('.esp32-state').filter({ hasText: 'connected' }).waitFor();
    await page.locator('.esp32-screen textarea').focus();
    for (const line of ['import sys', 'sys.platform', '[n ** 2 for n in range(8)]']) {
      await page.keyboard.type(`${line}\n`);
      await page.waitForTimeout(300);
    }
    return page;
  },
  'files.png': async (stage) => {
    const page = await sidebar(stage);
    await openTab(page, 'files');
    await page.locator('.esp32-file[data-path="/boot.py"]').dblclick();
    await page.locator('.esp32-code .view-lines').waitFor();
    await page.waitForTimeout(1000);
    return page;
  },
  'flash-plan.png': async (stage) => {
    const page = await sidebar(stage);
    await stage.board.writeFlash(0x20000, new Uint8Array(0x60000).fill(0x5a));
    await openTab(page, 'flash');
    await page.locator('#esp32-plan').click();
    await page.locator('#esp32-start').waitFor();
    return page;
  },
  'dashboard.png': async (stage) => {
    const { nodeRed, chromium, board } = stage;
    await deploy(stage, 'flash-button-dashboard');
    const page = await chromium.open(`${nodeRed.url}dashboard/flash`, { width: 560, height: 620 });
    await nodeRed.press('plug in 1');
    await page.locator('.nrdb-ui-dropdown').click();
    await page.getByText(board.rfc2217).click();
    await page.getByRole('button', { name: 'Flash MicroPython' }).click();
    await page.getByText('100%').waitFor();
    return page;
  },
};

async function deploy({ nodeRed, board, server }: Stage, file: string): Promise<void> {
  const example = EXAMPLES.find((each) => each.file === file);
  if (!example) throw new Error(`there is no example ${file}`);
  await nodeRed.deploy(prepared(example, [board], server, ''));
}

async function editor(stage: Stage, file: string): Promise<Page> {
  await deploy(stage, file);
  const page = await stage.chromium.open(stage.nodeRed.url, { width: 1280, height: 700 });
  await editorLoaded(page);
  return page;
}

/** The editor with the sidebar, and a board that runs MicroPython already. */
async function sidebar(stage: Stage): Promise<Page> {
  const page = await editor(stage, 'flash-and-greet');
  await stage.nodeRed.press('flash MicroPython');
  await stage.nodeRed.shows('flashed');
  await showSidebar(page);
  return page;
}

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url));
const closing = new Closing();
try {
  await mkdir(folder, { recursive: true });
  const server = await startCatalogue();
  closing.later(() => server.stop());
  const nodeRed = await NodeRed.start({ esp32FlashCatalogue: server.url('/download/') });
  closing.later(() => nodeRed.close());
  const chromium = new Chromium();
  closing.later(() => chromium.close());
  for (const [name, take] of Object.entries(PICTURES)) {
    const board = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0 });
    const page = await take({ nodeRed, chromium, board, server });
    await page.screenshot({ path: join(folder, name) });
    console.log(name);
    await chromium.closePages();
    await nodeRed.deploy([]);
    await board.close();
  }
} finally {
  await closing.all();
}
