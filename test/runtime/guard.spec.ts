/** The guard list of mirrors and deletes. */
import assert from 'node:assert/strict';
import { guardOf } from '../../lib/runtime/host-files.ts';

describe('the guard list', () => {
  const isGuarded = guardOf(['boot.py', 'data/']);

  it('holds from the root of the board, with what lies in a folder of it', () => {
    for (const path of ['/boot.py', '/data/log.txt']) assert.ok(isGuarded(path), path);
    for (const path of ['/main.py', '/boot.py.old']) assert.ok(!isGuarded(path), path);
  });

  it('holds in any case: to FAT they are the same', () => {
    for (const path of ['/Boot.py', '/DATA/log.txt']) assert.ok(isGuarded(path), path);
    assert.ok(guardOf(['BOOT.PY'])('/boot.py'));
  });
});
