/** Why a board is not in the list, and what to do about it. */
import { withCommands } from '../diagnosis.ts';
import { h, icon } from '../dom.ts';
import type { Trouble } from '../wire.ts';
import { wordsOf } from '../words.ts';

const words = wordsOf('esp32-board');

export function troubleBox({ code, facts }: Trouble): HTMLElement {
  const text = (part: string): string =>
    words(`trouble.${code}.${part}`, { ...facts, context: facts['case'] });
  const snippet = text('snippet');
  return h(
    'div',
    { className: 'esp32-trouble', role: 'note', 'data-code': code },
    h('p', { className: 'esp32-trouble-cause' }, icon('info-circle'), ' ', text('cause')),
    h(
      'ul',
      {},
      text('remedy')
        .split('\n')
        .map((line) => h('li', {}, withCommands(line))),
    ),
    snippet.includes('\n') && h('pre', { tabIndex: 0 }, snippet),
  );
}
