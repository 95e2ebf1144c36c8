/** Flashing: firmware chosen, the plan as a map, carried out on that map until the board was seen to run. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { openTab, reload } from './stage.ts';
import type { Stage } from './stage.ts';

const region = (page: Page, label: string): Locator => page.locator(`[data-region="${label}"]`);
const press = (page: Page, name: string): Promise<void> =>
  page.locator('#esp32-panel-flash').getByRole('button', { name, exact: true }).click();

export function flashTests(stage: () => Stage): void {
  describe('flashing', () => {
    it('says what will happen, drawn as a map: what differs is written, files stay', async () => {
      const { page, board } = stage();
      // Something of the application is not as it was.
      await board.writeFlash(0x40000, new Uint8Array(4096).fill(0x5a));
      await openTab(page, 'flash');
      await press(page, 'Show what will happen');
      await page.getByText('Files and settings stay.').waitFor();
      assert.match(await region(page, 'factory').innerText(), /0x10000\s+1\.9 MB\s+4 KB new/);
      assert.equal(await region(page, 'vfs').getAttribute('data-fate'), 'stays');
      assert.equal(await region(page, 'nvs').getAttribute('data-fate'), 'stays');
    });

    it('shows how far it is on that map, and ends when MicroPython runs', async () => {
      const { page } = stage();
      await press(page, 'Flash');
      await page.getByText(/^ MicroPython v1\.27\.0 runs$/).waitFor();
      assert.equal(await region(page, 'factory').getAttribute('data-done'), 'true');
    });

    it('asks before anything is lost, and does nothing when the answer is no', async () => {
      const { page, board } = stage();
      await press(page, 'Other firmware');
      await page.locator('#esp32-erase').selectOption('all');
      await page.locator('#esp32-version').fill('1.27.0');
      await press(page, 'Show what will happen');
      await page.locator('[data-kept="loses"]').waitFor();
      assert.equal(await region(page, 'vfs').getAttribute('data-fate'), 'lost');
      await press(page, 'Flash');
      await page.getByText('Flash, and lose what is in').waitFor();
      await page.getByRole('button', { name: 'Cancel' }).last().click();
      assert.notDeepEqual(await board.readFlash(0x200000, 16), new Uint8Array(16).fill(0xff));
      await press(page, 'Other firmware');
    });

    it('flashes a file of the browser, everything erased first, once that was allowed', async () => {
      const { page } = stage();
      await page.locator('input[name="esp32-source"][value="file"]').check();
      await page.locator('#esp32-firmware').setInputFiles(`${stage().userDir}/micropython-demo.bin`);
      await press(page, 'Show what will happen');
      await page.getByText('micropython-demo.bin → ESP32').waitFor();
      await press(page, 'Flash');
      await page.locator('.red-ui-notification').getByRole('button', { name: 'Flash' }).click();
      await page.getByText(/^ MicroPython v1\.\d+\.\d+ runs$/).waitFor();
    });

    it('explains what cannot be flashed, before anything is erased', async () => {
      const { page, server } = stage();
      await press(page, 'Other firmware');
      server.file('/page.bin', '<html>no firmware</html>');
      await page.locator('input[name="esp32-source"][value="url"]').check();
      await page.locator('#esp32-url').fill(server.url('/page.bin'));
      await press(page, 'Show what will happen');
      const box = page.locator('#esp32-panel-flash [data-code="image-not-esp"]');
      await box
        .getByText('Nothing was erased')
        .or(box.getByText('micropython.org/download'))
        .first()
        .waitFor();
      await page.locator('#esp32-plan').waitFor();
    });

    it('does not say that it has compared what a chip does not let it compare', async () => {
      const { page } = stage();
      const question = '**/esp32-board/*/flash';
      const result = { started: 'program', written: 4096, seconds: 1, verified: false };
      await page.route(question, (route) => route.fulfill({ json: { phase: 'done', result } }));
      try {
        await reload(page);
        await openTab(page, 'flash');
        const outcome = page.locator('.esp32-outcome[data-seen="false"]');
        await outcome.getByText('Written; this chip does not let it be compared').waitFor();
      } finally {
        await page.unroute(question);
      }
    });

    it('tells what keeps it from knowing where flashing stands', async () => {
      const { page } = stage();
      const question = '**/esp32-board/*/flash';
      const failure = { code: 'no-port-chosen', facts: {} };
      await page.route(question, (route) => route.fulfill({ json: { failure } }));
      try {
        await reload(page);
        await openTab(page, 'flash');
        await page.locator('#esp32-panel-flash [data-code="no-port-chosen"]').waitFor();
      } finally {
        await page.unroute(question);
      }
    });
  });
}
