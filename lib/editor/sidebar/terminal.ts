/** The terminal on the board's REPL: what comes is shown, what is typed is sent, once no job has the port. */
import { failureOf, post } from '../api.ts';
import { diagnosisBox, textOf } from '../diagnosis.ts';
import { button, fill, h } from '../dom.ts';
import type { DeployedBoard, Failure, TerminalState } from '../wire.ts';
import { wordsOf } from '../words.ts';
import { mayAct } from './panel.ts';
import type { Panel } from './panel.ts';
import { openScreen } from './screen.ts';
import type { Screen } from './screen.ts';
import { TerminalFeed } from './terminal-feed.ts';
import { Typist } from './typist.ts';

const words = wordsOf('esp32-sidebar');
const CONTROLS = { interrupt: 'hand-paper-o', 'soft-reset': 'refresh', 'hard-reset': 'power-off' } as const;

export function terminalPanel(): Panel {
  const isAllowed = mayAct();
  const place = h('div', { className: 'esp32-screen' });
  const state = h('span', { className: 'esp32-state', role: 'status' });
  const trouble = h('div');
  let screen: Promise<Screen> | undefined;
  let feed: TerminalFeed | undefined;
  let typist: Typist | undefined;
  let board: DeployedBoard | undefined;

  const fail = (failure: Failure): void => fill(trouble, diagnosisBox(failure));
  const control = async (action: string, it: HTMLButtonElement): Promise<void> => {
    if (!board) return;
    fill(trouble);
    it.disabled = true;
    try {
      await post(`${board.id}/control`, { action });
    } catch (error) {
      fail(failureOf(error));
    }
    it.disabled = !isAllowed;
    (await screen)?.focus();
  };
  const controls = Object.entries(CONTROLS).map(([action, symbol]) => {
    const it = button(
      { label: words(`terminal.${action}`), symbol, 'data-action': action },
      () => void control(action, it),
    );
    it.title = words(`terminal.${action}-what`);
    it.disabled = !isAllowed;
    return it;
  });
  const clear = button({ label: words('terminal.clear'), symbol: 'eraser', isBare: true }, () => {
    void screen?.then((it) => it.clear());
  });

  const showState = (now: TerminalState): void => {
    state.dataset['kind'] = now.kind;
    state.textContent = stateText(now);
    if (now.kind === 'gone') fail(now.failure);
    else if (now.kind === 'live') fill(trouble);
  };

  const start = async (id: string): Promise<void> => {
    screen ??= openScreen(place, {
      isReadOnly: !isAllowed,
      onType: (text) => typist?.type(text),
      onPaste: (text) => typist?.paste(text),
    });
    const shown = await screen;
    if (board?.id !== id || feed) return;
    typist = new Typist(id, fail);
    feed = new TerminalFeed(id, { text: shown.write, begin: shown.reset, state: showState, failed: fail });
    shown.fit();
  };

  return {
    element: h(
      'div',
      { className: 'esp32-terminal' },
      h('div', { className: 'esp32-toolbar' }, controls, clear),
      !isAllowed && h('p', { className: 'esp32-quiet esp32-note' }, words('read-only')),
      trouble,
      place,
      h('div', { className: 'esp32-status' }, state),
    ),
    show: (next, isSeen) => {
      if (!isSeen || next?.id !== board?.id) {
        feed?.stop();
        feed = undefined;
        fill(trouble);
      }
      board = next;
      if (isSeen && next && !feed) void start(next.id);
    },
  };
}

function stateText(state: TerminalState): string {
  if (state.kind === 'paused') return words(`terminal.paused.${state.job}`);
  if (state.kind === 'gone') return textOf(state.failure).short;
  return words(`terminal.state.${state.kind}`);
}
