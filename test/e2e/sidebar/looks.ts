/** The sidebar in the dark, and in the older Node-RED: its board answers, without a fault in the page. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { openTab, Stage } from './stage.ts';
import { screenShows, type } from './terminal.ts';

async function picturesOf(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  for (const tab of ['terminal', 'files', 'flash'] as const) {
    await openTab(page, tab);
    if (tab === 'files') await page.locator('.esp32-file').first().waitFor();
    if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}-${tab}.png` });
  }
}

/** How light a colour is, 0 to 765. */
async function lightness(page: Page, selector: string): Promise<number> {
  const color = await page.locator(selector).evaluate((element) => getComputedStyle(element).backgroundColor);
  return (color.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
}

/** What Node-RED does when its user, or the desktop, changes the theme. */
async function setDark(page: Page, isDark: boolean): Promise<void> {
  await page.evaluate((on) => document.documentElement.classList.toggle('nr-theme-dark', on), isDark);
}

export function darkTests(stage: () => Stage): void {
  it('turns dark with Node-RED, the terminal too', async () => {
    const { page } = stage();
    await openTab(page, 'terminal');
    assert.ok((await lightness(page, '.esp32-screen')) > 600);
    await setDark(page, true);
    assert.ok((await lightness(page, '.esp32-screen')) < 200);
    assert.ok((await lightness(page, '.esp32-screen .xterm-viewport')) < 200);
    await picturesOf(page, 'dark');
    await setDark(page, false);
  });
}

export function olderTests(): void {
  it('is there in Node-RED 4.1', async () => {
    const stage = await Stage.open({ nodeRed: 'node-red-4' });
    try {
      const page = await stage.logIn('owner');
      await page.locator('.esp32-state').filter({ hasText: 'connected' }).waitFor();
      await type(page, '20+1\n');
      await screenShows(page, /^21$/);
      await picturesOf(page, 'node-red-4');
    } finally {
      await stage.close();
    }
  });
}
