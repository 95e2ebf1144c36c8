/** The dialog of an esp32 board: a person picks a port, is told why there is none, and asks the board what it is. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { Port, Ports } from '../../../lib/editor/wire.ts';
import { editBoard } from './stage.ts';
import type { Stage } from './stage.ts';

const bridge: Port = {
  path: '/dev/ttyUSB0',
  likely: true,
  adapter: { name: 'CP210x', kind: 'bridge' },
  manufacturer: 'Silicon Labs',
  product: 'CP2102N USB to UART Bridge Controller',
  serialNumber: '5a8e3fb2',
  locationId: '1-1.2',
  device: 'usb:5a8e3fb2',
};
const own: Port = {
  path: '/dev/ttyACM0',
  likely: true,
  adapter: { name: 'USB-Serial/JTAG', kind: 'usb-jtag' },
  locationId: '1-1.3',
  device: 'usb:1-1.3',
};
const plain: Port = { path: '/dev/ttyS0', likely: false };

export function dialogTests(stage: () => Stage): void {
  const option = (page: Page, path: string) => page.locator(`.esp32-port[data-path="${path}"]`);
  const value = (page: Page, name: string) => page.locator(`#node-config-input-${name}`).inputValue();

  /** What this machine would show with boards on it: there are none where tests run. */
  async function plugIn(page: Page, answer: () => Ports): Promise<void> {
    await page.route('**/esp32-board/ports', (route) => route.fulfill({ json: answer() }));
  }

  describe('the dialog of a board', () => {
    afterEach(async () => {
      const { page } = stage();
      await page.unroute('**/esp32-board/ports');
      await page.locator('#node-config-dialog-cancel').click();
      await page.locator('#node-config-input-port').waitFor({ state: 'detached' });
    });

    it('asks a board what it is, with the settings as they stand in the form', async () => {
      const { page, board } = stage();
      await editBoard(page);
      await page.locator('#node-config-input-port').fill(board.rfc2217);
      await page.locator('#esp32-board-identify').click();
      const fact = (name: string): Promise<string> => page.locator(`[data-fact="${name}"]`).innerText();
      assert.match(await fact('chip'), /^ESP32-D0WD/);
      assert.equal(await fact('flash'), '4 MB');
      assert.match(await fact('mac'), /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
      assert.match(await fact('micropython'), /^v1\.\d+/);
    });

    it('says what is wrong with a port that is asked, and what to do', async () => {
      const { page } = stage();
      await editBoard(page);
      await page.locator('#node-config-input-port').fill('/dev/ttyNOTTHERE');
      await page.locator('#esp32-board-identify').click();
      const box = page.locator('.esp32-identity [data-code="port-missing"]');
      await box.getByText('There is no port /dev/ttyNOTTHERE').waitFor();
      assert.ok((await box.locator('li').count()) >= 2);
    });

    it('shows boards as they come and go, and keeps what was typed', async () => {
      const { page } = stage();
      let ports = [plain];
      await plugIn(page, () => ({ ports, troubles: [] }));
      await editBoard(page);
      await page.locator('#node-config-input-port').fill('rfc2217://somewhere:2217');
      await option(page, plain.path).waitFor();
      ports = [bridge, own, plain];
      await option(page, bridge.path).getByText('CP210x USB serial adapter').waitFor();
      await option(page, bridge.path).getByText('serial number 5a8e3fb2').waitFor();
      await option(page, own.path).getByText("The chip's own USB").waitFor();
      ports = [own, plain];
      await option(page, bridge.path).waitFor({ state: 'detached' });
      assert.equal(await value(page, 'port'), 'rfc2217://somewhere:2217');
    });

    it('binds to the board, to its socket, or to the port alone; typing a port unbinds', async () => {
      const { page } = stage();
      await plugIn(page, () => ({ ports: [bridge, own, plain], troubles: [] }));
      await editBoard(page);
      await option(page, bridge.path).click();
      assert.equal(await value(page, 'port'), bridge.path);
      assert.equal(await value(page, 'device'), bridge.device);
      assert.equal(await option(page, bridge.path).getAttribute('aria-selected'), 'true');
      const binding = page.locator('#esp32-board-binding');
      assert.deepEqual(
        await binding.locator('option').evaluateAll((all) => all.map((one) => one.getAttribute('value'))),
        ['usb:5a8e3fb2', 'usb:1-1.2', ''],
      );
      await binding.selectOption('');
      assert.equal(await value(page, 'device'), '');
      await option(page, own.path).click();
      assert.equal(await value(page, 'device'), 'usb:1-1.3');
      await page.locator('#node-config-input-port').fill('COM9');
      assert.equal(await value(page, 'device'), '');
    });

    it('is used by keyboard alone', async () => {
      const { page } = stage();
      await plugIn(page, () => ({ ports: [bridge, own, plain], troubles: [] }));
      await editBoard(page);
      await option(page, own.path).waitFor();
      // Node-RED puts the focus into a dialog a moment after it is open.
      await page.locator('.red-ui-tray :focus').first().waitFor({ state: 'attached' });
      await page.locator('#node-config-input-port').focus();
      await page.keyboard.press('Tab');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      assert.equal(await value(page, 'port'), own.path);
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Space');
      assert.equal(await value(page, 'port'), bridge.path);
    });

    it('tells why a board is not there, with what to type', async () => {
      const { page } = stage();
      const troubles = [
        {
          code: 'no-permission',
          facts: { path: '/dev/ttyUSB0', user: 'nodered', group: 'dialout', gid: 20 },
        },
        { code: 'not-passed-in', facts: { path: '/dev/ttyUSB1', byId: '/dev/ttyUSB1' } },
        { code: 'taken', facts: { adapter: 'CH340', driver: 'ch341', locationId: '1-1', case: 'brltty' } },
      ];
      await plugIn(page, () => ({ ports: [bridge], troubles }));
      await editBoard(page);
      await page.locator('code').getByText('sudo usermod -a -G dialout nodered').waitFor();
      await page.locator('pre').getByText('- /dev/ttyUSB1:/dev/ttyUSB1').waitFor();
      await page.locator('code').getByText('sudo apt-get remove brltty').waitFor();
    });
  });
}
