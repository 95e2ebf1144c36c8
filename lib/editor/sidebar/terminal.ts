/** The tab of the terminal: the board's REPL, who has the port, and the buttons that get a program to end. */
import { failureOf, post } from '../api.ts';
import { diagnosisBox, textOf } from '../diagnosis.ts';
import { button, fill, h } from '../dom.ts';
import type { DeployedBoard, Failure, TerminalState } from '../wire.ts';
import { wordsOf } from '../words.ts';
import { LiveTerminal } from './live-terminal.ts';
import { mayAct } from './panel.ts';
import type { Panel } from './panel.ts';

const words = wordsOf('esp32-sidebar');
const CONTROLS = { interrupt: 'hand-paper-o', 'soft-reset': 'refresh', 'hard-reset': 'power-off' } as const;

export function terminalPanel(): Panel {
  const isAllowed = mayAct();
  const place = h('div', { className: 'esp32-screen' });
  const status = h('span', { className: 'esp32-state', role: 'status' });
  const trouble = h('div');
  let board: DeployedBoard | undefined;

  const failed = (failure: Failure): void => fill(trouble, diagnosisBox(failure));
  const state = (now: TerminalState): void => {
    status.dataset['kind'] = now.kind;
    status.textContent = stateText(now);
    if (now.kind === 'gone') failed(now.failure);
    else if (now.kind === 'live') fill(trouble);
  };
  const terminal = new LiveTerminal(place, !isAllowed, { state, failed });
  const unexpected = (error: unknown): void => failed(failureOf(error));
  const control = async (action: string): Promise<void> => {
    if (!board) return;
    fill(trouble);
    await post(`${board.id}/control`, { action }).catch(unexpected);
    void terminal.focus();
  };
  const clear = button({ label: words('terminal.clear'), symbol: 'eraser', isBare: true }, () => {
    void terminal.clear();
  });

  return {
    element: h(
      'div',
      { className: 'esp32-terminal' },
      h('div', { className: 'esp32-toolbar' }, controlButtons(isAllowed, control), clear),
      !isAllowed && h('p', { className: 'esp32-quiet esp32-note' }, words('read-only')),
      trouble,
      place,
      h('div', { className: 'esp32-status' }, status),
    ),
    show: (next, isSeen) => {
      if (!isSeen || next?.id !== board?.id) {
        terminal.stop();
        fill(trouble);
      }
      board = next;
      if (isSeen && next) terminal.watch(next.id).catch(unexpected);
    },
  };
}

/** Each is out of use for as long as it does what it says. */
function controlButtons(isAllowed: boolean, control: (action: string) => Promise<void>): HTMLElement[] {
  return Object.entries(CONTROLS).map(([action, symbol]) => {
    const press = async (): Promise<void> => {
      it.disabled = true;
      await control(action);
      it.disabled = !isAllowed;
    };
    const it = button(
      {
        label: words(`terminal.${action}`),
        symbol,
        'data-action': action,
        title: words(`terminal.${action}-what`),
        disabled: !isAllowed,
      },
      () => void press(),
    );
    return it;
  });
}

function stateText(state: TerminalState): string {
  if (state.kind === 'paused') return words(`terminal.paused.${state.job}`);
  if (state.kind === 'gone') return textOf(state.failure).short;
  return words(`terminal.state.${state.kind}`);
}
