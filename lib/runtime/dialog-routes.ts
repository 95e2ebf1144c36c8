/** What the dialog of an `esp32 board` asks: the ports of the machine Node-RED runs on, and what hangs on one. */
import type { NodeAPI } from 'node-red';
import { inspectBoard } from '../board/loader-jobs.ts';
import type { BoardInfo, LoaderJobEvent } from '../board/loader-jobs.ts';
import type { Identity, Ports, Step } from '../editor/wire.ts';
import { adminRoutes } from './admin-route.ts';
import type { Call } from './admin-route.ts';
import { boardOptions, loaderSettings } from './board-options.ts';
import type { BoardSettings } from './board-options.ts';
import { requiredText } from './properties.ts';
import { heldBoards, portPicture } from './shared.ts';

/** Nobody looks at a dialog longer than this while nothing happens. */
const LONGEST_WAIT_MS = 60_000;

/** `GET /esp32-board/ports`, `POST /esp32-board/identify`. */
export function registerDialogRoutes(RED: NodeAPI): void {
  const { get, post } = adminRoutes(RED);
  get('/esp32-board/ports', () => portPicture(RED).look() satisfies Promise<Ports>);
  post('/esp32-board/identify', (call) => identify(RED, call));
}

/** Asks the board that the dialog describes, saved or not; ends when the dialog does. */
async function identify(RED: NodeAPI, { body, signal }: Call): Promise<Identity> {
  const settings = settingsIn(RED, body);
  const job = requiredText(body['job'], 'job').slice(0, 40);
  const tell = (step: Step): void => RED.comms.publish(`esp32-board/identify/${job}`, step, false);
  const boards = heldBoards(RED);
  const holder = {};
  const told = new Set<string>();
  try {
    const { flashBaudRate, connectTimeoutMs } = loaderSettings(settings);
    const board = await boards.find(boardOptions(settings), holder);
    const info = await inspectBoard(board, {
      baudRate: flashBaudRate,
      connectTimeoutMs: Math.min(connectTimeoutMs, LONGEST_WAIT_MS),
      signal,
      onWait: (ahead) => tell({ phase: 'waiting', facts: { ahead } }),
      onEvent: (event) => {
        told.add(event.kind);
        tell(stepOf(event));
      },
    });
    const { chip, package: name, revision, features, flashSize, mac, micropython, application } = info;
    return {
      chip,
      package: name,
      features,
      ...(told.has('press-en') ? { pressEn: true } : {}),
      ...(revision === undefined ? {} : { revision }),
      ...(flashSize === undefined ? {} : { flashSize }),
      ...(mac === undefined ? {} : { mac }),
      ...(micropython === undefined ? {} : { micropython: micropython.version }),
      ...(application === undefined ? {} : { application: programName(application) }),
    };
  } finally {
    await boards.release(holder);
  }
}

function programName({ project, version, label }: NonNullable<BoardInfo['application']>): string {
  return [project ?? label, version].filter(Boolean).join(' ');
}

function stepOf(event: LoaderJobEvent): Step {
  const { kind: phase, ...facts } = event;
  return { phase, facts: { ...facts } };
}

/** `${NAME}` is filled in as the runtime does it for a node's settings. */
function settingsIn(RED: NodeAPI, body: Readonly<Record<string, unknown>>): BoardSettings {
  const text = (name: string): string => {
    const value = typeof body[name] === 'string' ? body[name] : '';
    const filled: unknown = value.includes('${')
      ? RED.util.evaluateNodeProperty(value, 'env', null as never, {})
      : value;
    return String(filled);
  };
  return {
    port: text('port'),
    device: text('device'),
    baudRate: text('baudRate'),
    flashBaudRate: text('flashBaudRate'),
    idleLines: text('idleLines'),
    resetSequence: text('resetSequence'),
    connectTimeout: text('connectTimeout'),
  };
}
