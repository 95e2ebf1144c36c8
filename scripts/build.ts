/** Builds `dist/` and `resources/`: compiles runtime and editor, and puts beside them what Node-RED looks for there. */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withErrors, withSafeColons } from './help.ts';
import type { Words } from './help.ts';
import { reference } from './reference.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

function compile(project: string): void {
  const tsc = ['node_modules/typescript/bin/tsc', '-p', project];
  if (spawnSync(process.execPath, tsc, { stdio: 'inherit' }).status !== 0) process.exit(1);
}

for (const built of ['dist', 'resources']) rmSync(built, { recursive: true, force: true });
compile('tsconfig.build.json');
for (const folder of ['nodes', 'lib', 'plugins']) {
  const filter = (path: string): boolean => !path.endsWith('.ts') && !path.startsWith('lib/editor');
  cpSync(folder, `dist/${folder}`, { recursive: true, filter });
}

// What the browser loads: Node-RED serves `resources/` of a package to its editor.
compile('lib/editor');
cpSync('lib/editor/editor.css', 'resources/editor/editor.css');
const XTERM = {
  'xterm.mjs': '@xterm/xterm/lib/xterm.mjs',
  'xterm.css': '@xterm/xterm/css/xterm.css',
  'addon-fit.mjs': '@xterm/addon-fit/lib/addon-fit.mjs',
  LICENSE: '@xterm/xterm/LICENSE',
};
for (const [name, from] of Object.entries(XTERM)) cpSync(`node_modules/${from}`, `resources/xterm/${name}`);

// Node-RED searches icons beside a node's file; one copy serves the whole module.
cpSync('icons', 'dist/nodes/esp32-flash/icons', { recursive: true });

function rewrite(file: string, change: (help: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

for (const type of readdirSync('nodes')) {
  for (const locale of readdirSync(`nodes/${type}/locales`))
    rewrite(`dist/nodes/${type}/locales/${locale}/${type}.html`, withSafeColons);
}
for (const locale of readdirSync('nodes/esp32-board/locales')) {
  const file = `dist/nodes/esp32-board/locales/${locale}/esp32-board`;
  const catalogue = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { diagnosis: Record<string, Words> };
  rewrite(`${file}.html`, (help) => withErrors(help, catalogue.diagnosis));
}

writeFileSync('docs/nodes.md', reference());
