/** Values of Python as values of JavaScript. The tags are those of `board/evaluate.py`. */

/** What has no counterpart in JavaScript: its `repr()`, marked as such. */
export interface PythonRepr {
  repr: string;
}

type Tagged = Readonly<Record<string, unknown>>;

/** Reads each tag; a value without one is what JSON says it is. */
const TAGS: Readonly<Record<string, (content: unknown) => unknown>> = {
  $int: (text) => BigInt(text as string),
  $float: (text) => FLOATS[text as string],
  $bytes: (text) => Buffer.from(text as string, 'base64'),
  $repr: (repr): PythonRepr => ({ repr: repr as string }),
  $dict: (pairs) =>
    Object.fromEntries(
      (pairs as [unknown, unknown][]).map(([key, value]) => [keyText(key), pythonValue(value)]),
    ),
};

const FLOATS: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN };

/** The JavaScript value of what a board script told: int beyond 2^53 as BigInt, bytes as Buffer. */
export function pythonValue(told: unknown): unknown {
  if (Array.isArray(told)) return told.map(pythonValue);
  if (typeof told !== 'object' || told === null) return told;
  const [tag, content] = Object.entries(told as Tagged)[0] ?? [];
  const read = tag === undefined ? undefined : TAGS[tag];
  return read ? read(content) : told;
}

/** Keys of any type become text, as JavaScript objects have no others. */
function keyText(key: unknown): string {
  const value = pythonValue(key);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
