/** A row of tabs as the ARIA practices have it: one stop for the Tab key, arrows between them. */
import { h } from '../dom.ts';

export interface Tabs {
  element: HTMLElement;
  readonly chosen: string;
  choose: (name: string) => void;
}

interface Tab {
  name: string;
  label: string;
  element: HTMLElement;
}

export function tabs(list: readonly Tab[], onChange: () => void): Tabs {
  let chosen = list[0]?.name ?? '';
  const buttons = list.map(({ name, label, element }) => {
    element.id = `esp32-panel-${name}`;
    element.setAttribute('role', 'tabpanel');
    element.setAttribute('aria-labelledby', `esp32-tab-${name}`);
    return h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `esp32-tab-${name}`,
        'aria-controls': element.id,
        onclick: () => choose(name),
      },
      label,
    );
  });
  const mark = (): void => {
    for (const [at, { name, element }] of list.entries()) {
      buttons[at]?.setAttribute('aria-selected', String(name === chosen));
      if (buttons[at]) buttons[at].tabIndex = name === chosen ? 0 : -1;
      element.hidden = name !== chosen;
    }
  };
  const choose = (name: string): void => {
    chosen = name;
    mark();
    onChange();
  };
  const step = (event: KeyboardEvent): void => {
    const now = list.findIndex(({ name }) => name === chosen);
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: list.length - 1 }[event.key];
    const tab = to === undefined ? undefined : list[(to + list.length) % list.length];
    if (!tab) return;
    event.preventDefault();
    choose(tab.name);
    document.getElementById(`esp32-tab-${tab.name}`)?.focus();
  };
  mark();
  return {
    element: h('div', { role: 'tablist', className: 'esp32-tabs', onkeydown: step }, buttons),
    get chosen() {
      return chosen;
    },
    choose,
  };
}
