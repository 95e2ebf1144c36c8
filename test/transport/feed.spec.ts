import assert from 'node:assert/strict';
import { Feed } from '../../lib/transport/feed.ts';
import type { TransportListener } from '../../lib/transport/transport.ts';

/** A listener that writes down what it hears. */
function notes(): TransportListener & { heard: string[] } {
  const heard: string[] = [];
  return {
    heard,
    data: (bytes) => heard.push(Buffer.from(bytes).toString()),
    closed: (error) => heard.push(`closed ${error?.message ?? 'by us'}`),
  };
}

describe('transport: who hears the bytes', () => {
  it('hands over what came before, then what comes', () => {
    const feed = new Feed();
    feed.push(Buffer.from('boot'));
    feed.push(Buffer.from('log'));
    const listener = notes();
    feed.listen(listener);
    feed.push(Buffer.from('more'));
    assert.deepEqual(listener.heard, ['boot', 'log', 'more']);
  });

  it('lets one listener take the place of another', () => {
    const feed = new Feed();
    const [first, second] = [notes(), notes()];
    feed.listen(first);
    feed.push(Buffer.from('a'));
    feed.listen(second);
    feed.push(Buffer.from('b'));
    assert.deepEqual([first.heard, second.heard], [['a'], ['b']]);
  });

  it('tells the end once, also to who comes after it', () => {
    const feed = new Feed();
    const listener = notes();
    feed.listen(listener);
    feed.finish(new Error('gone'));
    feed.finish();
    feed.push(Buffer.from('too late'));
    assert.deepEqual(listener.heard, ['closed gone']);
    const late = notes();
    feed.listen(late);
    assert.deepEqual(late.heard, ['closed gone']);
  });

  it('keeps the last 256 KiB for no one', () => {
    const feed = new Feed();
    for (let count = 0; count < 100; count++) feed.push(new Uint8Array(10_000).fill(count));
    assert.ok(feed.kept.length <= 256 * 1024);
    assert.equal(feed.kept.at(-1), 99);
  });

  it('drops what is kept and what comes meanwhile', async () => {
    const feed = new Feed();
    feed.push(Buffer.from('old'));
    await feed.dropDuring(() => {
      feed.push(Buffer.from('older than it looks'));
      return Promise.resolve();
    });
    feed.push(Buffer.from('new'));
    assert.equal(Buffer.from(feed.kept).toString(), 'new');
  });
});
