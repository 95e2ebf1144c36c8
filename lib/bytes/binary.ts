/** Bytes in the forms in which a flow carries them. */

/** Bytes of a Buffer or of any other kind of binary array; `undefined` for what is none. */
export function binary(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return undefined;
}

/** The same, also of a Buffer that went through JSON on its way: `{ type: 'Buffer', data: [..] }`. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return binary(value) ?? (isBuffer && 'data' in value ? bytesOfNumbers(value.data) : undefined);
}

/** An array of numbers that are bytes. */
export function bytesOfNumbers(value: unknown): Uint8Array | undefined {
  const isByte = (item: unknown): boolean =>
    Number.isInteger(item) && Number(item) >= 0 && Number(item) < 256;
  return Array.isArray(value) && value.every(isByte) ? Uint8Array.from(value as number[]) : undefined;
}
