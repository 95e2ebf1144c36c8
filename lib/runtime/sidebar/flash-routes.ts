/** Flashing from the sidebar: firmware in, a plan, and its carrying out. */
import type { NodeAPI } from 'node-red';
import type { FlashSource } from '../../board/loader-jobs.ts';
import type { FlashRequest, FlashState } from '../../editor/wire.ts';
import { adminRoutes } from '../admin-route.ts';
import type { Call } from '../admin-route.ts';
import { InputError } from '../diagnosis.ts';
import { micropythonVersions, readFirmware } from '../firmware.ts';
import type { Reading } from '../job-node.ts';
import { oneOf, optionalText, requiredText } from '../properties.ts';
import { deployedBoard } from '../shared.ts';
import { FlashDesk } from './flash-desk.ts';
import type { SentFile } from './flash-desk.ts';

/** As large as the largest flash of a module. */
const MAX_FIRMWARE = 32 * 1024 * 1024;

/**
 * `GET /esp32-board/micropython`, `GET /esp32-board/:id/flash`;
 * `POST /esp32-board/:id/flash/{file?name=,plan,start,cancel}`.
 */
export function registerFlashRoutes(RED: NodeAPI): void {
  const { get, post } = adminRoutes(RED);
  const desks = new Map<string, FlashDesk>();
  const deskOf = ({ params }: Call): FlashDesk => {
    const id = params['id'] ?? '';
    const board = deployedBoard(RED, id);
    const known = desks.get(id);
    if (known?.board === board) return known;
    const desk = new FlashDesk(board, {
      tell: (state: FlashState) => RED.comms.publish(`esp32-flash/${id}`, state, false),
      read: (request, file, reading) => firmwareOf(RED, request, file, reading),
    });
    desks.set(id, desk);
    return desk;
  };

  get('/esp32-board/micropython', ({ signal }) => micropythonVersions(RED, signal));
  get('/esp32-board/:id/flash', (call) => deskOf(call).state);
  post('/esp32-board/:id/flash/file', async (call) => {
    const name = requiredText(call.query['name'], 'name');
    deskOf(call).take({ name, bytes: await call.bytes(MAX_FIRMWARE) });
  });
  post('/esp32-board/:id/flash/plan', (call) => deskOf(call).begin(requestIn(call), true));
  post('/esp32-board/:id/flash/start', (call) => deskOf(call).begin(requestIn(call), false));
  post('/esp32-board/:id/flash/cancel', (call) => deskOf(call).cancel());
}

function requestIn({ body }: Call): FlashRequest {
  const text = (name: string): string => optionalText(body[name], name) ?? '';
  return {
    source: oneOf(body['source'], ['micropython', 'file', 'url'], 'micropython', 'source'),
    version: text('version'),
    url: text('url'),
    sha256: text('sha256'),
    erase: oneOf(body['erase'], ['needed', 'all'], 'needed', 'erase'),
  };
}

/** Only what the request itself names: no path of this machine. */
async function firmwareOf(
  RED: NodeAPI,
  { source, version, url = '', sha256 }: FlashRequest,
  file: SentFile | undefined,
  reading: Reading,
): Promise<FlashSource> {
  const wish = { sha256: sha256 === '' ? undefined : sha256, force: false };
  if (source === 'url' && !/^https?:\/\//i.test(url)) throw noFirmware('url', 'http(s) URL', url);
  if (source === 'file' && !file) throw noFirmware('file', 'file', '');
  const value = { micropython: `MicroPython ${version ?? ''}`.trim(), url, file: file?.bytes }[source];
  return readFirmware(RED, value, wish, reading);
}

function noFirmware(property: string, expected: string, found: string): InputError {
  return new InputError('bad-payload', `no ${expected}`, { property, expected, found });
}
