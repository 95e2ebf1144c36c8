/** Who has a port open: told by Linux, and by nobody else. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holderOf } from '../../lib/transport/holder.ts';

describe('transport: who has a port open', () => {
  let folder = '';
  let port = '';
  before(function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: only Linux tells who has a file open');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'holder-'));
    port = join(folder, 'ttyUSB0');
    writeFileSync(port, '');
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it('is told by name and number, also through a link, and another rather than this process', async () => {
    const link = join(folder, 'by-id');
    symlinkSync(port, link);
    const mine = openSync(port, 'r');
    const other = spawn('sleep', ['60'], { stdio: [mine, 'ignore', 'ignore'] });
    await once(other, 'spawn');
    assert.deepEqual(await holderOf(link), { program: 'sleep', pid: other.pid });
    other.kill();
    await once(other, 'exit');
    assert.equal((await holderOf(port))?.pid, process.pid);
    closeSync(mine);
    assert.equal(await holderOf(port), undefined);
  });

  it('is not told where there is nothing to read', async () => {
    assert.equal(await holderOf(port, join(folder, 'no-proc')), undefined);
    assert.equal(await holderOf(join(folder, 'no-port')), undefined);
  });
});
