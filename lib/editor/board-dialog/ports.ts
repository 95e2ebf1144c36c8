/** The list of ports, live: boards come and go while it is looked at. */
import { get, failureOf } from '../api.ts';
import { diagnosisBox } from '../diagnosis.ts';
import { fill, h } from '../dom.ts';
import type { Port, Ports } from '../wire.ts';
import { wordsOf } from '../words.ts';
import { troubleBox } from './troubles.ts';

const words = wordsOf('esp32-board');
const LOOK_EVERY_MS = 1500;

export interface PortList {
  element: HTMLElement;
  /** The ports that were seen last. */
  readonly ports: readonly Port[];
  /** Shows which one the form has. */
  mark: (path: string, device: string) => void;
  stop: () => void;
}

/** `onChoose`: one was clicked; `onSeen`: the list has changed. */
export function portList(on: { choose: (port: Port) => void; seen: () => void }): PortList {
  const list = h('div', {
    role: 'listbox',
    id: 'esp32-board-ports',
    'aria-labelledby': 'esp32-board-ports-heading',
  });
  const troubles = h('div', { id: 'esp32-board-troubles', 'aria-live': 'polite' });
  let ports: readonly Port[] = [];
  let marked = { path: '', device: '' };
  let shown = '';
  let timer: number | undefined;
  let isStopped = false;

  const show = (answer: Ports): void => {
    const text = JSON.stringify(answer);
    if (text === shown) return;
    shown = text;
    ports = answer.ports;
    const before = list.contains(document.activeElement) ? document.activeElement?.id : undefined;
    fill(
      list,
      ports.map((port, at) => portOption(port, at, () => on.choose(port))),
      ports.length === 0 && h('p', { className: 'esp32-quiet' }, words('ports.none')),
    );
    if (before) document.getElementById(before)?.focus();
    fill(troubles, answer.troubles.map(troubleBox));
    mark(marked.path, marked.device);
    on.seen();
  };

  const mark = (path: string, device: string): void => {
    marked = { path, device };
    for (const [at, option] of [...list.querySelectorAll('[role=option]')].entries()) {
      const port = ports[at];
      const isIt = port !== undefined && isPort(port, path, device);
      option.setAttribute('aria-selected', String(isIt));
    }
  };

  const look = async (): Promise<void> => {
    try {
      show(await get<Ports>('ports'));
    } catch (error) {
      shown = '';
      fill(troubles, diagnosisBox(failureOf(error)));
    }
    if (!isStopped) timer = window.setTimeout(() => void look(), LOOK_EVERY_MS);
  };
  list.addEventListener('keydown', moveBetweenOptions);
  void look();

  return {
    element: h('div', {}, list, troubles),
    get ports() {
      return ports;
    },
    mark,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Whether a port is what the form has: by its device where that is chosen, else by its path. */
export function isPort(port: Port, path: string, device: string): boolean {
  if (device === '') return port.path === path;
  return port.device === device || (port.locationId !== undefined && device === `usb:${port.locationId}`);
}

/** "CP2102 USB to UART Bridge Controller · Silicon Labs": what a person knows a board by. */
function portName({ adapter, product, manufacturer, path }: Port): string {
  const kind = adapter ? words(`ports.kind.${adapter.kind}`, { name: adapter.name }) : undefined;
  return kind ?? product ?? manufacturer ?? words('ports.kind.unknown', { path });
}

function details(port: Port): string {
  const { manufacturer, product, serialNumber, locationId } = port;
  const name = portName(port);
  return [
    product === name ? undefined : product,
    product?.includes(manufacturer ?? ' ') ? undefined : manufacturer,
    serialNumber && words('ports.serial', { serialNumber }),
    locationId && words('ports.location', { locationId }),
  ]
    .filter(Boolean)
    .join(' · ');
}

function portOption(port: Port, at: number, choose: () => void): HTMLElement {
  const classes = ['esp32-port', !port.likely && 'esp32-port-unlikely'].filter(Boolean).join(' ');
  const facts = details(port);
  return h(
    'button',
    {
      type: 'button',
      role: 'option',
      id: `esp32-board-port-${at}`,
      className: classes,
      'data-path': port.path,
      'aria-selected': 'false',
      onclick: choose,
    },
    h('span', { className: 'esp32-port-name' }, portName(port)),
    h('span', { className: 'esp32-port-path' }, port.path),
    facts !== '' && h('span', { className: 'esp32-port-facts' }, facts),
  );
}

/** Up and down, as in any list. */
function moveBetweenOptions(event: KeyboardEvent): void {
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const options = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role=option]')];
  const now = options.indexOf(document.activeElement as HTMLElement);
  options[Math.max(0, Math.min(options.length - 1, now + step))]?.focus();
}
