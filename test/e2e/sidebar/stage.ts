/**
 * One Node-RED with users, one board, one browser for all that is done in the editor with boards. Two people look:
 * one may do everything, the other may only look.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startDemo } from '../../../scripts/demo.ts';
import { startCatalogue } from '../../firmware/server.ts';
import type { FileServer } from '../../firmware/server.ts';
import { Chromium } from '../../support/chromium.ts';
import { Closing } from '../../support/closing.ts';
import { editorLoaded } from '../../support/editor.ts';
import { freePort } from '../../support/free-port.ts';
import { launchBoard } from '../../virtual-board/launch.ts';
import type { VirtualBoard } from '../../virtual-board/launch.ts';

/** The board of the example flow that every new user folder has. */
export const BOARD = 'a1c0de0000000002';

/** bcrypt of `pass`, with as few rounds as there may be. */
const PASSWORD = '$2b$04$.wHyi9jf3Lj718RM0pPQFOzTQ.vbQOflqporek1zbsRG138g9jfMq';
const USERS = [
  { username: 'owner', password: PASSWORD, permissions: '*' },
  { username: 'guest', password: PASSWORD, permissions: 'read' },
];

export class Stage {
  readonly url: string;
  readonly board: VirtualBoard;
  readonly server: FileServer;
  readonly userDir: string;
  readonly #chromium: Chromium;
  readonly #closing: Closing;
  #page: Page | undefined;

  private constructor(
    parts: Pick<Stage, 'url' | 'board' | 'server' | 'userDir'>,
    chromium: Chromium,
    closing: Closing,
  ) {
    this.url = parts.url;
    this.board = parts.board;
    this.server = parts.server;
    this.userDir = parts.userDir;
    this.#chromium = chromium;
    this.#closing = closing;
  }

  static async open({ nodeRed = 'node-red' } = {}): Promise<Stage> {
    const closing = new Closing();
    try {
      const userDir = await mkdtemp(join(tmpdir(), 'esp32-sidebar-'));
      closing.later(() => rm(userDir, { recursive: true, force: true }));
      const board = await launchBoard({ firmware: 'demo', timing: 'none', bootMs: 0 });
      closing.later(() => board.close());
      const server = await startCatalogue();
      closing.later(() => server.stop());
      const demo = await startDemo({
        host: '127.0.0.1',
        port: await freePort(),
        userDir,
        nodeRed,
        board: board.rfc2217,
        settings: {
          adminAuth: { type: 'credentials', users: USERS },
          editorTheme: { tours: false },
          esp32FlashCatalogue: server.url('/download/'),
        },
      });
      closing.later(demo.close);
      const chromium = new Chromium();
      closing.later(() => chromium.close());
      return new Stage({ url: demo.url, board, server, userDir }, chromium, closing);
    } catch (error) {
      await closing.all();
      throw error;
    }
  }

  /** The page of the one who may do everything. */
  get page(): Page {
    if (!this.#page) throw new Error('nobody has logged in');
    return this.#page;
  }

  /** Opens the editor as one of the users, with the sidebar shown. */
  async logIn(username: 'owner' | 'guest'): Promise<Page> {
    const token = await this.token(username);
    const page = await this.#chromium.open(this.url, undefined, {
      'auth-tokens': JSON.stringify({ access_token: token, token_type: 'Bearer' }),
    });
    await editorLoaded(page);
    await showSidebar(page);
    if (username === 'owner') this.#page = page;
    return page;
  }

  /** What a user's requests carry, as the login form gets it. */
  async token(username: 'owner' | 'guest'): Promise<string> {
    const login = {
      client_id: 'node-red-editor',
      grant_type: 'password',
      scope: '',
      username,
      password: 'pass',
    };
    const answer = await fetch(`${this.url}auth/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(login),
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  }

  /** Fails where a page has raised an error. */
  async close(): Promise<void> {
    try {
      await this.#chromium.closePages();
    } finally {
      await this.#closing.all();
    }
  }
}

export async function showSidebar(page: Page): Promise<void> {
  await page.evaluate(() => {
    const { RED } = globalThis as unknown as { RED: { sidebar: { show: (id: string) => void } } };
    RED.sidebar.show('esp32-sidebar');
  });
  await page.locator('#esp32-sidebar').waitFor();
  // Node-RED 5 has two sections one above the other; a click on the one that is open closes it.
  const debug = page.locator('button[data-tab-id="debug"].selected');
  if (await debug.isVisible()) await debug.click();
}

/** The editor anew, with the sidebar shown. */
export async function reload(page: Page): Promise<void> {
  await page.reload();
  await editorLoaded(page);
  await showSidebar(page);
}

export async function openTab(page: Page, name: 'terminal' | 'files' | 'flash'): Promise<void> {
  await page.locator(`#esp32-tab-${name}`).click();
  await page.locator(`#esp32-panel-${name}`).waitFor();
}

export async function editBoard(page: Page): Promise<void> {
  await page.evaluate((id) => {
    const { RED } = globalThis as unknown as { RED: { editor: { editConfig: (...a: string[]) => void } } };
    RED.editor.editConfig('', 'esp32-board', id);
  }, BOARD);
  await page.locator('#node-config-input-port').waitFor();
}
