/** A file of the board in Node-RED's own editor. */
import { failureOf } from '../../api.ts';
import { confirm, escaped } from '../../ask.ts';
import { diagnosisBox } from '../../diagnosis.ts';
import { fill, h } from '../../dom.ts';
import { wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';
import { nameOf } from './paths.ts';
import { modeOf } from './text-file.ts';

const words = wordsOf('esp32-sidebar');

interface Opened {
  path: string;
  text: string;
  save: (text: string) => Promise<void>;
  /** Saved, and now run. */
  run: () => void;
}

export function openFile(file: Opened): void {
  new FileEditor(file).show();
}

class FileEditor {
  readonly #file: Opened;
  readonly #place = h('div', { className: 'esp32-code', onkeydown: (event) => this.#saveByKey(event) });
  readonly #told = h('div');
  #editor: CodeEditor | undefined;
  #saved: string;

  constructor(file: Opened) {
    this.#file = file;
    this.#saved = file.text;
  }

  show(): void {
    const before = RED.view.state();
    RED.tray.show({
      title: escaped(this.#file.path),
      width: 760,
      buttons: this.#buttons(),
      open: (tray) => {
        RED.view.state(RED.state.EDITING);
        this.#fill(tray.find('.red-ui-tray-body').get(0));
      },
      resize: () => this.#editor?.resize?.(),
      close: () => {
        this.#editor?.destroy();
        RED.view.state(before);
      },
    });
  }

  #buttons(): TrayButton[] {
    const close = { id: 'esp32-file-close', text: words('files.close'), click: () => void this.#leave() };
    const run = { id: 'esp32-file-run', text: words('files.save-run'), click: () => void this.#saveAndRun() };
    const save = {
      id: 'esp32-file-save',
      text: words('files.save'),
      class: 'primary',
      click: () => void this.#save(),
    };
    if (!mayAct()) return [close];
    return this.#file.path.endsWith('.py') ? [close, run, save] : [close, save];
  }

  #fill(body: HTMLElement | undefined): void {
    const { path, text } = this.#file;
    body?.append(h('div', { className: 'esp32-editor' }, this.#told, this.#place));
    this.#editor = RED.editor.createEditor({
      element: this.#place,
      mode: modeOf(path),
      value: text,
      focus: true,
    });
    if (!mayAct()) this.#editor.setReadOnly?.(true);
  }

  #saveByKey(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || event.key !== 's' || !mayAct()) return;
    event.preventDefault();
    event.stopPropagation();
    void this.#save();
  }

  get #text(): string {
    return this.#editor?.getValue() ?? this.#saved;
  }

  /** Whether it is saved now. */
  async #save(): Promise<boolean> {
    const text = this.#text;
    this.#tell('files.saving');
    try {
      await this.#file.save(text);
    } catch (error) {
      fill(this.#told, diagnosisBox(failureOf(error)));
      return false;
    }
    this.#saved = text;
    this.#tell('files.saved');
    return true;
  }

  #tell(key: string): void {
    fill(this.#told, h('p', { className: 'esp32-quiet', role: 'status' }, words(key)));
  }

  async #saveAndRun(): Promise<void> {
    if (!(await this.#save())) return;
    RED.tray.close();
    this.#file.run();
  }

  async #leave(): Promise<void> {
    const question = words('files.discard', { name: nameOf(this.#file.path) });
    if (this.#text === this.#saved || (await confirm(question, words('files.discard-yes')))) RED.tray.close();
  }
}
