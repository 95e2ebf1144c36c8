/** Values of Python as values of JavaScript, and back. The tags are those of `board/answer.py`. */

import { MicroPythonError } from './errors.ts';

/** Deeper ones are circles, and more than a board's stack takes. */
const MAX_DEPTH = 32;

/** What has no counterpart in JavaScript: its `repr()`, marked as such. */
export interface PythonRepr {
  repr: string;
}

/** Reads each tag, or gives `undefined` for content that no board script tells. */
const TAGS: Readonly<Record<string, (content: unknown) => unknown>> = {
  $int: (text) => (typeof text === 'string' && /^-?\d+$/.test(text) ? BigInt(text) : undefined),
  $float: (text) => FLOATS.get(text),
  $bytes: (text) => (typeof text === 'string' ? Buffer.from(text, 'base64') : undefined),
  $repr: (repr): PythonRepr | undefined => (typeof repr === 'string' ? { repr } : undefined),
  $dict: (pairs) => (isPairs(pairs) ? fromPairs(pairs) : undefined),
};

const FLOATS = new Map<unknown, number>([
  ['inf', Infinity],
  ['-inf', -Infinity],
  ['nan', NaN],
]);

type Pairs = [key: string, value: unknown][];

function isPairs(content: unknown): content is Pairs {
  return (
    Array.isArray(content) && content.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string')
  );
}

function fromPairs(pairs: Pairs): object {
  return Object.fromEntries(pairs.map(([key, value]) => [key, pythonValue(value)]));
}

/**
 * The JavaScript value of what a board script told: int beyond 2^53 as BigInt, bytes as Buffer, keys as
 * text. A value without a tag is what JSON says it is.
 */
export function pythonValue(told: unknown): unknown {
  if (Array.isArray(told)) return told.map(pythonValue);
  if (typeof told !== 'object' || told === null) return told;
  const [tag, content] = Object.entries(told)[0] ?? [];
  const read = tag !== undefined && Object.hasOwn(TAGS, tag) ? TAGS[tag] : undefined;
  return read?.(content) ?? told;
}

/**
 * What a board script is told of a value of JavaScript: bytes of any kind as bytes, BigInt as int, NaN and the
 * infinities as float, `undefined` as None; objects with `toJSON` (a Date) as that says, a Map as dict.
 * Throws `MicroPythonError` 'value-too-deep' for one that holds itself.
 */
export function toldValue(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new MicroPythonError('value-too-deep', 'a value holds itself', { depth });
  const told = (each: unknown): unknown => toldValue(each, depth + 1);
  if (typeof value === 'bigint') return { $int: String(value) };
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $float: floatName(value) };
  if (typeof value !== 'object' || value === null) return toldPlain(value);
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (value instanceof ArrayBuffer) return told(new Uint8Array(value));
  if (ArrayBuffer.isView(value))
    return told(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (Array.isArray(value)) return value.map(told);
  if (hasToJson(value)) return told(value.toJSON());
  const pairs: [string, unknown][] = value instanceof Map ? mapPairs(value) : Object.entries(value);
  return { $dict: pairs.map(([key, each]) => [key, told(each)]) };
}

function hasToJson(value: object): value is { toJSON: () => unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function toldPlain(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

function mapPairs(map: ReadonlyMap<unknown, unknown>): [string, unknown][] {
  return [...map].map(([key, value]) => [String(key), value]);
}

function floatName(value: number): string {
  return [...FLOATS].find(([, float]) => Object.is(float, value))?.[0] as string;
}
