/** From no board at all to one that answers, and from tab to tab by keyboard. */
import assert from 'node:assert/strict';
import { openTab, reload } from './stage.ts';
import type { Stage } from './stage.ts';

export function beginningTests(stage: () => Stage): void {
  it('goes from tab to tab by the arrow keys', async () => {
    const { page } = stage();
    await openTab(page, 'terminal');
    await page.locator('#esp32-tab-terminal').focus();
    for (const name of ['files', 'flash', 'terminal']) {
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.locator(':focus').getAttribute('id'), `esp32-tab-${name}`);
      await page.locator(`#esp32-panel-${name}`).waitFor();
    }
  });

  it('says that it could not ask which boards there are, rather than that there is none, and looks again', async () => {
    const { page } = stage();
    const asked = '**/esp32-board/boards';
    // As the runtime tells it; what the network does to an answer would be an error of the page.
    const failure = { code: 'unexpected', facts: { message: 'out of memory' } };
    await page.route(asked, (route) => route.fulfill({ json: { failure } }));
    await reload(page);
    const empty = page.locator('.esp32-empty');
    await empty.locator('[data-code="unexpected"]').waitFor();
    assert.equal(await empty.getByText('No board yet').count(), 0);
    await page.unroute(asked);
    await empty.getByRole('button', { name: 'Look again' }).click();
    await page.locator('.esp32-state').filter({ hasText: 'connected' }).waitFor();
  });

  it('says what to do where there is no board, until there is one that answers', async () => {
    const { page, url, board } = stage();
    const headers = {
      Authorization: `Bearer ${await stage().token('owner')}`,
      'Content-Type': 'application/json',
    };
    await fetch(`${url}flows`, { method: 'POST', headers, body: '[]' });
    await reload(page);
    await page.locator('.esp32-empty').getByText('No board yet').waitFor();
    await page.locator('.esp32-empty').getByRole('button', { name: 'Add a board' }).click();
    await page.locator('#node-config-input-port').fill(board.rfc2217);
    await page.locator('#node-config-dialog-ok').click();
    await page.locator('.esp32-empty').getByText('Press Deploy').waitFor();
    await page.locator('#red-ui-header-button-deploy').click();
    const anyway = page.locator('.red-ui-notification').getByRole('button', { name: 'Confirm deploy' });
    const connected = page.locator('.esp32-state').filter({ hasText: 'connected' });
    await anyway.or(connected).first().waitFor();
    if (await anyway.isVisible()) await anyway.click();
    await connected.waitFor();
  });
}
