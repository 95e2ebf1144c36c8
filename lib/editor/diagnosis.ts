/** What went wrong and what to do, as a person sees it. */
import { button, h, icon } from './dom.ts';
import type { Failure } from './wire.ts';
import { diagnosisWords, wordsOf } from './words.ts';

const words = wordsOf('esp32-board');

/** What only the editor meets; all other codes are the runtime's. */
const OF_THE_EDITOR = new Set(['not-allowed', 'no-runtime']);

export function textOf({ code, facts }: Failure): { cause: string; remedy: string[]; short: string } {
  const context = facts['heard'] ?? facts['case'] ?? facts['unit'];
  const text = (part: string): string => {
    const wanted = { ...facts, context };
    return OF_THE_EDITOR.has(code)
      ? words(`editor.${code}.${part}`, wanted)
      : diagnosisWords(`${code}.${part}`, wanted);
  };
  return { cause: text('cause'), remedy: text('remedy').split('\n'), short: text('short') };
}

/** A box with the cause, what to do, and the facts behind a fold. */
export function diagnosisBox(failure: Failure): HTMLElement {
  const { cause, remedy } = textOf(failure);
  const evidence = Object.entries(failure.facts).filter(([, fact]) => fact !== '');
  const help = button({ label: words('editor.help'), symbol: 'book' }, () =>
    RED.sidebar.help.show('esp32-board'),
  );
  return h(
    'div',
    { className: 'esp32-trouble esp32-trouble-error', role: 'alert', 'data-code': failure.code },
    h('p', { className: 'esp32-trouble-cause' }, icon('exclamation-circle'), ' ', cause),
    h(
      'ul',
      {},
      remedy.map((line) => h('li', {}, withCommands(line))),
    ),
    h(
      'details',
      {},
      h('summary', {}, words('editor.evidence')),
      h('code', {}, failure.code),
      h(
        'dl',
        {},
        evidence.flatMap(([name, fact]) => [h('dt', {}, name), h('dd', {}, plain(fact))]),
      ),
      help,
    ),
  );
}

function plain(fact: unknown): string {
  return typeof fact === 'string' ? fact : JSON.stringify(fact);
}

/** What stands between backticks is typed as it is. */
export function withCommands(line: string): (string | HTMLElement)[] {
  return line.split('`').map((part, at) => (at % 2 === 1 ? h('code', {}, part) : part));
}
