/** The board that all tabs are about: one of those that are deployed. */
import { failureOf, get } from '../api.ts';
import { diagnosisBox } from '../diagnosis.ts';
import { button, fill, h } from '../dom.ts';
import type { DeployedBoard, Failure } from '../wire.ts';
import { wordsOf } from '../words.ts';
import { mayAct } from './panel.ts';

const words = wordsOf('esp32-sidebar');
const TYPE = 'esp32-board';
/** In the browser, so that a reload shows the same board. */
const REMEMBERED = 'esp32-sidebar-board';

export interface BoardChoice {
  /** The row with the list of boards. */
  element: HTMLElement;
  /** What stands in place of the tabs while there is no board, or it is not known which there are. */
  empty: HTMLElement;
  readonly board: DeployedBoard | undefined;
}

export function boardChoice(onChange: () => void): BoardChoice {
  const select = h('select', { id: 'esp32-sidebar-board', onchange: () => choose(select.value) });
  const edit = button({ label: words('board.edit'), symbol: 'pencil', isBare: true }, () => {
    if (chosen) RED.editor.editConfig('', TYPE, chosen.id);
  });
  const add = button({ label: words('board.add'), symbol: 'plus', isBare: true }, addBoard);
  const empty = h('div', { className: 'esp32-empty' });
  let boards: readonly DeployedBoard[] = [];
  let chosen: DeployedBoard | undefined;
  let failure: Failure | undefined;

  const choose = (id: string | null): void => {
    chosen = boards.find((board) => board.id === id) ?? boards[0];
    if (chosen) {
      select.value = chosen.id;
      localStorage.setItem(REMEMBERED, chosen.id);
    }
    onChange();
  };
  const showEmpty = (): void => fill(empty, failure ? failedState(failure, look) : emptyState());
  const show = (known: readonly DeployedBoard[], why?: Failure): void => {
    boards = known;
    failure = why;
    fill(
      select,
      boards.map(({ id, name, port }) => h('option', { value: id }, name || port || id)),
    );
    showEmpty();
    choose(chosen?.id ?? localStorage.getItem(REMEMBERED));
  };
  const look = (): void =>
    void get<DeployedBoard[]>('boards').then(show, (error: unknown) => show([], failureOf(error)));
  RED.comms.subscribe('esp32-boards', (_, told) => show((told as { boards: DeployedBoard[] }).boards));
  for (const event of ['nodes:add', 'nodes:remove']) RED.events.on(event, showEmpty);
  look();

  return {
    element: h(
      'div',
      { className: 'esp32-board-row' },
      h('label', { for: select.id }, words('board.label')),
      select,
      edit,
      add,
    ),
    empty,
    get board() {
      return chosen;
    },
  };
}

function addBoard(): void {
  RED.editor.editConfig('', TYPE, '_ADD_');
}

/** Which boards there are could not be asked: that is not the same as none. */
function failedState(failure: Failure, onAgain: () => void): HTMLElement[] {
  const again = button({ label: words('files.reload'), symbol: 'refresh', isSmall: false }, onAgain);
  return [diagnosisBox(failure), again];
}

/** What to do until there is a board. */
function emptyState(): HTMLElement[] {
  const known: EditorNode[] = [];
  RED.nodes.eachConfig((node) => {
    if (node.type === TYPE) known.push(node);
    return true;
  });
  const isWaiting = known.length > 0;
  const step = isWaiting ? 'deploy' : 'add';
  const act = button(
    { label: words('board.add'), symbol: 'plus', isSmall: false, className: 'primary' },
    addBoard,
  );
  act.disabled = !mayAct();
  return [
    h('h4', {}, words(`empty.${step}.title`)),
    h('p', {}, words(`empty.${step}.text`)),
    ...(isWaiting ? [] : [act]),
  ];
}
