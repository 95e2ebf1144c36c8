/** The files of `examples/`, and what a person fills in before they run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileServer } from '../firmware/server.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';
import type { FlowNode } from './node-red.ts';
import type { Example } from './table.ts';

const FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));

/** Names without `.json`. */
export const FILES: readonly string[] = readdirSync(FOLDER).map((name) => name.replace(/\.json$/, ''));

export function readExample(file: string): FlowNode[] {
  return JSON.parse(readFileSync(join(FOLDER, `${file}.json`), 'utf8')) as FlowNode[];
}

/**
 * The example with what a person does: ports and the flow's environment variables filled in, all debug nodes
 * on. No USB is here: in place of "esp32 ports" stand inject nodes, `plug in 1` and so on, whose messages are
 * as that node sends them.
 */
export function prepared({ file, environment }: Example, boards: readonly VirtualBoard[], server: FileServer, folder: string,
): FlowNode[] {
  const variables = environment?.(server, folder) ?? {};
  const ports = boards.map(({ rfc2217 }) => rfc2217);
  const fill = (variable: Record<string, unknown>): Record<string, unknown> => {
    const value = variables[String(variable['name'])];
    return value === undefined ? variable : { ...variable, value };
  };
  const free = [...ports];
  return readExample(file).flatMap((node) => {
    if (node.type === 'esp32-ports') return plugs(node, ports);
    if (node.type === 'esp32-board') return { ...node, port: free.shift() ?? '', flashBaudRate: '2000000' };
    if (node.type === 'debug') return { ...node, active: true };
    if (node.type === 'tab') return { ...node, env: (node['env'] as Record<string, unknown>[]).map(fill) };
    return node;
  });
}

function plugs({ z, wires }: FlowNode, ports: readonly string[]): FlowNode[] {
  return ports.map((port, index) => {
    const payload = { event: 'added', port, ports: ports.slice(0, index + 1).map((each) => ({ port: each })) };
    return {
      id: `a1c0deffffffff0${index}`,
      type: 'inject',
      name: `plug in ${index + 1}`,
      z,
      props: [
        { p: 'payload', v: JSON.stringify(payload), vt: 'json' },
        { p: 'port', v: port, vt: 'str' },
        { p: 'topic', v: 'added', vt: 'str' },
      ],
      wires: [(wires as string[][])[0]],
    };
  });
}
