/** Builds `dist/`: compiles the runtime and puts beside it what Node-RED looks for there. */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withErrors } from './help.ts';
import type { Words } from './help.ts';
import { reference } from './reference.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

rmSync('dist', { recursive: true, force: true });
const compiled = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
  {
    stdio: 'inherit',
  },
);
if (compiled.status !== 0) process.exit(1);

for (const folder of ['nodes', 'lib']) {
  cpSync(folder, `dist/${folder}`, { recursive: true, filter: (path) => !path.endsWith('.ts') });
}
// Node-RED searches icons beside a node's file; one copy serves the whole module.
cpSync('icons', 'dist/nodes/esp32-flash/icons', { recursive: true });

for (const locale of readdirSync('dist/nodes/esp32-board/locales')) {
  const file = `dist/nodes/esp32-board/locales/${locale}/esp32-board`;
  const catalogue = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { diagnosis: Record<string, Words> };
  writeFileSync(`${file}.html`, withErrors(readFileSync(`${file}.html`, 'utf8'), catalogue.diagnosis));
}

writeFileSync('docs/nodes.md', reference());
