/** The list of ports, live: boards come and go while it is looked at. */
import { get, failureOf } from '../api.ts';
import { diagnosisBox } from '../diagnosis.ts';
import { fill, h } from '../dom.ts';
import type { Port, Ports } from '../wire.ts';
import { wordsOf } from '../words.ts';
import { isPort, portOption } from './port-option.ts';
import { troubleBox } from './troubles.ts';

const words = wordsOf('esp32-board');
const LOOK_EVERY_MS = 1500;

interface Listener {
  /** One was clicked. */
  choose: (port: Port) => void;
  /** The list has changed. */
  seen: () => void;
}

export class PortList {
  readonly element: HTMLElement;
  readonly #on: Listener;
  readonly #list = h('div', {
    role: 'listbox',
    id: 'esp32-board-ports',
    'aria-labelledby': 'esp32-board-ports-heading',
    onkeydown: moveBetweenOptions,
  });
  readonly #troubles = h('div', { id: 'esp32-board-troubles', 'aria-live': 'polite' });
  #ports: readonly Port[] = [];
  #marked = { path: '', device: '' };
  /** The answer that is shown, so that one that is the same changes nothing. */
  #shown = '';
  #timer: number | undefined;
  #isStopped = false;

  constructor(on: Listener) {
    this.#on = on;
    this.element = h('div', {}, this.#list, this.#troubles);
    void this.#look();
  }

  /** The ports that were seen last. */
  get ports(): readonly Port[] {
    return this.#ports;
  }

  /** Shows which one the form has. */
  mark(path: string, device: string): void {
    this.#marked = { path, device };
    for (const [at, option] of [...this.#list.querySelectorAll('[role=option]')].entries()) {
      const port = this.#ports[at];
      const isIt = port !== undefined && isPort(port, path, device);
      option.setAttribute('aria-selected', String(isIt));
    }
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      this.#show(await get<Ports>('ports'));
    } catch (error) {
      this.#shown = '';
      fill(this.#troubles, diagnosisBox(failureOf(error)));
    }
    if (!this.#isStopped) this.#timer = window.setTimeout(() => void this.#look(), LOOK_EVERY_MS);
  }

  #show(answer: Ports): void {
    const text = JSON.stringify(answer);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#ports = answer.ports;
    this.#fillList();
    fill(this.#troubles, answer.troubles.map(troubleBox));
    this.mark(this.#marked.path, this.#marked.device);
    this.#on.seen();
  }

  /** The focus stays where it is in the list. */
  #fillList(): void {
    const list = this.#list;
    const focused = list.contains(document.activeElement) ? document.activeElement?.id : undefined;
    fill(
      list,
      this.#ports.map((port, at) => portOption(port, at, () => this.#on.choose(port))),
      this.#ports.length === 0 && h('p', { className: 'esp32-quiet' }, words('ports.none')),
    );
    if (focused) document.getElementById(focused)?.focus();
  }
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
