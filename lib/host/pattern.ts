/** Patterns for paths, by the rules of .gitignore: https://git-scm.com/docs/gitignore#_pattern_format */

/** One line of a list of patterns. */
interface Rule {
  /** Takes back what an earlier rule took: `!`. */
  negates: boolean;
  /** Fits folders only: a slash at the end. */
  foldersOnly: boolean;
  fits: RegExp;
}

/** Patterns in their order: the last that fits decides. */
export class Patterns {
  readonly #rules: readonly Rule[];

  /** Blank lines and those that begin with `#` are none. */
  constructor(lines: readonly string[]) {
    this.#rules = lines.flatMap(ruleOf);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /**
   * Whether a path, with slashes and from where the patterns lie, fits; `undefined` when no rule says anything.
   * What lies in a folder that fits has to be asked for by the folder.
   */
  fits(path: string, isFolder: boolean): boolean | undefined {
    const rule = this.#rules.findLast(
      ({ foldersOnly, fits }) => (isFolder || !foldersOnly) && fits.test(path),
    );
    return rule && !rule.negates;
  }

  /** Whether a file fits, or one of the folders it lies in. */
  cover(path: string): boolean {
    const parts = path.split('/');
    return parts.some(
      (_part, at) => this.fits(parts.slice(0, at + 1).join('/'), at < parts.length - 1) === true,
    );
  }
}

/** Patterns as people write them into one field: parted by commas or lines. */
export function patternList(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function ruleOf(line: string): Rule[] {
  // Blanks at the end count only behind a backslash.
  const text = line.replace(/\r$/, '').replace(/(?<!\\) +$/, '');
  if (text === '' || text.startsWith('#')) return [];
  const negates = text.startsWith('!');
  const pattern = negates ? text.slice(1) : text;
  const foldersOnly = pattern.endsWith('/');
  const bare = foldersOnly ? pattern.slice(0, -1) : pattern;
  const anchored = bare.includes('/');
  const source = regExpSource(bare.replace(/^\//, ''));
  if (source === '') return [];
  const fits = regExp(`^${anchored ? '' : '(?:.*/)?'}${source}$`);
  return fits ? [{ negates, foldersOnly, fits }] : [];
}

/** `[z-a]` holds nothing: such a rule fits nothing, as in Git. */
function regExp(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'su');
  } catch {
    return undefined;
  }
}

/** Each kind of piece, in the order in which it is looked for, and what it becomes. */
const PIECES = /\*\*\/|\/\*\*$|\*+|\?|\[[!^]?\]?[^\]/]*\]|\\.|[^]/gu;

function regExpSource(pattern: string): string {
  return [...pattern.matchAll(PIECES)].map(([piece]) => pieceSource(piece)).join('');
}

function pieceSource(piece: string): string {
  if (piece === '**/') return '(?:.*/)?';
  if (piece === '/**') return '/.*';
  if (piece.startsWith('*')) return '[^/]*';
  if (piece === '?') return '[^/]';
  if (piece.length > 1 && piece.startsWith('[')) {
    const [, negation = '', members = ''] = /^\[([!^]?)([^]*)\]$/.exec(piece) ?? [];
    return `[${negation && '^'}${members.replace(/[\\[\]^]/g, '\\$&')}]`;
  }
  const literal = piece.length > 1 && piece.startsWith('\\') ? piece.slice(1) : piece;
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
