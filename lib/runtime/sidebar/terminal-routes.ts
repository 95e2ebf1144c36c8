/** The terminal of the sidebar: watch a board, type to it, interrupt and restart it. */
import type { NodeAPI } from 'node-red';
import { hardReset, interrupt, softResetBoard } from '../../board/control-jobs.ts';
import type { Board } from '../../board/board.ts';
import { pasteText } from '../../board/paste-job.ts';
import type { TerminalNews, TerminalNow } from '../../editor/wire.ts';
import { kindOf } from '../../errors/facts.ts';
import { adminRoutes } from '../admin-route.ts';
import type { Call } from '../admin-route.ts';
import { InputError } from '../diagnosis.ts';
import { oneOf } from '../properties.ts';
import { deployedBoard, deployedBoards } from '../shared.ts';
import { Terminal } from './terminal.ts';

/** More than anyone types or pastes at a prompt. */
const MAX_INPUT = 64 * 1024;
/** A main.py that runs for ever gives no prompt. */
const BOOT_MS = 5000;

const CONTROLS = {
  interrupt: async (board: Board, signal: AbortSignal) => interrupt(board, { signal }),
  'soft-reset': async (board: Board, signal: AbortSignal) => {
    await softResetBoard(board, { runMain: true, timeoutMs: BOOT_MS, signal });
  },
  'hard-reset': async (board: Board, signal: AbortSignal) => {
    await hardReset(board, { timeoutMs: BOOT_MS, signal });
  },
};

/** `POST /esp32-board/:id/terminal/{watch,input,paste}` and `/esp32-board/:id/control`. */
export function registerTerminalRoutes(RED: NodeAPI): void {
  const { post } = adminRoutes(RED);
  const terminals = new Map<string, { board: Board; terminal: Terminal }>();

  const watch = (id: string): TerminalNow => {
    const { device } = deployedBoard(RED, id);
    const known = terminals.get(id);
    if (known?.board === device) return known.terminal.watch();
    known?.terminal.end();
    const tell = (news: TerminalNews): void => RED.comms.publish(`esp32-terminal/${id}`, news, false);
    const terminal = new Terminal(device, tell, () => {
      if (terminals.get(id)?.terminal === terminal) terminals.delete(id);
    });
    terminals.set(id, { board: device, terminal });
    return terminal.watch();
  };

  post('/esp32-board/:id/terminal/watch', ({ params }) => watch(params['id'] ?? ''), 'read');
  post('/esp32-board/:id/terminal/input', async ({ params, body, signal }) => {
    await deployedBoard(RED, params['id']).device.write(Buffer.from(inputIn(body), 'utf8'), { signal });
  });
  post('/esp32-board/:id/terminal/paste', async ({ params, body, signal }) => {
    await pasteText(deployedBoard(RED, params['id']).device, inputIn(body), { signal });
  });
  post('/esp32-board/:id/control', async ({ params, body, signal }) => {
    const names = Object.keys(CONTROLS) as (keyof typeof CONTROLS)[];
    const action = oneOf(body['action'], names, 'interrupt', 'action');
    await CONTROLS[action](deployedBoard(RED, params['id']).device, signal);
  });

  // A board that is redeployed is another: its terminals begin anew when they are watched again.
  RED.events.on('flows:stopped', () => {
    for (const [id, { board, terminal }] of [...terminals]) {
      if (deployedBoards(RED).get(id)?.device !== board) terminal.end();
    }
  });
}

function inputIn(body: Call['body']): string {
  const text = body['text'];
  if (typeof text !== 'string') {
    throw new InputError('bad-payload', 'no text', {
      property: 'text',
      expected: 'text',
      found: kindOf(text),
    });
  }
  if (text.length > MAX_INPUT) {
    throw new InputError('body-too-large', 'too much to type', { limit: MAX_INPUT, size: text.length });
  }
  return text;
}
