import assert from 'node:assert/strict';

/** For `assert.rejects` and `assert.throws`: an error with this code and, among others, these facts. */
export function failsWith(code: string, facts: Record<string, unknown> = {}): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Error && 'code' in error && 'facts' in error, String(error));
    const known = error.facts as Record<string, unknown>;
    const found = Object.fromEntries(Object.keys(facts).map((name) => [name, known[name]]));
    assert.deepEqual({ code: error.code, ...found }, { code, ...facts });
    return true;
  };
}

/** What flashing may end with on a bad line: each says that the board was not flashed. */
export const LINE_CODES: ReadonlySet<string> = new Set([
  'command-timeout',
  'command-failed',
  'command-unsupported',
  'bad-answer',
  'no-answer',
  'unknown-chip',
  'flash-not-found',
  'stub-silent',
  'verify-failed',
  'not-erased',
]);
