/** Builds `dist/`: compiles the runtime and puts beside it what Node-RED looks for there. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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
