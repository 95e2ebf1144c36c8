/** Which firmware: MicroPython by its version, a file of this browser, or a URL. */
import { get } from '../../api.ts';
import { button, fill, h } from '../../dom.ts';
import type { FlashRequest } from '../../wire.ts';
import { size, wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';

const words = wordsOf('esp32-sidebar');
const SOURCES = ['micropython', 'file', 'url'] as const;
type Source = (typeof SOURCES)[number];
const VERSIONS = 'esp32-versions';

export class FirmwareChoice {
  readonly element: HTMLElement;
  readonly #onChange: () => void;
  #source: Source = 'micropython';
  #file: File | undefined;
  readonly #version = h('input', {
    type: 'text',
    id: 'esp32-version',
    list: VERSIONS,
    placeholder: words('flash.newest'),
  });
  readonly #picker = h('input', {
    type: 'file',
    id: 'esp32-firmware',
    hidden: true,
    accept: '.bin,.uf2,.hex,.zip,.gz',
    onchange: () => this.#take(this.#picker.files?.[0]),
  });
  /** Which file was picked or dropped. */
  readonly #chosen = h('span', { className: 'esp32-quiet' });
  readonly #url = h('input', { type: 'url', id: 'esp32-url', placeholder: 'https://' });
  readonly #sha256 = h('input', {
    type: 'text',
    id: 'esp32-sha256',
    placeholder: words('flash.sha256-what'),
    spellcheck: false,
  });
  readonly #erase = eraseSelect();
  readonly #radios = sourceRadios(this.#source, (source) => this.#choose(source));
  readonly #fields = this.#fieldsBySource();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    for (const input of [this.#version, this.#url, this.#sha256, this.#erase]) {
      input.addEventListener('input', onChange);
    }
    this.element = h(
      'div',
      { className: 'esp32-firmware' },
      h(
        'div',
        { className: 'esp32-sources', role: 'radiogroup', 'aria-label': words('flash.firmware') },
        SOURCES.map((each) => h('label', {}, this.#radios[each], words(`flash.source.${each}`))),
      ),
      Object.values(this.#fields),
      field(words('flash.before'), this.#erase),
    );
    if (mayAct()) takeDropped(this.element, (file) => this.#takeDropped(file));
    this.#draw();
  }

  /** What is asked for, or nothing while something is missing. */
  get request(): FlashRequest | undefined {
    const url = this.#url.value.trim();
    const isReady = { micropython: true, file: this.#file !== undefined, url: /^https?:\/\/./.test(url) };
    if (!isReady[this.#source]) return undefined;
    return {
      source: this.#source,
      version: this.#version.value.trim(),
      url,
      sha256: this.#sha256.value.trim(),
      erase: this.#erase.value as FlashRequest['erase'],
    };
  }

  /** The file that has to be sent first. */
  get file(): File | undefined {
    return this.#source === 'file' ? this.#file : undefined;
  }

  #fieldsBySource(): Record<Source, HTMLElement> {
    const pick = button({ label: words('flash.choose-file'), symbol: 'folder-open-o' }, () =>
      this.#picker.click(),
    );
    return {
      micropython: field(words('flash.version'), this.#version, knownVersions()),
      file: field(words('flash.file'), this.#picker, pick, this.#chosen),
      url: h('div', {}, field(words('flash.url'), this.#url), field(words('flash.sha256'), this.#sha256)),
    };
  }

  #choose(source: Source): void {
    this.#source = source;
    this.#draw();
    this.#onChange();
  }

  #take(file: File | undefined): void {
    this.#file = file;
    this.#draw();
    this.#onChange();
  }

  #takeDropped(file: File): void {
    this.#radios.file.checked = true;
    this.#choose('file');
    this.#take(file);
  }

  #draw(): void {
    const file = this.#file;
    fill(this.#chosen, file ? `${file.name} (${size(file.size)})` : words('flash.or-drop'));
    for (const each of SOURCES) this.#fields[each].hidden = each !== this.#source;
  }
}

/** An input with its label, and what else stands beside it. */
function field(label: string, input: HTMLElement, ...more: Node[]): HTMLElement {
  return h('div', { className: 'esp32-field' }, h('label', { for: input.id }, label), input, ...more);
}

/** The versions of MicroPython that can be downloaded, for the input that names their list. */
function knownVersions(): HTMLElement {
  const list = h('datalist', { id: VERSIONS });
  get<string[]>('micropython').then(
    (known) =>
      fill(
        list,
        known.map((value) => h('option', { value })),
      ),
    // The list only helps with typing: without a network any version can still be named.
    () => undefined,
  );
  return list;
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
