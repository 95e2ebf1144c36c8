import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeFrame, FrameDecoder } from '../../lib/esp/slip.ts';

const END = 0xc0;
const ESC = 0xdb;

/** Bytes as they come on a line, with many of those that SLIP treats apart. */
const payload = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .chain((bytes) =>
    fc
      .uint8Array({ minLength: bytes.length, maxLength: bytes.length, max: 3 })
      .map((choice) => bytes.map((byte, i) => [byte, END, ESC, 0xdc][choice[i]!]!)),
  );

/** Cuts bytes at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.slice(at[i], end));
}

/** Frames and noise of a decoder that is fed so. */
function decode(chunks: Iterable<Uint8Array>): { frames: number[][]; noise: number[] } {
  const noise: number[] = [];
  const decoder = new FrameDecoder((bytes) => noise.push(...bytes));
  const frames = [...chunks].flatMap((chunk) => decoder.push(chunk).map((frame) => [...frame]));
  return { frames, noise };
}

describe('esp: SLIP', () => {
  it('writes ESC before END, and both ends of a frame', () => {
    const frame = encodeFrame(Uint8Array.of(1, END, ESC, 0xdc, 0xdd));
    assert.deepEqual([...frame], [END, 1, ESC, 0xdc, ESC, 0xdd, 0xdc, 0xdd, END]);
  });

  it('brings any bytes through in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(payload, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (payloads, places) => {
          const { frames, noise } = decode(cut(Buffer.concat(payloads.map(encodeFrame)), places));
          const sent = payloads.map((each) => [...each]);
          assert.deepEqual(frames, sent);
          assert.deepEqual(noise, []);
        },
      ),
    );
  });

  it('hands over what stands between frames, in order', () => {
    const text = fc
      .uint8Array({ maxLength: 40 })
      .map((bytes) => bytes.map((byte) => (byte === END ? 0x20 : byte)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, payload), { maxLength: 5 }),
        text,
        fc.array(fc.nat(), { maxLength: 20 }),
        (pairs, last, places) => {
          const wire = Buffer.concat([...pairs.flatMap(([noise, each]) => [noise, encodeFrame(each)]), last]);
          const { frames, noise } = decode(cut(wire, places));
          const sent = pairs.map(([, each]) => [...each]);
          assert.deepEqual(frames, sent);
          assert.deepEqual(noise, [...Buffer.concat([...pairs.map(([before]) => before), last])]);
        },
      ),
    );
  });

  it('drops a frame with a broken escape and takes the next', () => {
    const broken = Uint8Array.of(END, 1, 2, ESC, 0x41, 0x42);
    const { frames } = decode([broken, encodeFrame(Uint8Array.of(7))]);
    assert.deepEqual(frames, [[7]]);
  });

  it('finds the frame behind a lone END, as of a frame whose begin was lost', () => {
    const { frames } = decode([Uint8Array.of(END), encodeFrame(Uint8Array.of(5, 6))]);
    assert.deepEqual(frames, [[5, 6]]);
  });

  it('never throws, and is in step at the second good frame at the latest, whatever came before', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), payload, (garbage, each) => {
        const frame = encodeFrame(each);
        const { frames } = decode([garbage, frame, frame]);
        assert.deepEqual(frames.at(-1), [...each]);
      }),
    );
  });

  it('gives bytes up that are longer than any answer', () => {
    const decoder = new FrameDecoder();
    assert.deepEqual(decoder.push(Uint8Array.of(END)), []);
    const chunk = new Uint8Array(0x10000).fill(0x55);
    for (let i = 0; i < 8; i++) assert.deepEqual(decoder.push(chunk), []);
    const frames = decoder.push(encodeFrame(Uint8Array.of(1))).map((each) => [...each]);
    assert.deepEqual(frames, [[1]]);
  });

  it('takes a megabyte of frames as one piece or as many', () => {
    const block = Uint8Array.from({ length: 0x4000 }, (_, i) => (i % 3 ? i & 0xff : END));
    const wire = Buffer.concat(Array.from({ length: 64 }, () => encodeFrame(block)));
    const size = 61;
    const pieces = Array.from({ length: Math.ceil(wire.length / size) }, (_, i) =>
      wire.subarray(i * size, (i + 1) * size),
    );
    for (const chunks of [[wire], pieces]) {
      const decoder = new FrameDecoder();
      const frames = chunks.flatMap((chunk) => decoder.push(chunk));
      assert.equal(frames.length, 64);
      assert.ok(frames.every((frame) => Buffer.compare(frame, block) === 0));
    }
  });
});
