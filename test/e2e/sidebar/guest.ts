/** Who may only look sees everything and does nothing: neither in the page, nor by asking the runtime past it. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { BOARD, openTab } from './stage.ts';
import type { Stage } from './stage.ts';
import { screenShows, type } from './terminal.ts';

/** What does something to a board. */
const ACTIONS = [
  'terminal/input',
  'terminal/paste',
  'control',
  'files/upload',
  'files/delete',
  'files/folder',
  'files/move',
  'files/run',
  'flash/file',
  'flash/plan',
  'flash/start',
  'flash/cancel',
];
const WRITES = ['identify', ...ACTIONS.map((action) => `${BOARD}/${action}`)];

export function guestTests(stage: () => Stage): void {
  describe('a user who may only read', () => {
    let guest: Page;

    before(async () => {
      guest = await stage().logIn('guest');
    });

    it('sees what the board prints for others, and cannot type', async () => {
      const { page } = stage();
      await guest.locator('.esp32-state').filter({ hasText: 'connected' }).waitFor();
      await type(guest, 'print("guest", 3)\n');
      await openTab(page, 'terminal');
      await type(page, 'print("owner", 4)\n');
      await screenShows(guest, /^owner 4$/);
      assert.doesNotMatch(await guest.locator('.esp32-screen').innerText(), /guest/);
      for (const control of await guest.locator('[data-action]').all()) assert.ok(await control.isDisabled());
    });

    it('sees the files and the plan of others, and may open and download only', async () => {
      await openTab(guest, 'files');
      await guest.locator('.esp32-file[data-path="/boot.py"]').click();
      const enabled = guest.locator('[data-file-action]:not(:disabled)');
      await guest.locator('[data-file-action="open"]:not(:disabled)').waitFor();
      const names = await enabled.evaluateAll((all) =>
        all.map((one) => one.getAttribute('data-file-action')),
      );
      assert.deepEqual(names, ['reload', 'open', 'download']);
      await openTab(guest, 'flash');
      assert.ok(await guest.locator('#esp32-plan').isDisabled());
    });

    it('is refused by the runtime, too', async () => {
      const headers = {
        Authorization: `Bearer ${await stage().token('guest')}`,
        'Content-Type': 'application/json',
      };
      const ask = (path: string): Promise<Response> =>
        fetch(`${stage().url}esp32-board/${path}`, { method: 'POST', headers, body: '{}' });
      const answers = await Promise.all(WRITES.map(ask));
      assert.deepEqual(
        answers.map(({ status }) => status),
        WRITES.map(() => 401),
      );
    });
  });
}
