/** The files of the board: a tree, and what can be done with them. */
import { diagnosisBox, textOf } from '../../diagnosis.ts';
import { button, h } from '../../dom.ts';
import type { BoardFile, Failure } from '../../wire.ts';
import { wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';
import type { Panel } from '../panel.ts';
import { FileActions } from './actions.ts';
import { takeDrops } from './dropped.ts';
import { folderOf } from './paths.ts';
import { Queue } from './queue.ts';
import type { Work } from './queue.ts';
import { fileToolbar } from './toolbar.ts';
import { FileTree } from './tree.ts';

const words = wordsOf('esp32-sidebar');

/** `openTerminal`: what a file prints that is run is seen there. */
export function filesPanel(openTerminal: () => void): Panel {
  const isAllowed = mayAct();
  const notes = h('div', { 'aria-live': 'polite' });
  const status = h('div', { className: 'esp32-status', role: 'status' });
  const picker = h('input', { type: 'file', multiple: true, hidden: true, id: 'esp32-upload' });

  const update = (): void => {
    if (!queue.isBusy) actions.showSpace();
    toolbar.update(tree.selected, queue.isBusy);
  };
  const act = (work: Work): void => queue.add(work);
  const withSelected = (work: (file: BoardFile) => Promise<void>): void =>
    act(async () => tree.selected && (await work(tree.selected)));
  const interruptAnd = (work: Work): void =>
    act(async () => {
      await actions.requests.interrupt();
      await work();
    });

  const queue = new Queue(notes, update, (failure, work) =>
    failure.code === 'program-running'
      ? programRuns(failure, () => interruptAnd(work))
      : diagnosisBox(failure),
  );
  const tree = new FileTree({
    select: update,
    open: (file) => act(() => actions.open(file)),
    remove: (file) => act(() => actions.remove(file)),
    rename: (file) => act(() => actions.rename(file)),
  });
  const actions = new FileActions({ tree, notes, status, act, openTerminal });
  const toolbar = fileToolbar({
    'new-file': () => act(() => actions.make('file')),
    'new-folder': () => act(() => actions.make('folder')),
    upload: () => picker.click(),
    restart: () => act(() => actions.restart()),
    reload: () => act(() => actions.list()),
    open: () => withSelected((file) => actions.open(file)),
    run: () => withSelected(({ path }) => actions.run(path)),
    download: () => withSelected((file) => actions.download(file)),
    rename: () => withSelected((file) => actions.rename(file)),
    delete: () => withSelected((file) => actions.remove(file)),
  });
  update();

  picker.addEventListener('change', () => {
    const files = [...(picker.files ?? [])].map((file) => ({ path: file.name, file }));
    picker.value = '';
    if (files.length > 0) act(() => actions.upload(files, actions.target));
  });
  const element = h(
    'div',
    { className: 'esp32-files-panel' },
    toolbar.element,
    !isAllowed && h('p', { className: 'esp32-quiet esp32-note' }, words('read-only')),
    notes,
    tree.element,
    isAllowed && h('p', { className: 'esp32-quiet esp32-note' }, words('files.drop')),
    status,
    picker,
  );
  if (isAllowed) takeDrops(element, folderAt, (files, folder) => act(() => actions.upload(files, folder)));

  return {
    element,
    show: (next, isSeen) => {
      if (next?.id !== actions.board?.id) actions.become(next);
      if (isSeen && next && !actions.isListed) act(() => actions.list());
    },
  };
}

/** A program is ended only by someone who has said so. */
function programRuns(failure: Failure, interrupt: () => void): HTMLElement {
  const it = button(
    { label: words('files.interrupt'), symbol: 'hand-paper-o', 'data-file-action': 'interrupt' },
    interrupt,
  );
  it.disabled = !mayAct();
  return h(
    'div',
    { className: 'esp32-trouble', 'data-code': failure.code },
    h('p', { className: 'esp32-trouble-cause' }, textOf(failure).short),
    h('p', {}, words('files.program-runs')),
    it,
  );
}

/** The folder for what is dropped at a place: that folder, or that of the file there. */
function folderAt(place: Element): string {
  const row = place.closest<HTMLElement>('.esp32-file');
  const path = row?.dataset['path'];
  if (row === null || path === undefined) return '/';
  return row.hasAttribute('aria-expanded') ? path : folderOf(path);
}
