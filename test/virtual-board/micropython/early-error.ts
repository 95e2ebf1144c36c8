/**
 * Where a parser that reads source as it comes would already have stopped. Ours gets the whole, so
 * a beginning of the source is parsed, and an error counts only if more source cannot mend it.
 */

const PARSE_ERRORS = [
  'SyntaxError: invalid syntax',
  'IndentationError: unexpected indent',
  'IndentationError: unindent doesn',
  'SyntaxError: malformed f-string',
];

/** @param parse the traceback of parsing this source, if it fails */
export function earlyError(code: readonly number[], parse: (source: string) => string | undefined): boolean {
  const source = Buffer.from(code).toString();
  const lines = source.slice(0, source.lastIndexOf('\n') + 1);
  const count = lines.split('\n').length - 1;
  const line = errorLine(parse(lines));
  // An error on the last lines may only be that the rest is missing.
  if (line === undefined || line >= count - 1) return false;
  // So may one further up, if a string that spans lines begins there.
  return ['"""\n', "'''\n"].every((close) => errorLine(parse(lines + close)) === line);
}

function errorLine(traceback: string | undefined): number | undefined {
  if (traceback === undefined || !PARSE_ERRORS.some((text) => traceback.includes(text))) return undefined;
  const line = /line (\d+)/.exec(traceback)?.[1];
  return line === undefined ? undefined : Number(line);
}
