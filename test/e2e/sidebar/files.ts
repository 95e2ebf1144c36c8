/** Files: dropped, opened in Node-RED's editor, changed, saved, run, renamed, downloaded, deleted. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { openTab } from './stage.ts';
import type { Stage } from './stage.ts';
import { screenShows, type } from './terminal.ts';

const row = (page: Page, path: string): Locator => page.locator(`.esp32-file[data-path="${path}"]`);
const press = (page: Page, action: string): Promise<void> =>
  page.locator(`[data-file-action="${action}"]`).click();

/** Drops files as a browser does. */
async function drop(target: Locator, files: Readonly<Record<string, string>>): Promise<void> {
  const dataTransfer = await target.page().evaluateHandle((entries) => {
    const transfer = new DataTransfer();
    for (const [name, text] of entries) transfer.items.add(new File([text], name));
    return transfer;
  }, Object.entries(files));
  for (const event of ['dragenter', 'dragover', 'drop']) await target.dispatchEvent(event, { dataTransfer });
}

/** Replaces all that stands in the open editor. */
async function write(page: Page, text: string): Promise<void> {
  await page.locator('.esp32-code .view-lines').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

async function done(page: Page): Promise<void> {
  await page.locator('#esp32-panel-files .esp32-status').filter({ hasText: 'free of' }).waitFor();
}

export function filesTests(stage: () => Stage): void {
  describe('the files', () => {
    it('are listed, with the room that is left', async () => {
      const { page } = stage();
      await openTab(page, 'files');
      await row(page, '/boot.py').waitFor();
      assert.match(
        await page.locator('#esp32-panel-files .esp32-status').innerText(),
        /[\d.]+ [KM]B free of [\d.]+ [KM]B/,
      );
    });

    it('come onto the board when they are dropped, into the folder they are dropped on', async () => {
      const { page } = stage();
      await press(page, 'new-folder');
      await page.locator('#esp32-name').fill('lib');
      await page.keyboard.press('Enter');
      await row(page, '/lib').waitFor();
      await drop(row(page, '/lib'), { 'driver.py': 'NAME = "driver"\n' });
      await row(page, '/lib/driver.py').waitFor();
      await drop(page.locator('.esp32-files'), { 'hello.py': 'print("hello")\n', 'data.bin': 'a\0b' });
      await row(page, '/hello.py').waitFor();
      await row(page, '/data.bin').waitFor();
      await done(page);
    });

    it('are opened in the editor of Node-RED, changed, saved and run', async () => {
      const { page } = stage();
      await row(page, '/hello.py').dblclick();
      await page.locator('.esp32-code .view-lines').filter({ hasText: 'hello' }).waitFor();
      await write(page, 'from lib.driver import NAME\nprint("run", 6 * 7, NAME)');
      await page.locator('#esp32-file-save').click();
      await page.locator('.esp32-editor').getByText('Saved on the board.').waitFor();
      await page.locator('#esp32-file-run').click();
      await page.locator('.esp32-editor').waitFor({ state: 'detached' });
      await screenShows(page, /^run 42 driver$/);
    });

    it('are asked about before what was changed is thrown away', async () => {
      const { page } = stage();
      await openTab(page, 'files');
      await row(page, '/hello.py').dblclick();
      await page.locator('.esp32-code .view-lines').filter({ hasText: 'driver' }).waitFor();
      await write(page, 'print("lost")');
      await page.locator('#esp32-file-close').click();
      await page.getByRole('button', { name: 'Close without saving' }).click();
      await page.locator('.esp32-editor').waitFor({ state: 'detached' });
    });

    it('are downloaded as they are, and told when they are no text', async () => {
      const { page } = stage();
      await row(page, '/data.bin').click();
      const [saved] = await Promise.all([page.waitForEvent('download'), press(page, 'download')]);
      assert.equal(saved.suggestedFilename(), 'data.bin');
      assert.equal(await readFile(await saved.path(), 'latin1'), 'a\0b');
      await press(page, 'open');
      await page.getByText('data.bin is no text').waitFor();
    });

    it('are renamed and deleted by keyboard alone, deleting after a question', async () => {
      const { page } = stage();
      await row(page, '/data.bin').focus();
      await page.keyboard.press('F2');
      await page.keyboard.type('other');
      await page.keyboard.press('Enter');
      await row(page, '/other.bin').waitFor();
      await done(page);
      await row(page, '/other.bin').focus();
      await page.keyboard.press('Delete');
      await page.getByText('Delete /other.bin on the board?').waitFor();
      await page.getByRole('button', { name: 'Delete', exact: true }).last().press('Enter');
      await row(page, '/other.bin').waitFor({ state: 'detached' });
    });

    it('are left alone while a program runs, until somebody says to interrupt it', async () => {
      const { page } = stage();
      await openTab(page, 'terminal');
      await type(page, 'while True: pass\n\n');
      await screenShows(page, /^\.\.\. $/);
      await openTab(page, 'files');
      await press(page, 'reload');
      await page.locator('[data-code="program-running"]').waitFor();
      await press(page, 'interrupt');
      await done(page);
      await row(page, '/hello.py').waitFor();
    });
  });
}
