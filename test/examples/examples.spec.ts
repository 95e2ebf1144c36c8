/** Every example is imported into a real Node-RED, deployed on virtual boards, and does what it promises. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { Chromium, needsChromium } from '../support/chromium.ts';
import { Closing } from '../support/closing.ts';
import { startCatalogue } from '../firmware/server.ts';
import type { FileServer } from '../firmware/server.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';
import { prepared } from './files.ts';
import { NodeRed } from './node-red.ts';
import { EXAMPLES } from './table.ts';

for (const version of ['node-red', 'node-red-4']) describe(`examples in ${version}`, function () {
  this.timeout(120_000);
  const closing = new Closing();
  const chromium = new Chromium();
  let nodeRed: NodeRed;
  let server: FileServer;

  before(async () => {
    server = await startCatalogue();
    closing.later(() => server.stop());
    const web = { esp32FlashCatalogue: server.url('/download/'), esp32PackageIndex: server.url('/pi/v2') };
    nodeRed = await NodeRed.start(web, version);
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
      const folder = await mkdtemp(join(tmpdir(), 'esp32-example-'));
      try {
        for (const options of example.boards ?? [{ firmware: 'none' }])
          boards.push(await launchBoard({ timing: 'none', bootMs: 0, ...options }));
        const flow = prepared(example, boards, server, folder);
        const secrets = flow[0] && example.secrets ? { [flow[0].id]: example.secrets } : {};
        await nodeRed.deploy(flow, secrets);
        const dashboard = (): Promise<Page> => chromium.open(`${nodeRed.url}dashboard/${example.page ?? ''}`);
        await example.run({ nodeRed, boards, server, folder, dashboard });
      } finally {
        await nodeRed.deploy([]);
        for (const board of boards) await board.close();
        await rm(folder, { recursive: true, force: true });
        await chromium.closePages();
      }
    });
  }
});
