/** The terminal: typed at, pasted into, interrupted, restarted, and paused while a job has the port. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { BOARD, openTab, showSidebar } from './stage.ts';
import type { Stage } from './stage.ts';

/** All that stands on the screen; xterm keeps it for screen readers. */
export async function screenText(page: Page): Promise<string> {
  return page.locator('.esp32-screen .xterm-accessibility-tree').innerText();
}

export async function screenShows(page: Page, text: string | RegExp): Promise<void> {
  const found = page.locator('.esp32-screen .xterm-accessibility-tree > div').filter({ hasText: text });
  await found.first().waitFor({ state: 'attached' });
}

export async function type(page: Page, text: string): Promise<void> {
  await page.locator('.esp32-screen textarea').focus();
  await page.keyboard.type(text);
}

export function terminalTests(stage: () => Stage): void {
  const state = (page: Page) => page.locator('.esp32-state');
  const press = (page: Page, action: string) => page.locator(`[data-action="${action}"]`).click();

  describe('the terminal', () => {
    it('connects to the board, and answers 2 to 1+1', async () => {
      const { page } = stage();
      await openTab(page, 'terminal');
      await state(page).filter({ hasText: 'connected' }).waitFor();
      await type(page, '1+1\n');
      await screenShows(page, /^2$/);
    });

    it('takes several pasted lines by the paste mode, and runs them as one', async () => {
      const { page } = stage();
      const lines = [
        'def twice(x):',
        '    if x:',
        '        return 2 * x',
        '',
        '    return 0',
        'print(twice(21), twice(0))',
      ];
      await page.locator('.esp32-screen textarea').evaluate((area, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData('text/plain', text);
        area.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
      }, lines.join('\n'));
      await screenShows(page, 'paste mode; Ctrl-C to cancel');
      await screenShows(page, /^42 0$/);
    });

    it('interrupts a program that runs, by its button and by Ctrl-C', async () => {
      const { page } = stage();
      await type(page, 'while True: pass\n\n');
      await press(page, 'interrupt');
      await state(page).filter({ hasText: 'connected' }).waitFor();
      await type(page, 'print("after", 1)\n');
      await screenShows(page, /^after 1$/);
      await type(page, 'while True: pass\n\n');
      await page.keyboard.press('Control+c');
      await screenShows(page, 'KeyboardInterrupt');
    });

    it('restarts the interpreter and the chip', async () => {
      const { page } = stage();
      await press(page, 'soft-reset');
      await screenShows(page, '>>> MicroPython v1');
      await press(page, 'hard-reset');
      await screenShows(page, /^entry 0x/);
      await state(page).filter({ hasText: 'connected' }).waitFor();
    });

    it('says that a job has the port, and goes on by itself', async () => {
      const { page } = stage();
      const seen = page.waitForFunction(
        () => document.querySelector('.esp32-state')?.textContent === 'paused: flashing',
      );
      await page.evaluate((id) => {
        const { $ } = globalThis as unknown as { $: { ajax: (request: object) => void } };
        const data = JSON.stringify({ id, port: '${ESP32_BOARD}', job: 'x' });
        $.ajax({ url: 'esp32-board/identify', method: 'POST', data, contentType: 'application/json' });
      }, BOARD);
      await seen;
      await state(page).filter({ hasText: 'connected' }).waitFor();
      await type(page, 'print("again", 2)\n');
      await screenShows(page, /^again 2$/);
    });

    it('shows what was printed before it was opened', async () => {
      const { page } = stage();
      const before = await screenText(page);
      assert.match(before, /again 2/);
      await page.reload();
      await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
      await showSidebar(page);
      await screenShows(page, /^again 2$/);
    });
  });
}
