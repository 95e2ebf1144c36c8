/** The sidebar "ESP32": a board, and three tabs about it. */
import { addStyles, h } from '../dom.ts';
import { wordsOf } from '../words.ts';
import { boardChoice } from './board-choice.ts';
import { filesPanel } from './files/panel.ts';
import { flashPanel } from './flash/panel.ts';
import { terminalPanel } from './terminal.ts';
import type { Panel } from './panel.ts';
import { tabs } from './tabs.ts';

const words = wordsOf('esp32-sidebar');
const ID = 'esp32-sidebar';

function sidebar(): HTMLElement {
  const openTerminal = (): void => bar.choose('terminal');
  const panels: Record<string, Panel> = {
    terminal: terminalPanel(),
    files: filesPanel(openTerminal),
    flash: flashPanel(openTerminal),
  };
  let isOpen = false;
  const update = (): void => {
    const { board } = choice;
    content.dataset['empty'] = String(!board);
    for (const [name, panel] of Object.entries(panels)) {
      panel.show(board, isOpen && Boolean(board) && name === bar.chosen);
    }
  };
  const bar = tabs(
    Object.entries(panels).map(([name, { element }]) => ({ name, label: words(`tab.${name}`), element })),
    update,
  );
  const choice = boardChoice(update);
  const content = h(
    'div',
    { className: 'esp32-sidebar', id: ID },
    choice.element,
    choice.empty,
    bar.element,
    Object.values(panels).map(({ element }) => element),
  );
  // Node-RED tells of a tab that is opened, not of one that is closed or hidden with its sidebar.
  new ResizeObserver(() => {
    const isNow = content.clientWidth > 0 && content.clientHeight > 0;
    if (isNow === isOpen) return;
    isOpen = isNow;
    update();
  }).observe(content);
  return content;
}

RED.plugins.registerPlugin(ID, {
  onadd: () => {
    addStyles();
    RED.sidebar.addTab({
      id: ID,
      label: words('title'),
      name: words('title'),
      iconClass: 'fa fa-microchip',
      content: sidebar(),
      enableOnEdit: true,
      action: 'esp32:show-sidebar',
    });
    RED.actions.add('esp32:show-sidebar', () => RED.sidebar.show(ID));
  },
});
