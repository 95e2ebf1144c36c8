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
  const versions = h('datalist', { id: 'esp32-versions' });
  const version = h('input', {
    type: 'text',
    id: 'esp32-version',
    list: versions.id,
    placeholder: words('flash.newest'),
  });
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
  const erase = h(
    'select',
    { id: 'esp32-erase' },
    (['needed', 'all'] as const).map((value) => h('option', { value }, words(`flash.erase.${value}`))),
  );

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
  for (const input of [version, url, sha256, erase]) input.addEventListener('input', onChange);

  const field = (id: string, label: string, ...inputs: Node[]): HTMLElement =>
    h('div', { className: 'esp32-field' }, h('label', { for: id }, label), ...inputs);
  const fields: Record<Source, HTMLElement> = {
    micropython: field(version.id, words('flash.version'), version, versions),
    file: field(picker.id, words('flash.file'), pick, chosen, picker),
    url: h(
      'div',
      {},
      field(url.id, words('flash.url'), url),
      field(sha256.id, words('flash.sha256'), sha256),
    ),
  };
  const radios = SOURCES.map((each) =>
    h(
      'label',
      {},
      h('input', {
        type: 'radio',
        name: 'esp32-source',
        value: each,
        checked: each === source,
        onchange: () => choose(each),
      }),
      words(`flash.source.${each}`),
    ),
  );
  draw();
  // Only a help for typing: without a network any version can still be named.
  get<string[]>('micropython').then(
    (known) =>
      fill(
        versions,
        known.map((value) => h('option', { value })),
      ),
    () => undefined,
  );

  const element = h(
    'div',
    { className: 'esp32-firmware' },
    h(
      'div',
      { className: 'esp32-sources', role: 'radiogroup', 'aria-label': words('flash.firmware') },
      radios,
    ),
    Object.values(fields),
    field(erase.id, words('flash.before'), erase),
  );
  if (mayAct()) {
    element.addEventListener('dragover', (event) => {
      event.preventDefault();
      event.stopPropagation();
    });
    element.addEventListener('drop', (event) => {
      event.preventDefault();
      event.stopPropagation();
      const dropped = event.dataTransfer?.files[0];
      if (!dropped) return;
      const radio = radios[SOURCES.indexOf('file')]?.querySelector('input');
      if (radio) radio.checked = true;
      choose('file');
      take(dropped);
    });
  }
  return {
    element,
    get request() {
      const isReady = { micropython: true, file: file !== undefined, url: /^https?:\/\/./.test(url.value) }[
        source
      ];
      if (!isReady) return undefined;
      const text = { version: version.value.trim(), url: url.value.trim(), sha256: sha256.value.trim() };
      return { source, ...text, erase: erase.value as FlashRequest['erase'] };
    },
    get file() {
      return source === 'file' ? file : undefined;
    },
  };
}
