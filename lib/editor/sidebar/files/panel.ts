/** The files of the board: a tree, what can be done with them, and one job at a time. */
import { failureOf } from '../../api.ts';
import { confirm } from '../../ask.ts';
import { diagnosisBox, textOf } from '../../diagnosis.ts';
import { button, fill, h, icon } from '../../dom.ts';
import type { BoardFile, DeployedBoard, Failure } from '../../wire.ts';
import { size, wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';
import type { Panel } from '../panel.ts';
import { askName } from './ask-name.ts';
import { takeDrops } from './dropped.ts';
import type { Outgoing } from './dropped.ts';
import { openFile, textIn } from './open-file.ts';
import { FileRequests } from './requests.ts';
import { fileTree, folderOf, nameOf } from './tree.ts';

const words = wordsOf('esp32-sidebar');

/** `openTerminal`: what a file prints that is run is seen there. */
export function filesPanel(openTerminal: () => void): Panel {
  const isAllowed = mayAct();
  const notes = h('div', { 'aria-live': 'polite' });
  const status = h('div', { className: 'esp32-status', role: 'status' });
  const picker = h('input', { type: 'file', multiple: true, hidden: true, id: 'esp32-upload' });
  let board: DeployedBoard | undefined;
  let requests = new FileRequests('');
  /** The board whose files are shown. */
  let listed: string | undefined;
  let last = Promise.resolve();
  let waiting = 0;
  let space = '';

  const tree = fileTree({
    select: () => updateActions(),
    open: (file) => act(() => open(file)),
    remove: (file) => act(() => remove(file)),
    rename: (file) => act(() => rename(file)),
  });

  /** One after the other; what goes wrong is told, with a way on where a program is in the way. */
  const act = (work: () => Promise<void>): void => {
    waiting += 1;
    updateActions();
    last = last.then(async () => {
      fill(notes);
      try {
        await work();
      } catch (error) {
        const failure = failureOf(error);
        fill(notes, failure.code === 'program-running' ? programRuns(failure, work) : diagnosisBox(failure));
      }
      waiting -= 1;
      fill(status, space);
      updateActions();
    });
  };

  /** A program is ended only by someone who has said so. */
  const programRuns = (failure: Failure, work: () => Promise<void>): HTMLElement => {
    const interrupt = button(
      { label: words('files.interrupt'), symbol: 'hand-paper-o', 'data-file-action': 'interrupt' },
      () =>
        act(async () => {
          await requests.interrupt();
          await work();
        }),
    );
    interrupt.disabled = !isAllowed;
    return h(
      'div',
      { className: 'esp32-trouble', 'data-code': failure.code },
      h('p', { className: 'esp32-trouble-cause' }, textOf(failure).short),
      h('p', {}, words('files.program-runs')),
      interrupt,
    );
  };

  const list = async (): Promise<void> => {
    fill(status, icon('circle-o-notch fa-spin'), ` ${words('files.reading')}`);
    const asked = board?.id;
    const { files, space: disk } = await requests.list();
    if (asked !== board?.id) return;
    listed = asked;
    space = words('files.space', { free: size(disk.free), total: size(disk.total) });
    tree.show(files);
  };

  const open = async (file: BoardFile): Promise<void> => {
    const { path } = file;
    const asked = requests;
    const text = await textIn(await asked.read(path));
    if (text === undefined) {
      fill(notes, h('p', { className: 'esp32-note' }, words('files.no-text', { name: nameOf(path) })));
      return;
    }
    openFile({
      path,
      text,
      save: async (now) => {
        await asked.write(path, new Blob([now]));
        act(list);
      },
      run: () => act(() => run(path)),
    });
  };
  const run = async (path: string): Promise<void> => {
    await requests.run(path);
    openTerminal();
  };
  const download = async ({ path }: BoardFile): Promise<void> => {
    const url = URL.createObjectURL(await requests.read(path));
    h('a', { href: url, download: nameOf(path) }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  };
  const remove = async ({ path, isFolder }: BoardFile): Promise<void> => {
    const question = words(isFolder ? 'files.delete-folder' : 'files.delete-file', { path });
    if (!isAllowed || !(await confirm(question, words('files.delete')))) return;
    await requests.remove(path, isFolder);
    await list();
  };
  const rename = async ({ path }: BoardFile): Promise<void> => {
    const name = isAllowed ? await askName(notes, words('files.rename'), nameOf(path)) : undefined;
    if (name === undefined || name === nameOf(path)) return;
    const to = `${folderOf(path).replace(/\/$/, '')}/${name}`;
    await requests.move(path, to);
    await list();
    tree.select(to);
  };
  const make = async (kind: 'file' | 'folder'): Promise<void> => {
    const name = await askName(notes, words(`files.new-${kind}`), '');
    if (name === undefined) return;
    const path = inFolder(name);
    if (kind === 'folder') await requests.makeFolder(path);
    else await requests.write(path, new Blob([]));
    await list();
    tree.select(path);
    if (kind === 'file' && tree.selected) await open(tree.selected);
  };
  /** Where new things go: into the folder that is selected, or beside the file. */
  const target = (): string => {
    const { selected } = tree;
    if (!selected) return '/';
    return selected.isFolder ? selected.path : folderOf(selected.path);
  };
  const inFolder = (name: string, folder = target()): string => `${folder.replace(/\/$/, '')}/${name}`;

  const upload = async (files: readonly Outgoing[], folder: string): Promise<void> => {
    for (const [at, { path, file }] of files.entries()) {
      const to = inFolder(path, folder);
      const tell = (percent: number): void =>
        fill(status, words('files.writing', { path: to, percent, at: at + 1, of: files.length }));
      tell(0);
      await requests.write(to, file, ({ done, total }) =>
        tell(Math.floor((100 * done) / Math.max(1, total))),
      );
    }
    await list();
    const [first] = files;
    if (first) tree.select(inFolder(first.path, folder));
  };

  const tool = (name: string, symbol: string, onClick: () => void): HTMLButtonElement =>
    button({ label: words(`files.${name}`), symbol, isBare: true, 'data-file-action': name }, onClick);
  const selectedTool = (
    name: string,
    symbol: string,
    work: (file: BoardFile) => Promise<void>,
  ): HTMLButtonElement =>
    tool(name, symbol, () => act(async () => tree.selected && (await work(tree.selected))));
  const tools = {
    'new-file': tool('new-file', 'file-o', () => act(() => make('file'))),
    'new-folder': tool('new-folder', 'folder-o', () => act(() => make('folder'))),
    upload: tool('upload', 'upload', () => picker.click()),
    restart: tool('restart', 'refresh', () => act(() => requests.restart().then(openTerminal))),
    reload: tool('reload', 'rotate-right', () => act(list)),
  };
  const fileTools = {
    open: selectedTool('open', 'pencil', open),
    run: selectedTool('run', 'play', ({ path }) => run(path)),
    download: selectedTool('download', 'download', download),
    rename: selectedTool('rename', 'i-cursor', rename),
    delete: selectedTool('delete', 'trash', remove),
  };

  const updateActions = (): void => {
    const { selected } = tree;
    const isBusy = waiting > 0;
    for (const [name, it] of Object.entries(tools)) it.disabled = isBusy || (!isAllowed && name !== 'reload');
    for (const [name, it] of Object.entries(fileTools)) {
      const isReading = name === 'open' || name === 'download';
      const isFit =
        name === 'run'
          ? selected?.path.endsWith('.py') === true
          : isReading
            ? selected?.isFolder === false
            : selected !== undefined;
      it.disabled = isBusy || !isFit || (!isAllowed && !isReading);
    }
  };

  picker.addEventListener('change', () => {
    const files = [...(picker.files ?? [])].map((file) => ({ path: file.name, file }));
    picker.value = '';
    if (files.length > 0) act(() => upload(files, target()));
  });
  const where = (place: Element): string => {
    const path = place.closest<HTMLElement>('.esp32-file')?.dataset['path'];
    if (path === undefined) return '/';
    return place.closest('.esp32-file')?.hasAttribute('aria-expanded') ? path : folderOf(path);
  };
  const element = h(
    'div',
    { className: 'esp32-files-panel' },
    h(
      'div',
      { className: 'esp32-toolbar' },
      Object.values(tools),
      h('span', { className: 'esp32-gap' }),
      Object.values(fileTools),
    ),
    !isAllowed && h('p', { className: 'esp32-quiet esp32-note' }, words('read-only')),
    notes,
    tree.element,
    isAllowed && h('p', { className: 'esp32-quiet esp32-note' }, words('files.drop')),
    status,
    picker,
  );
  if (isAllowed) takeDrops(element, where, (files, folder) => act(() => upload(files, folder)));
  updateActions();

  return {
    element,
    show: (next, isSeen) => {
      if (next?.id !== board?.id) {
        board = next;
        requests = new FileRequests(next?.id ?? '');
        listed = undefined;
        tree.show([]);
        fill(notes);
      }
      if (isSeen && board && listed !== board.id) act(list);
    },
  };
}
