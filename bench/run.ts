/** `npm run bench -- flash`: runs `bench/<name>.ts`; one JSON line a case, exit code 1 when a bar is missed. */
import { existsSync, readdirSync } from 'node:fs';
import { reporter } from './support/case.ts';
import type { Bench } from './support/case.ts';

const here = new URL('./', import.meta.url);
const [name = '', ...args] = process.argv.slice(2);

if (!/^[a-z-]+$/.test(name) || name === 'run' || !existsSync(new URL(`${name}.ts`, here))) {
  const names = readdirSync(here).flatMap((file) => /^(?!run\.ts$)([a-z-]+)\.ts$/.exec(file)?.[1] ?? []);
  console.error(`usage: npm run bench -- <${names.join('|')}>`);
  process.exit(2);
}

let missed = 0;
const bench = (await import(new URL(`${name}.ts`, here).href)) as Bench;
await bench.run(
  reporter(name, (line) => {
    console.log(JSON.stringify(line));
    if (!line.ok) missed += 1;
  }),
  args,
);
process.exitCode = missed > 0 ? 1 : 0;
