import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PortError } from '../../lib/transport/errors.ts';
import { Inbox } from '../../lib/transport/inbox.ts';
import type { TransportListener } from '../../lib/transport/transport.ts';

/** A cable end for the test: what it sends reaches the inbox at once. */
function cable(options?: { limit?: number }): {
  inbox: Inbox;
  send: (bytes: Uint8Array | string) => void;
  end: (error?: Error) => void;
} {
  let listener: TransportListener | undefined;
  const inbox = new Inbox({ port: 'COM3', listen: (heard) => (listener = heard) }, options);
  return {
    inbox,
    send: (bytes) => listener?.data(Buffer.from(bytes)),
    end: (error) => listener?.closed(error),
  };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const failsWith = (code: string) => (error: unknown) => error instanceof PortError && error.code === code;

describe('transport: inbox', () => {
  it('reads by count over pieces, and leaves the rest', async () => {
    const { inbox, send } = cable();
    const read = inbox.read(5, { timeoutMs: 1000 });
    send('ab');
    send('cdefg');
    assert.equal(text(await read), 'abcde');
    assert.equal(text(inbox.take()), 'fg');
    assert.equal(inbox.length, 0);
  });

  it('reads what is there already without waiting', async () => {
    const { inbox, send } = cable();
    send('abc>>> ');
    assert.equal(text(await inbox.until('>>> ', { timeoutMs: 0 })), 'abc>>> ');
    send('xyz');
    assert.equal(text(inbox.take(2)), 'xy');
    assert.equal(text(await inbox.some({ timeoutMs: 0 })), 'z');
    assert.equal((await inbox.read(0)).length, 0);
  });

  it('finds a pattern that is split over pieces', async () => {
    const { inbox, send } = cable();
    const read = inbox.until('raw REPL; CTRL-B to exit\r\n>', { timeoutMs: 1000 });
    for (const letter of 'noise raw REPL; raw REPL; CTRL-B to exit\r\n>rest') send(letter);
    assert.equal(text(await read), 'noise raw REPL; raw REPL; CTRL-B to exit\r\n>');
    assert.equal(text(inbox.peek()), 'rest');
  });

  it('finds one byte, and what a function finds', async () => {
    const { inbox, send } = cable();
    send(Uint8Array.of(1, 0xc0, 2, 0xc0, 3));
    assert.deepEqual([...(await inbox.until(0xc0))], [1, 0xc0]);
    const shown: number[] = [];
    const read = inbox.until((unread, seen) => {
      shown.push(seen);
      return unread.length >= 6 ? 4 : -1;
    });
    send(Uint8Array.of(4, 5));
    send(Uint8Array.of(6));
    assert.deepEqual([...(await read)], [2, 0xc0, 3, 4]);
    assert.deepEqual(shown, [0, 3, 5]);
  });

  it('passes on what a finder throws, and takes nothing', async () => {
    const { inbox, send } = cable();
    send('abc');
    const broken = inbox.until(() => {
      throw new Error('bad frame');
    });
    await assert.rejects(broken, /bad frame/);
    assert.equal(inbox.length, 3);
  });

  it('agrees with a search in one piece, for any pieces and patterns', async () => {
    const few = fc.uint8Array({ min: 0, max: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(few, { maxLength: 12 }),
        few.filter((all) => all.length > 0),
        async (pieces, pattern) => {
          const { inbox, send } = cable();
          const all = Buffer.concat(pieces);
          const at = all.indexOf(pattern);
          const read = inbox
            .until(pattern, { signal: AbortSignal.timeout(10_000) })
            .catch((error: unknown) => error);
          for (const piece of pieces) send(piece);
          if (at === -1) {
            assert.deepEqual(inbox.take(), new Uint8Array(all));
            return;
          }
          assert.deepEqual(await read, new Uint8Array(all.subarray(0, at + pattern.length)));
          assert.deepEqual(inbox.take(), new Uint8Array(all.subarray(at + pattern.length)));
        },
      ),
    );
  });

  it('keeps every byte through any mix of reads', async () => {
    const steps = fc.array(fc.oneof(fc.uint8Array({ maxLength: 9000 }), fc.integer({ min: 0, max: 9000 })), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { inbox, send } = cable();
        const sent: Uint8Array[] = [];
        const got: Uint8Array[] = [];
        for (const step of all) {
          if (typeof step === 'number') got.push(await inbox.read(Math.min(step, inbox.length)));
          else {
            sent.push(step);
            send(step);
          }
        }
        got.push(inbox.take());
        assert.equal(Buffer.compare(Buffer.concat(got), Buffer.concat(sent)), 0);
      }),
    );
  });

  it('takes megabytes in small pieces in its stride', async () => {
    const { inbox, send } = cable();
    const piece = new Uint8Array(64).fill(7);
    const read = inbox.until('END', { timeoutMs: 20_000 });
    for (let count = 0; count < 125_000; count++) send(piece);
    send('END');
    assert.equal((await read).length, 8_000_003);
    const frames = inbox.until(0xc0);
    send(new Uint8Array(100_000).fill(0xc0));
    await frames;
    for (let count = 1; count < 100_000; count++) await inbox.until(0xc0);
    assert.equal(inbox.length, 0);
  });

  it('tells what came when the time is over, and keeps it', async () => {
    const { inbox, send } = cable();
    send('boot:0x13');
    await assert.rejects(inbox.until('>>>', { timeoutMs: 1 }), (error: unknown) => {
      assert.ok(error instanceof PortError && error.code === 'read-timeout' && error.port === 'COM3');
      assert.equal(text(error.facts['received'] as Uint8Array), 'boot:0x13');
      assert.equal(error.facts['receivedLength'], 9);
      return true;
    });
    assert.equal(inbox.length, 9);
    inbox.clear();
    assert.equal(inbox.length, 0);
  });

  it('carries the last 4 KiB as evidence, not megabytes', async () => {
    const { inbox, send } = cable();
    send(new Uint8Array(1_000_000));
    send('the end');
    await assert.rejects(inbox.read(2_000_000, { deadline: performance.now() - 1 }), (error: unknown) => {
      assert.ok(error instanceof PortError);
      const received = error.facts['received'] as Uint8Array;
      assert.equal(received.length, 4096);
      assert.ok(text(received).endsWith('the end'));
      return true;
    });
  });

  it('ends with the signal, before and while waiting', async () => {
    const { inbox } = cable();
    const stop = new AbortController();
    const read = inbox.read(1, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await assert.rejects(read, /enough/);
    await assert.rejects(inbox.read(1, { signal: stop.signal }), /enough/);
    await assert.rejects(inbox.read(1, { timeoutMs: 1 }), failsWith('read-timeout'));
  });

  it('ends with the error of the port, after what came before', async () => {
    const { inbox, send, end } = cable();
    const lost = new PortError('port-lost', 'COM3', 'gone');
    const read = inbox.read(10);
    send('last words');
    end(lost);
    assert.equal(text(await read), 'last words');
    await assert.rejects(inbox.read(1), lost);
    assert.equal(inbox.closed, lost);

    const other = cable();
    const waiting = other.inbox.read(1);
    other.end();
    await assert.rejects(waiting, failsWith('port-lost'));
  });

  it('lets one read wait at a time', async () => {
    const { inbox, send } = cable();
    const first = inbox.read(1);
    await assert.rejects(inbox.read(1), /another read/);
    send('x');
    assert.equal(text(await first), 'x');
  });

  it('keeps the newest bytes when no one reads', async () => {
    const { inbox, send } = cable({ limit: 10 });
    send('0123456789');
    send('abc');
    assert.equal(inbox.dropped, 3);
    assert.equal(text(inbox.peek(3)), 'abc');
    assert.equal(text(inbox.take()), '3456789abc');
    const read = inbox.until('never');
    send('0123456789a');
    await assert.rejects(read, failsWith('input-overflow'));
  });
});
