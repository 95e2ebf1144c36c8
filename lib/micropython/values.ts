/** Values of Python as values of JavaScript. The tags are those of `board/evaluate.py`. */

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
