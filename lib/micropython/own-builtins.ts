/**
 * What Python has built in, for scripts that run beside the names of a program: `list = [3, 1]` or `max = 5` of a
 * main.py stand in the way of `list(…)` for all that is run after it, also when it was interrupted.
 * Source: MicroPython docs "Builtin functions and exceptions"; names of a module come before those built in.
 */
const BUILTINS: readonly string[] = [
  ...[
    'abs',
    'all',
    'any',
    'bool',
    'bytearray',
    'bytes',
    'callable',
    'chr',
    'compile',
    'dict',
    'enumerate',
    'eval',
  ],
  ...[
    'exec',
    'float',
    'getattr',
    'globals',
    'hasattr',
    'int',
    'isinstance',
    'len',
    'list',
    'map',
    'max',
    'memoryview',
  ],
  ...[
    'min',
    'next',
    'open',
    'ord',
    'print',
    'range',
    'repr',
    'reversed',
    'set',
    'sorted',
    'str',
    'sum',
    'tuple',
    'type',
  ],
  ...[
    'zip',
    'AttributeError',
    'BaseException',
    'Exception',
    'ImportError',
    'KeyboardInterrupt',
    'MemoryError',
  ],
  ...['NameError', 'OSError', 'RuntimeError', 'StopIteration', 'SyntaxError', 'TypeError', 'ValueError'],
];

/** The line by which a script, all of it in one function, has those that it uses for its own. */
export function ownBuiltins(source: string): string {
  const code = source.replace(/"(?:\\.|[^"\\])*"/g, '""');
  const used = new Set(code.match(/(?<![.\w])[A-Za-z]\w*/g));
  return `from builtins import ${BUILTINS.filter((name) => used.has(name)).join(',')}\n`;
}
