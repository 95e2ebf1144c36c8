/**
 * Python made short for the way to the board: each byte costs wire time and the board's memory. Without comments, with
 * one space of indentation, and with names of one or two letters where a name is the script's own.
 *
 * It knows the Python of `board/*.py`, not all of Python: strings on one line, four spaces, one statement a line.
 */
const COMMENT_OR_BLANK = /^\s*(#|$)/;
/** Text in quotes, a name, spaces about an operator, or any other character. */
const TOKEN = /"(?:\\.|[^"\\])*"|[A-Za-z_]\w*| *(?:[-+*/%<>=!&|^:,]+) *|[^]/g;
const NAME = /^[A-Za-z_]\w*$/;
/** Where a script gives a name: definitions and their parameters, assignments, loops, `as`, attributes of `self`. */
const GIVEN = [
  /\b(?:def|class) (\w+)/g,
  /\bdef \w+\((.*)\):/g,
  /\blambda ([\w, ]*):/g,
  /^ *([\w, ]+) = /gm,
  /\bfor ([\w, ]+) in /g,
  /\bas (\w+)/g,
  /\bself\.(\w+)/g,
];
/** Where it uses a name that is not its own: attributes of others, modules, keyword arguments. */
const FOREIGN = /(?<!\bself)\.(\w+)|\bimport (.*)|\bfrom (\w+)|(\w+)=(?!=)/g;
/** Known outside of the script, or to Python; so is what begins with `_`. */
const FIXED = ['main', 'self', 'None', 'True', 'False'];
/** Short words of Python's own. */
const PYTHON = ['as', 'if', 'in', 'is', 'or'];
const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');

export function minified(source: string): string {
  const code = source
    .split('\n')
    .filter((line) => !COMMENT_OR_BLANK.test(line))
    .map((line) => line.replace(/^( {4})+/, (indent) => ' '.repeat(indent.length / 4)))
    .join('\n');
  const names = shortNames(code.replace(/"(?:\\.|[^"\\])*"/g, '""'));
  return code
    .split('\n')
    .map((line) => {
      const indent = /^ */.exec(line)?.[0] ?? '';
      return indent + line.trimStart().replace(TOKEN, (token) => shorter(token, names));
    })
    .join('\n');
}

function shorter(token: string, names: ReadonlyMap<string, string>): string {
  if (token.startsWith('"')) return token;
  return NAME.test(token) ? (names.get(token) ?? token) : token.trim() || token;
}

/** The script's own names that are longer than what they get; the most frequent get the shortest. */
function shortNames(code: string): ReadonlyMap<string, string> {
  const foreign = new Set([...FIXED, ...matches(code, FOREIGN)]);
  const own = new Set(GIVEN.flatMap((given) => matches(code, given)).filter((name) => !foreign.has(name)));
  const used: string[] = code.match(/[A-Za-z_]\w*/g) ?? [];
  const count = (name: string): number => used.filter((each) => each === name).length;
  const free = [...LETTERS, ...LETTERS.flatMap((a) => LETTERS.map((b) => a + b))].filter(
    (name) => !PYTHON.includes(name) && !used.includes(name),
  );
  const frequent = [...own]
    .filter((name) => name.length > 2 && !name.startsWith('_'))
    .sort((a, b) => count(b) - count(a));
  return new Map(frequent.map((name, i) => [name, free[i] ?? name]));
}

/** Every name in what a pattern finds. */
function matches(code: string, pattern: RegExp): string[] {
  return [...code.matchAll(pattern)].flatMap(
    (found) =>
      found
        .slice(1)
        .join(' ')
        .match(/[A-Za-z_]\w*/g) ?? [],
  );
}
