/** A file of the board in Node-RED's own editor. */
import { failureOf } from '../../api.ts';
import { confirm, escaped } from '../../ask.ts';
import { diagnosisBox } from '../../diagnosis.ts';
import { fill, h } from '../../dom.ts';
import { wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';
import { nameOf } from './tree.ts';

const words = wordsOf('esp32-sidebar');

/** Larger ones, and those that are no text, can be downloaded. */
const MAX_EDIT = 512 * 1024;

const MODES: Readonly<Record<string, string>> = {
  py: 'python',
  json: 'json',
  js: 'javascript',
  html: 'html',
  css: 'css',
  md: 'markdown',
};

/** The text of a file; `undefined` for what is none, or too long to be edited. */
export async function textIn(content: Blob): Promise<string | undefined> {
  if (content.size > MAX_EDIT) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await content.arrayBuffer(),
    );
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

interface Opened {
  path: string;
  text: string;
  save: (text: string) => Promise<void>;
  /** Saved, and now run. */
  run: () => void;
}

export function openFile({ path, text, save, run }: Opened): void {
  const place = h('div', { className: 'esp32-code' });
  const trouble = h('div');
  const before = RED.view.state();
  let editor: CodeEditor | undefined;
  let saved = text;

  const store = async (): Promise<boolean> => {
    const now = editor?.getValue() ?? saved;
    fill(trouble, h('p', { className: 'esp32-quiet', role: 'status' }, words('files.saving')));
    try {
      await save(now);
      saved = now;
      fill(trouble, h('p', { className: 'esp32-quiet', role: 'status' }, words('files.saved')));
      return true;
    } catch (error) {
      fill(trouble, diagnosisBox(failureOf(error)));
      return false;
    }
  };
  const leave = async (): Promise<void> => {
    const isChanged = editor !== undefined && editor.getValue() !== saved;
    if (
      !isChanged ||
      (await confirm(words('files.discard', { name: nameOf(path) }), words('files.discard-yes')))
    ) {
      RED.tray.close();
    }
  };
  const saveAndRun = async (): Promise<void> => {
    if (!(await store())) return;
    RED.tray.close();
    run();
  };
  const close = { id: 'esp32-file-close', text: words('files.close'), click: () => void leave() };
  const runIt = { id: 'esp32-file-run', text: words('files.save-run'), click: () => void saveAndRun() };
  const saveIt = {
    id: 'esp32-file-save',
    text: words('files.save'),
    class: 'primary',
    click: () => void store(),
  };
  const actions = path.endsWith('.py') ? [runIt, saveIt] : [saveIt];

  RED.tray.show({
    title: escaped(path),
    width: 760,
    buttons: mayAct() ? [close, ...actions] : [close],
    open: (tray) => {
      RED.view.state(RED.state.EDITING);
      tray
        .find('.red-ui-tray-body')
        .get(0)
        ?.append(h('div', { className: 'esp32-editor' }, trouble, place));
      editor = RED.editor.createEditor({ element: place, mode: modeOf(path), value: text, focus: true });
      if (!mayAct()) editor.setReadOnly?.(true);
      place.addEventListener('keydown', (event) => {
        if (!(event.ctrlKey || event.metaKey) || event.key !== 's' || !mayAct()) return;
        event.preventDefault();
        event.stopPropagation();
        void store();
      });
    },
    resize: () => editor?.resize?.(),
    close: () => {
      editor?.destroy();
      RED.view.state(before);
    },
  });
}

function modeOf(path: string): string {
  return `ace/mode/${MODES[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'text'}`;
}
