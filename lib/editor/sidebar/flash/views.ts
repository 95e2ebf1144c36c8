/** What is shown of a flash: the step it is at, what will happen, and what has come of it. */
import { diagnosisBox } from '../../diagnosis.ts';
import { button, h, icon } from '../../dom.ts';
import type { FlashMap, FlashState } from '../../wire.ts';
import { size, wordsOf } from '../../words.ts';
import { flashMapView } from './map.ts';

const words = wordsOf('esp32-sidebar');

/** All that there is to say of where flashing stands. */
export function stateView(state: FlashState): (HTMLElement | false | undefined)[] {
  const { phase, step, map, result, failure, firmware, chip } = state;
  if (phase === 'idle') return [];
  const done = { planning: 0, planned: 0, failed: 0, flashing: step?.done ?? 0, done: Infinity }[phase];
  return [
    failure && diagnosisBox(failure),
    phase !== 'failed' && h('h4', { className: 'esp32-title' }, [firmware, chip].filter(Boolean).join(' → ')),
    (phase === 'planning' || phase === 'flashing') && stepView(step),
    phase === 'planned' && map && summary(map),
    phase === 'done' && outcome(result),
    map && flashMapView(map, done),
  ];
}

/** The step, what a person has to do in it, and how far it is. */
function stepView({ phase = 'reading', percent, secondsLeft, facts }: Partial<Step> = {}): HTMLElement {
  const isAsked = phase === 'press-boot';
  const left = secondsLeft === undefined ? '' : ` · ${words('flash.left', { seconds: secondsLeft })}`;
  return h(
    'div',
    { role: 'status' },
    h(
      'p',
      { className: isAsked ? 'esp32-ask' : 'esp32-quiet' },
      icon(isAsked ? 'hand-o-right' : 'circle-o-notch fa-spin'),
      ` ${words(`flash.step.${phase}`, facts)}${left}`,
    ),
    h('progress', {
      max: 100,
      ...(percent === undefined ? {} : { value: percent }),
      'aria-label': words('flash.progress'),
    }),
  );
}

type Step = NonNullable<FlashState['step']>;

/** The plan in two sentences: how much is written, and whether data is lost. */
function summary({ write, total, losses, boardRead }: FlashMap): HTMLElement {
  const names = losses.map(({ label }) => label).join(', ');
  const key = write === 0 ? 'nothing' : 'write';
  const kept = !boardRead ? 'unknown' : losses.length > 0 ? 'loses' : 'keeps';
  return h(
    'div',
    { className: 'esp32-summary' },
    h('p', {}, words(`flash.summary.${key}`, { write: size(write), total: size(total) })),
    h(
      'p',
      { 'data-kept': kept },
      icon(kept === 'keeps' ? 'check' : 'exclamation-triangle'),
      ` ${words(`flash.summary.${kept}`, { names })}`,
    ),
  );
}

/** Whether it was seen to run, or what is left to do. */
function outcome({
  started = 'program',
  version,
  written = 0,
  seconds,
  verified = true,
}: Partial<NonNullable<FlashState['result']>> = {}): HTMLElement {
  const isMicroPython = version !== undefined && started !== 'other';
  const isSeen = isMicroPython || (verified && (started === 'program' || started === 'prompt'));
  const key = isMicroPython ? 'runs' : verified ? started : 'not-compared';
  return h(
    'div',
    { className: 'esp32-outcome', role: 'status', 'data-seen': String(isSeen) },
    h(
      'p',
      {},
      icon(isSeen ? 'check-circle' : 'hand-o-right'),
      ` ${words(`flash.outcome.${key}`, { version })}`,
    ),
    h('p', { className: 'esp32-quiet' }, words('flash.outcome.facts', { written: size(written), seconds })),
  );
}

/** The buttons below a step. `on`: what they do. */
export function actions(
  { phase, result }: FlashState,
  isAllowed: boolean,
  on: Record<'cancel' | 'start' | 'openTerminal', () => void>,
): HTMLElement | undefined {
  const main = { isSmall: false, className: 'primary' };
  const again = button({ label: words('flash.again'), isSmall: false }, on.cancel);
  const go = button({ label: words('flash.start'), symbol: 'bolt', id: 'esp32-start', ...main }, on.start);
  const stop = button({ label: words('cancel'), isSmall: false }, on.cancel);
  const terminal = button({ label: words('flash.terminal'), symbol: 'terminal', ...main }, on.openTerminal);
  for (const it of [again, go, stop]) it.disabled = !isAllowed;
  const row = {
    idle: [],
    failed: [],
    planning: [stop],
    flashing: [stop],
    planned: [again, go],
    done: result?.version === undefined ? [again] : [again, terminal],
  }[phase];
  return row.length > 0 ? h('div', { className: 'esp32-actions' }, row) : undefined;
}
