/** Which firmware: MicroPython by its version, a file of this browser, or a URL. */
import { get } from '../../api.ts';
import { button, fill, h } from '../../dom.ts';
import type { FlashRequest } from '../../wire.ts';
import { size, wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';

const words = wordsOf('esp32-sidebar');
const SOURCES = ['micropython', 'file', 'url'] as const;
type Source = (typeof SOURCES)[number];

export interface FirmwareChoice {
  element: HTMLElement;
  /** What is asked for, or nothing while something is missing. */
  readonly request: FlashRequest | undefined;
  /** The file that has to be sent first. */
  readonly file: File | undefined;
}

export function firmwareChoice(onChange: () => void): FirmwareChoice {
  let source: Source = 'micropython';
  let file: File | undefined;
  const version = versionInput();
  const url = h('input', { type: 'url', id: 'esp32-url', placeholder: 'https://' });
  const sha256 = h('input', {
    type: 'text',
    id: 'esp32-sha256',
    placeholder: words('flash.sha256-what'),
    spellcheck: false,
  });
  const picker = h('input', {
    type: 'file',
    id: 'esp32-firmware',
    hidden: true,
    accept: '.bin,.uf2,.hex,.zip,.gz',
  });
  const pick = button({ label: words('flash.choose-file'), symbol: 'folder-open-o' }, () => picker.click());
  const chosen = h('span', { className: 'esp32-quiet' });
  const erase = eraseSelect();
  const fields: Record<Source, HTMLElement> = {
    micropython: field(words('flash.version'), version.input, version.list),
    file: field(words('flash.file'), picker, pick, chosen),
    url: h('div', {}, field(words('flash.url'), url), field(words('flash.sha256'), sha256)),
  };

  const draw = (): void => {
    fill(chosen, file ? `${file.name} (${size(file.size)})` : words('flash.or-drop'));
    for (const each of SOURCES) fields[each].hidden = each !== source;
  };
  const choose = (next: Source): void => {
    source = next;
    draw();
    onChange();
  };
  const take = (next: File | undefined): void => {
    file = next;
    draw();
    onChange();
  };
  picker.addEventListener('change', () => take(picker.files?.[0]));
  for (const input of [version.input, url, sha256, erase]) input.addEventListener('input', onChange);

  const radios = sourceRadios(source, choose);
  const element = h(
    'div',
    { className: 'esp32-firmware' },
    h(
      'div',
      { className: 'esp32-sources', role: 'radiogroup', 'aria-label': words('flash.firmware') },
      SOURCES.map((each) => h('label', {}, radios[each], words(`flash.source.${each}`))),
    ),
    Object.values(fields),
    field(words('flash.before'), erase),
  );
  if (mayAct())
    takeDropped(element, (dropped) => {
      radios.file.checked = true;
      choose('file');
      take(dropped);
    });
  draw();
  return {
    element,
    get request() {
      const isReady = { micropython: true, file: file !== undefined, url: /^https?:\/\/./.test(url.value) };
      if (!isReady[source]) return undefined;
      const text = {
        version: version.input.value.trim(),
        url: url.value.trim(),
        sha256: sha256.value.trim(),
      };
      return { source, ...text, erase: erase.value as FlashRequest['erase'] };
    },
    get file() {
      return source === 'file' ? file : undefined;
    },
  };
}

/** An input with its label, and what else stands beside it. */
function field(label: string, input: HTMLElement, ...more: Node[]): HTMLElement {
  return h('div', { className: 'esp32-field' }, h('label', { for: input.id }, label), input, ...more);
}

/** The version of MicroPython, with those that can be downloaded in `list`. */
function versionInput(): { input: HTMLInputElement; list: HTMLElement } {
  const list = h('datalist', { id: 'esp32-versions' });
  const placeholder = words('flash.newest');
  const input = h('input', { type: 'text', id: 'esp32-version', list: list.id, placeholder });
  get<string[]>('micropython').then(
    (known) =>
      fill(
        list,
        known.map((value) => h('option', { value })),
      ),
    // The list only helps with typing: without a network any version can still be named.
    () => undefined,
  );
  return { input, list };
}

function eraseSelect(): HTMLSelectElement {
  const values: FlashRequest['erase'][] = ['needed', 'all'];
  const options = values.map((value) => h('option', { value }, words(`flash.erase.${value}`)));
  return h('select', { id: 'esp32-erase' }, options);
}

function sourceRadios(checked: Source, choose: (source: Source) => void): Record<Source, HTMLInputElement> {
  const radio = (value: Source): HTMLInputElement =>
    h('input', {
      type: 'radio',
      name: 'esp32-source',
      value,
      checked: value === checked,
      onchange: () => choose(value),
    });
  return { micropython: radio('micropython'), file: radio('file'), url: radio('url') };
}

/** A file that is dropped on `element` goes to `take`, and not to the editor, which would import it as a flow. */
function takeDropped(element: HTMLElement, take: (file: File) => void): void {
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    event.stopPropagation();
    const dropped = event.dataTransfer?.files[0];
    if (dropped) take(dropped);
  });
}
