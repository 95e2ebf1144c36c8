/** Bytes as Python writes them, `b'a\x00'`: for firmware that has no other way to take or tell them. */

const SHORT: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '\\': 92, "'": 39, '"': 34 };
const LITERAL = /b'((?:\\.|[^'\\])*)'|b"((?:\\.|[^"\\])*)"/s;

export function pythonBytes(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
    return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `b'${text.join('')}'`;
}

/** What a printed literal stands for; `undefined` when there is none in the text. */
export function bytesOfLiteral(text: string): Buffer | undefined {
  const found = LITERAL.exec(text);
  if (!found) return undefined;
  const body = found[1] ?? found[2] ?? '';
  const plain = body.replace(/\\(?:x([0-9a-f]{2})|(.))/gs, (_all, hex: string | undefined, short: string) =>
    String.fromCharCode(hex === undefined ? (SHORT[short] ?? short.charCodeAt(0)) : parseInt(hex, 16)),
  );
  return Buffer.from(plain, 'latin1');
}
