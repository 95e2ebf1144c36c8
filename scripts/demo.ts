/** What `npm start` starts, for people and for the browser test: Node-RED, the example flow, a board. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { demoImage } from '../test/virtual-board/demo-image.ts';
import { launchBoard } from '../test/virtual-board/launch.ts';
import type { VirtualBoard } from '../test/virtual-board/launch.ts';

export interface DemoOptions {
  host: string;
  port: number;
  /** A real board's port; a virtual board is started without it. */
  board?: string;
  /** The Node-RED to start, as a folder of node_modules; default `node-red`. */
  nodeRed?: string;
  /** Flows, credentials and the virtual board's flash; default a folder in the user's home. */
  userDir?: string;
  /** More packages of node_modules that Node-RED shall load. */
  packages?: readonly string[];
  /** More of Node-RED's settings. */
  settings?: Readonly<Record<string, unknown>>;
}

export interface Demo {
  url: string;
  /** The port the flow uses. */
  board: string;
  /** Absent with a real board. */
  virtualBoard?: VirtualBoard;
  /** Resolves with the exit code when Node-RED ends. */
  exited: Promise<number | null>;
  close: () => Promise<void>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const PACKAGE = 'node-red-contrib-esp32-micropython';
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

export async function startDemo(options: DemoOptions): Promise<Demo> {
  const userDir = options.userDir ?? join(homedir(), '.node-red-esp32-micropython');
  build();
  await mkdir(join(userDir, 'node_modules'), { recursive: true });
  const virtualBoard =
    options.board === undefined
      ? await launchBoard({ firmware: 'none', flashFile: join(userDir, 'board-flash.bin') })
      : undefined;
  const board = options.board ?? virtualBoard?.rfc2217 ?? '';
  const demoFirmware = await prepare(userDir, options);
  // What the virtual board takes for MicroPython is none: a real chip crashes on it.
  const firmware = virtualBoard ? demoFirmware : 'MicroPython';
  const nodeRed = startNodeRed(userDir, options, { ESP32_BOARD: board, ESP32_FIRMWARE: firmware });
  const exited = once(nodeRed, 'exit').then(([code]) => code as number | null);
  const close = async (): Promise<void> => {
    await stop(nodeRed, exited);
    await virtualBoard?.close();
  };
  const url = `http://${options.host}:${options.port}/`;
  try {
    await untilReady(url, exited);
  } catch (error) {
    await close();
    throw error;
  }
  return { url, board, exited, close, ...(virtualBoard ? { virtualBoard } : {}) };
}

/** `npm test` has built it, and nothing may take `dist` away while tests beside each other use it. */
function build(): void {
  if (process.env['PACKAGE_IS_BUILT']) return;
  const built = spawnSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the package could not be built');
}

/** The package linked in, the example flow (only where none is yet), and firmware for a virtual board: its file. */
async function prepare(userDir: string, { packages = [], settings = {} }: DemoOptions): Promise<string> {
  await linkPackage(userDir, PACKAGE, ROOT);
  for (const name of packages) await linkPackage(userDir, name, join(ROOT, 'node_modules', name));
  const firmware = join(userDir, 'micropython-demo.bin');
  await writeFile(firmware, demoImage().bytes);
  await writeFile(
    join(userDir, 'settings.cjs'),
    `module.exports = ${JSON.stringify({ ...SETTINGS, ...settings }, undefined, 2)};\n`,
  );
  const flowFile = join(userDir, 'flows.json');
  if (!existsSync(flowFile)) await writeFile(flowFile, await exampleFlow());
  return firmware;
}

async function linkPackage(userDir: string, name: string, target: string): Promise<void> {
  const link = join(userDir, 'node_modules', name);
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { recursive: true, force: true });
  await symlink(target, link, process.platform === 'win32' ? 'junction' : 'dir');
}

/** Port and firmware come from the environment, so that the flow fits whatever board is started with it. */
async function exampleFlow(): Promise<string> {
  const text = await readFile(join(ROOT, 'examples', 'flash-and-greet.json'), 'utf8');
  const flow = JSON.parse(text) as Record<string, unknown>[];
  for (const node of flow) {
    if (node['type'] === 'esp32-board') node['port'] = '${ESP32_BOARD}';
    if (node['payload'] === 'MicroPython')
      Object.assign(node, { payload: 'ESP32_FIRMWARE', payloadType: 'env' });
  }
  return JSON.stringify(flow, undefined, 2);
}

/** No pop-ups over the editor, nothing asked of the network. */
const SETTINGS = {
  flowFile: 'flows.json',
  credentialSecret: 'demo',
  editorTheme: { tours: false },
  telemetry: { enabled: false, updateNotification: false },
  externalModules: { palette: { allowInstall: false } },
  logging: { console: { level: 'warn' } },
};

function startNodeRed(
  userDir: string,
  options: DemoOptions,
  environment: Record<string, string>,
): ChildProcess {
  const { host, port, nodeRed = 'node-red' } = options;
  const red = join(ROOT, 'node_modules', nodeRed, 'red.js');
  const settings = join(userDir, 'settings.cjs');
  const args = [
    red,
    '--userDir',
    userDir,
    '--settings',
    settings,
    '--port',
    String(port),
    '-D',
    `uiHost=${host}`,
  ];
  return spawn(process.execPath, args, {
    cwd: userDir,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
}

async function untilReady(url: string, exited: Promise<unknown>): Promise<void> {
  const giveUp = AbortSignal.timeout(START_TIMEOUT_MS);
  const ended = exited.then(() => {
    throw new Error(
      `Node-RED did not start. Is ${url} in use already? PORT=1881 npm start takes another port.`,
    );
  });
  await Promise.race([ended, untilAnswered(`${url}settings`, giveUp)]);
}

async function untilAnswered(url: string, giveUp: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await fetch(url, { signal: giveUp }).catch(() => undefined);
    // 401: it runs, and wants to know who asks.
    if (answer?.ok || answer?.status === 401) return;
    await sleep(100, undefined, { signal: giveUp });
  }
}

async function stop(nodeRed: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (nodeRed.exitCode !== null || nodeRed.signalCode !== null) return;
  nodeRed.kill('SIGINT');
  const last = setTimeout(() => nodeRed.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(last);
}
