/** "Identify": the board is asked what it is, with the settings as they stand in the form. */
import { failureOf, post } from '../api.ts';
import { diagnosisBox } from '../diagnosis.ts';
import { button, fill, h, icon } from '../dom.ts';
import type { BoardSettings, Identity, Step } from '../wire.ts';
import { size, wordsOf } from '../words.ts';

const words = wordsOf('esp32-board');

export interface Identify {
  element: HTMLElement;
  /** Ends what runs. */
  stop: () => void;
}

export function identifyPanel(settings: () => BoardSettings): Identify {
  const answer = h('div', { className: 'esp32-identity', 'aria-live': 'polite' });
  let running: AbortController | undefined;

  const ask = async (): Promise<void> => {
    running = new AbortController();
    const job = crypto.getRandomValues(new Uint32Array(2)).join('-');
    const topic = `esp32-board/identify/${job}`;
    const heard = (_: string, data: unknown): void => fill(answer, stepLine(data as Step));
    RED.comms.subscribe(topic, heard);
    start.textContent = words('identify.cancel');
    fill(answer, stepLine({ phase: 'connecting' }));
    const { signal } = running;
    try {
      const identity = await post<Identity>('identify', { ...settings(), job }, signal);
      fill(answer, identityList(identity), identity.pressEn ? asked('press-en') : undefined);
    } catch (error) {
      fill(answer, signal.aborted ? undefined : diagnosisBox(failureOf(error)));
    } finally {
      RED.comms.unsubscribe(topic, heard);
      running = undefined;
      fill(start, icon('search'), ` ${words('identify.ask')}`);
    }
  };

  const start = button(
    { label: words('identify.ask'), symbol: 'search', isSmall: false, id: 'esp32-board-identify' },
    () => {
      if (running) running.abort();
      else void ask();
    },
  );
  start.disabled = !RED.user.hasPermission('esp32-board.write');
  return {
    element: h(
      'div',
      {},
      start,
      h('span', { className: 'esp32-quiet' }, ` ${words('identify.what')}`),
      answer,
    ),
    stop: () => running?.abort(),
  };
}

/** What is happening; what a person has to do stands out. */
function stepLine({ phase, facts }: Step): HTMLElement {
  if (phase === 'press-boot') return asked(phase);
  const text = words(`identify.step.${phase}`, facts);
  return h('p', { className: 'esp32-quiet' }, icon('circle-o-notch fa-spin'), ' ', text);
}

function asked(step: 'press-boot' | 'press-en'): HTMLElement {
  return h('p', { className: 'esp32-ask' }, icon('hand-o-right'), ' ', words(`identify.step.${step}`));
}

function identityList({
  chip,
  package: name,
  revision,
  features,
  flashSize,
  mac,
  micropython,
  application,
}: Identity): HTMLElement {
  const rows: [string, string | undefined][] = [
    ['chip', [name ?? chip, revision].filter(Boolean).join(' ')],
    ['features', features?.join(', ')],
    ['flash', flashSize === undefined ? undefined : size(flashSize)],
    ['mac', mac],
    [
      'micropython',
      micropython ?? (application === undefined ? words('identify.no-micropython') : undefined),
    ],
    ['application', micropython === undefined ? application : undefined],
  ];
  return h(
    'dl',
    { className: 'esp32-facts' },
    rows.flatMap(([key, value]) =>
      value ? [h('dt', {}, words(`identify.fact.${key}`)), h('dd', { 'data-fact': key }, value)] : [],
    ),
  );
}
