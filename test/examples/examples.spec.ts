/** Every example is imported into a real Node-RED, deployed on virtual boards, and does what it promises. */
import { Chromium, needsChromium } from '../support/chromium.ts';
import { Closing } from '../support/closing.ts';
import { FileServer } from '../firmware/server.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';
import { prepared } from './files.ts';
import { NodeRed } from './node-red.ts';
import { EXAMPLES } from './table.ts';

const FIRMWARE = 'ESP32_GENERIC-20251209-v1.27.0.bin';

for (const version of ['node-red', 'node-red-4']) describe(`examples in ${version}`, function () {
  this.timeout(120_000);
  const closing = new Closing();
  const chromium = new Chromium();
  let nodeRed: NodeRed;

  before(async () => {
    // MicroPython's downloads, as its site has them.
    const server = new FileServer();
    await server.start();
    closing.later(() => server.stop());
    server.file('/download/ESP32_GENERIC/', `<a href="/firmware/${FIRMWARE}">v1.27.0</a>`);
    server.file(`/firmware/${FIRMWARE}`, demoImage().bytes);
    nodeRed = await NodeRed.start({ esp32FlashCatalogue: server.url('/download/') }, version);
    closing.later(() => nodeRed.close());
    closing.later(() => chromium.close());
  });
  after(() => closing.all());

  // What Node-RED itself does in them is the same in both; the dashboard is not.
  const some = EXAMPLES.filter(({ page }) => version === 'node-red' || page !== undefined);
  for (const example of some) {
    it(`${example.file}: ${example.promises}`, async function () {
      if (example.page !== undefined) needsChromium(this);
      const boards: VirtualBoard[] = [];
      try {
        for (const options of example.boards ?? [{ firmware: 'none' }])
          boards.push(await launchBoard({ timing: 'none', bootMs: 0, ...options }));
        const flow = prepared(example, boards);
        const secrets = flow[0] && example.secrets ? { [flow[0].id]: example.secrets } : {};
        await nodeRed.deploy(flow, secrets);
        await example.run({ nodeRed, boards, dashboard: () => chromium.open(`${nodeRed.url}dashboard/${example.page ?? ''}`) });
      } finally {
        await chromium.closePages();
        await nodeRed.deploy([]);
        for (const board of boards) await board.close();
      }
    });
  }
});
