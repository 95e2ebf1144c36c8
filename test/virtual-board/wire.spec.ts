import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ManualClock } from './clock.ts';
import { Lane, sample } from './wire.ts';
import { slipEncode, SlipReader } from './slip.ts';

describe('virtual board: wire', () => {
  it('lets bytes through at ten bits each and no faster', async () => {
    const clock = new ManualClock();
    const arrivals: { at: number; count: number }[] = [];
    const lane = new Lane(clock, (bytes) => arrivals.push({ at: clock.now(), count: bytes.length }));
    lane.send(new Uint8Array(1152), 115200);
    await clock.advance(50);
    const half = arrivals.reduce((sum, lump) => sum + lump.count, 0);
    assert.ok(half >= 560 && half <= 576, `${half} bytes after 50 ms`);
    await clock.advance(49);
    assert.ok(lane.pending > 0, 'the last byte is not there a millisecond early');
    await clock.advance(1.001);
    assert.equal(lane.pending, 0);
    let sent = 0;
    for (const lump of arrivals) {
      sent += lump.count;
      assert.ok(sent * 10 <= (lump.at * 115200) / 1000 + 1e-3, `${sent} bytes at ${lump.at} ms`);
    }
  });

  it('sends each burst at the rate of its sender', async () => {
    const clock = new ManualClock();
    const rates: number[] = [];
    const lane = new Lane(clock, (_, baudRate) => rates.push(baudRate));
    lane.send(new Uint8Array(4), 9600);
    lane.send(new Uint8Array(4), 921600);
    await clock.advance(20);
    assert.deepEqual([...new Set(rates)], [9600, 921600]);
  });

  it('drains when the last bit is out, and a stall holds it', async () => {
    const clock = new ManualClock();
    const lane = new Lane(clock, () => undefined);
    let drained = false;
    lane.send(new Uint8Array(10), 10_000);
    lane.stall(100);
    void lane.drained().then(() => (drained = true));
    await clock.advance(105);
    assert.equal(drained, false);
    await clock.advance(10);
    assert.equal(drained, true);
  });

  it('reads what was sent at the same rate, also a little off', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        fc.double({ min: 0.985, max: 1.015, noNaN: true }),
        (bytes, factor) => {
          assert.deepEqual(sample(bytes, 115200, 115200 * factor), bytes);
        },
      ),
    );
  });

  it('samples bits: within the tolerance of a UART still right, beyond it garbage', () => {
    const text = new TextEncoder().encode('MicroPython v1.27.0');
    assert.deepEqual(sample(text, 115200, 115200 * 1.03), text);
    assert.notDeepEqual(sample(text, 115200, 115200 * 1.2), text);
    assert.notDeepEqual(sample(text, 115200, 460800), text);
  });

  it('makes more bytes of a slower sender and fewer of a faster one', () => {
    const bytes = new Uint8Array(100).fill(0x55);
    assert.ok(sample(bytes, 115200, 460800).length > 150);
    assert.ok(sample(bytes, 460800, 115200).length < 60);
    assert.ok(sample(bytes, 460800, 115200).length > 0);
  });
});

describe('virtual board: SLIP', () => {
  it('gives back any frames, whatever lies between them', () => {
    const frame = fc.uint8Array({ minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), (frames) => {
        const reader = new SlipReader(200);
        const stream = frames.flatMap((each) => [1, 2, 3, ...slipEncode(each)]);
        const found = stream.map((byte) => reader.take(byte)).filter((each) => each !== undefined);
        assert.deepEqual(found, frames);
      }),
    );
  });

  it('drops a frame that is too long or wrongly escaped, and takes the next', () => {
    const reader = new SlipReader(4);
    const take = (...bytes: number[]): Uint8Array[] =>
      bytes.map((byte) => reader.take(byte)).filter((each) => each !== undefined);
    assert.deepEqual(take(0xc0, 1, 2, 3, 4, 5), []);
    assert.deepEqual(take(0xc0, 9, 0xc0), [Uint8Array.of(9)]);
    assert.deepEqual(take(0xc0, 0xdb, 0x33), []);
    assert.deepEqual(take(0xc0, 8, 0xc0), [Uint8Array.of(8)]);
  });
});
