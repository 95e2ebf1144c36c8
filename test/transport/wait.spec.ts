/** Waiting: as long as was said, and under several signals, of which any ends it and none keeps anything of it. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { Inbox } from '../../lib/transport/inbox.ts';
import { pauseFor, underAny, within } from '../../lib/transport/wait.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

/** More than a timer of Node.js can count. */
const A_MONTH = 30 * 24 * 3600 * 1000;

describe('transport: a limit of a month', () => {
  it('is not over at once', async () => {
    const onTimeout = (): Error => new Error('too late');
    assert.equal(
      await within(
        pauseFor(20).then(() => 'done'),
        { timeoutMs: A_MONTH, onTimeout },
      ),
      'done',
    );
    const transport = new ScriptedTransport();
    const read = new Inbox(transport).read(1, { timeoutMs: A_MONTH });
    await pauseFor(20);
    transport.say('x');
    assert.equal((await read).length, 1);
  });
});

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
