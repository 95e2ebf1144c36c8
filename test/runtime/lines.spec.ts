/** Lines and text out of bytes that the wire cut anywhere. */
import assert from 'node:assert/strict';
import { ConsoleText } from '../../lib/runtime/console-text.ts';
import { Lines } from '../../lib/runtime/lines.ts';

/** The lines of bytes that come in these pieces, and what is left at a cut. */
function linesOf(...pieces: (string | Uint8Array)[]): string[] {
  const found: string[] = [];
  const lines = new Lines((line) => found.push(line));
  for (const piece of pieces) lines.push(Buffer.from(piece as string));
  lines.cut();
  return found;
}

/** Every way to cut bytes in two. */
function cuts(bytes: Uint8Array): [Uint8Array, Uint8Array][] {
  return Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
}

const TEXT = 'ä€😀\r\nzweite ü\r\n';

describe('runtime: lines', () => {
  it('are whole, wherever the wire cuts a character or a line end', () => {
    for (const pieces of cuts(Buffer.from(TEXT))) assert.deepEqual(linesOf(...pieces), ['ä€😀', 'zweite ü']);
    assert.deepEqual(linesOf(...[...Buffer.from(TEXT)].map((byte) => Uint8Array.of(byte))), [
      'ä€😀',
      'zweite ü',
    ]);
  });

  it('come without the prompts before them, and a prompt alone is none', () => {
    assert.deepEqual(linesOf('>>> >>> {"t":1}\r\n', '>>> ', '>>> on\r\n>>> \r\n\r\n... '), [
      '{"t":1}',
      'on',
      '',
    ]);
    assert.deepEqual(linesOf('a >>> b\r\n'), ['a >>> b']);
  });

  it('without an end are handed on in parts that break no character', () => {
    const long = `x${'😀'.repeat(70_000)}`;
    const parts = linesOf(long, '\n');
    assert.ok(parts.length > 2);
    assert.equal(parts.join(''), long);
    assert.ok(parts.every((part) => part.isWellFormed()));
  });
});

describe('runtime: console text', () => {
  it('is whole, wherever the wire cuts a character', () => {
    for (const pieces of cuts(Buffer.from(TEXT))) {
      let text = '';
      const printed = new ConsoleText((part) => {
        assert.ok(!part.includes('\ufffd'));
        text += part;
      });
      for (const piece of pieces) printed.push(piece);
      printed.end();
      assert.equal(text, TEXT.replaceAll('\r\n', '\n'));
    }
  });
});
