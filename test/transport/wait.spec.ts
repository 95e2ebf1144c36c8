/** Work under several signals: any of them ends it, and none keeps anything of it. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { underAny } from '../../lib/transport/wait.ts';

describe('transport: work under several signals', () => {
  const two = (): [AbortController, AbortController] => [new AbortController(), new AbortController()];
  const listeners = (each: readonly AbortController[]): number[] =>
    each.map(({ signal }) => getEventListeners(signal, 'abort').length);
  const forEver = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

  it('is aborted by any of them, with its reason', async () => {
    for (const at of [0, 1]) {
      const both = two();
      const work = underAny(
        both.map(({ signal }) => signal),
        forEver,
      );
      both[at]!.abort(new Error('enough'));
      await assert.rejects(work, /enough/);
    }
  });

  it('finds that one was aborted before', async () => {
    const signals = [new AbortController().signal, AbortSignal.abort(new Error('too late'))];
    await underAny(signals, (signal) => {
      assert.throws(() => signal.throwIfAborted(), /too late/);
      return Promise.resolve();
    });
  });

  it('lets go of them when it has ended, well or not', async () => {
    const both = two();
    const signals = both.map(({ signal }) => signal);
    await underAny(signals, () => {
      assert.deepEqual(listeners(both), [1, 1]);
      return Promise.resolve();
    });
    assert.deepEqual(listeners(both), [0, 0]);
    await assert.rejects(
      underAny(signals, () => Promise.reject(new Error('failed'))),
      /failed/,
    );
    assert.deepEqual(listeners(both), [0, 0]);
  });
});
