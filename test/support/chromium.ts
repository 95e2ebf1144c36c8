/** A Chromium for tests: pages whose errors are kept, closed with the test. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Context } from 'mocha';
import { chromium } from 'playwright-core';
import type { Browser, Page, Route } from 'playwright-core';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Skips the test, or in `before` the whole suite, with the reason printed, where there is no Chromium. */
export function needsChromium(context: Context): void {
  if (existsSync(EXECUTABLE)) return;
  console.log(`SKIPPED: ${EXECUTABLE} is not there (apt-get install chromium, or set CHROMIUM)`);
  context.skip();
}

export class Chromium {
  #browser: Browser | undefined;
  #pages: Page[] = [];
  #complaints: string[] = [];

  /** Opens a page; its errors fail `closePages`. `storage`: what the browser has kept of an earlier visit. */
  async open(
    url: string,
    viewport = { width: 1400, height: 900 },
    storage: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    this.#browser ??= await chromium.launch({
      executablePath: EXECUTABLE,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
      ],
    });
    const page = await this.#browser.newPage({ viewport });
    this.#pages.push(page);
    // For hangs; a machine that is busy takes its time.
    page.setDefaultTimeout(90_000);
    await page.addInitScript((entries) => {
      for (const [key, value] of entries) localStorage.setItem(key, value);
    }, Object.entries(storage));
    await page.route('**/settings/user?*', withoutTips);
    page.on('pageerror', (error) => this.#complaints.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.#complaints.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  /** Fails when a page has raised an error. */
  async closePages(): Promise<void> {
    const complaints = this.#complaints.splice(0);
    for (const page of this.#pages.splice(0)) await page.close();
    assert.deepEqual(complaints, []);
  }

  async close(): Promise<void> {
    await this.#browser?.close();
  }
}

/** Node-RED's tips raise an error of their own where a second passes before its sidebar is there. */
async function withoutTips(route: Route): Promise<void> {
  const response = await route.fetch();
  if (route.request().method() !== 'GET' || !response.ok()) return route.fulfill({ response });
  const { editor, ...settings } = (await response.json()) as { editor?: { view?: object } };
  const view = { ...editor?.view, 'view-show-tips': false };
  return route.fulfill({ response, json: { ...settings, editor: { ...editor, view } } });
}
