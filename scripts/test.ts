/**
 * `npm test`: format, types, lint, and every mocha test with coverage. The last line is the tally; each
 * check counts as one test. Ends with 1 when anything failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const bin = (name: string): string => join('node_modules', name);

/** Each is a Node.js program with its arguments. */
const CHECKS: readonly { name: string; command: readonly string[] }[] = [
  { name: 'format', command: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  { name: 'types', command: [bin('typescript/bin/tsc'), '-p', '.'] },
  { name: 'lint', command: [bin('eslint/bin/eslint.js'), '.'] },
  { name: 'build', command: ['scripts/build.ts'] },
];

function run(command: readonly string[], env: NodeJS.ProcessEnv = process.env): boolean {
  return spawnSync(process.execPath, command, { stdio: 'inherit', env }).status === 0;
}

function runChecks(): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, command } of CHECKS) {
    const ok = run(command);
    console.log(`${ok ? 'ok' : 'FAILED'}: ${name}`);
    tally[ok ? 'passed' : 'failed']++;
  }
  return tally;
}

/** All tests, or those named behind `npm test --`. */
function specs(): string[] {
  const named = process.argv.slice(2);
  return named.length > 0 ? named : ['test/**/*.spec.ts'];
}

/** Files of tests at once: they wait for the paced wire most of the time, so more of them than cores. */
const JOBS = '3';

/** The tests' own tally; a run that did not get to its end counts as one failure more. */
function runMocha(): Tally {
  const folder = mkdtempSync(join(tmpdir(), 'tally-'));
  const file = join(folder, 'tally.json');
  const c8 = [
    bin('c8/bin/c8.js'),
    '--all',
    '--src',
    'lib',
    '--src',
    'nodes',
    '--include',
    'lib',
    '--include',
    'nodes',
  ];
  const parallel = ['--parallel', '--jobs', JOBS];
  const reporter = ['--reporter', 'scripts/tally-reporter.ts'];
  const mocha = [bin('mocha/bin/mocha.js'), ...parallel, ...reporter, ...specs()];
  // A table of all files would push the failures out of what CI shows; `npx c8 report` prints it.
  const ok = run([...c8, '--reporter', 'text-summary', process.execPath, ...mocha], {
    ...process.env,
    TALLY_FILE: file,
    PACKAGE_IS_BUILT: 'yes',
  });
  try {
    const tally = JSON.parse(readFileSync(file, 'utf8')) as Tally;
    return ok || tally.failed > 0 ? tally : { ...tally, failed: 1 };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [checks, tests] = [runChecks(), runMocha()];
const sum = (key: keyof Tally): number => checks[key] + tests[key];
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
