/** A name, asked for where it is needed. */
import { button, fill, h } from '../../dom.ts';
import { wordsOf } from '../../words.ts';

const words = wordsOf('esp32-sidebar');

/** Resolves to the name, or to nothing where the person thinks better of it. */
export async function askName(place: HTMLElement, label: string, name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const end = (answer: string | undefined): void => {
      fill(place);
      resolve(answer);
    };
    const input = h('input', {
      type: 'text',
      id: 'esp32-name',
      value: name,
      autocomplete: 'off',
      spellcheck: false,
    });
    const form = h(
      'form',
      {
        className: 'esp32-name',
        onsubmit: (event: Event) => {
          event.preventDefault();
          end(input.value.trim().replace(/^\/+/, '') || undefined);
        },
        onkeydown: (event: KeyboardEvent) => {
          event.stopPropagation();
          if (event.key === 'Escape') end(undefined);
        },
      },
      h('label', { for: input.id }, label),
      input,
      h('button', { type: 'submit', className: 'red-ui-button red-ui-button-small' }, words('ok')),
      button({ label: words('cancel') }, () => end(undefined)),
    );
    fill(place, form);
    input.focus();
    input.setSelectionRange(0, name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length);
  });
}
