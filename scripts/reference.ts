/** `docs/nodes.md`, made of the nodes' own help at every build, so that there is one truth. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { html } from './help.ts';
import type { Words } from './help.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const read = (file: string): string => readFileSync(`${ROOT}${file}`, 'utf8');

/** The whole document, formatted. */
export function reference(): string {
  const manifest = JSON.parse(read('package.json')) as { 'node-red': { nodes: Record<string, string> } };
  const types = Object.values(manifest['node-red'].nodes).map((file) => basename(file, '.js'));
  const head =
    '# Reference of the nodes\n\nThis is the help that Node-RED shows beside the editor. The build makes it.';
  return `${[head, ...types.map(chapter)].join('\n\n')}\n`;
}

function chapter(type: string): string {
  const help = read(`nodes/${type}/locales/en-US/${type}.html`);
  const text = (/<script[^>]*>([^]*)<\/script>/.exec(help)?.[1] ?? '').trim();
  const lists = text.replace(/(?:^:.*\n?)+/gm, (list) => `\n${table(list.trim().split('\n'))}\n`);
  return `## ${type.replace('-', ' ')}\n\n${lists}`
    .replace('<!-- errors -->', errors)
    .replace(/\n{3,}/g, '\n\n');
}

/** `: *name* (type) : what it is`, a line each. */
function table(lines: readonly string[]): string {
  const rows = lines.map((line) => {
    const found = /^: (.+?)(?: \((.+?)\))? : (.+)$/.exec(line);
    if (!found) throw new Error(`no property of a help: ${line}`);
    const [, name = '', type = '', what = ''] = found;
    return `| ${name} | ${type.replaceAll('|', '\\|')} | ${what.replaceAll('|', '\\|')} |`;
  });
  return ['| property | type | what it is |', '|---|---|---|', ...rows].join('\n');
}

function errors(): string {
  const { diagnosis } = JSON.parse(read('nodes/esp32-board/locales/en-US/esp32-board.json')) as {
    diagnosis: Record<string, Words>;
  };
  const rows = Object.entries(diagnosis).map(
    ([code, { short = '', cause = '' }]) => `| \`${code}\` | ${html(short)} | ${html(cause)} |`,
  );
  return ['| code | status | cause |', '|---|---|---|', ...rows].join('\n');
}
