/** What a person does with boards in the editor: the dialog of a board, and the three tabs of the sidebar. */
import { join } from 'node:path';
import { needsChromium } from '../support/chromium.ts';
import { beginningTests } from './sidebar/beginning.ts';
import { dialogTests } from './sidebar/dialog.ts';
import { filesTests } from './sidebar/files.ts';
import { flashTests } from './sidebar/flash.ts';
import { guestTests } from './sidebar/guest.ts';
import { darkTests, olderTests } from './sidebar/looks.ts';
import { Stage } from './sidebar/stage.ts';
import { terminalTests } from './sidebar/terminal.ts';

describe('boards in the editor', function () {
  this.timeout(120_000);
  let opened: Stage | undefined;
  const stage = (): Stage => {
    if (!opened) throw new Error('the stage is not open');
    return opened;
  };

  before(async function () {
    needsChromium(this);
    opened = await Stage.open();
    await opened.logIn('owner');
  });
  afterEach(async function () {
    const folder = process.env['SCREENSHOTS'];
    const name = this.currentTest?.title.replaceAll(/\W+/g, '-');
    if (folder !== undefined && name !== undefined)
      await stage().page.screenshot({ path: join(folder, `${name}.png`) });
  });
  after(async () => {
    await opened?.close();
  });

  terminalTests(stage);
  filesTests(stage);
  flashTests(stage);
  dialogTests(stage);
  guestTests(stage);
  darkTests(stage);
  // The last: it takes the flow away.
  beginningTests(stage);
});

describe('boards in the older editor', function () {
  this.timeout(120_000);
  before(function () {
    needsChromium(this);
  });
  olderTests();
});
