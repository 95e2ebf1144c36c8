/** The files of a board as a tree, as the ARIA practices have it: one stop for the Tab key, arrows inside. */
import { fill, h, icon } from '../../dom.ts';
import type { BoardFile } from '../../wire.ts';
import { size, wordsOf } from '../../words.ts';

const words = wordsOf('esp32-sidebar');

export interface Tree {
  element: HTMLElement;
  readonly selected: BoardFile | undefined;
  show: (files: readonly BoardFile[]) => void;
  select: (path: string) => void;
}

interface TreeEvents {
  /** Another one is selected, or none. */
  select: () => void;
  open: (file: BoardFile) => void;
  remove: (file: BoardFile) => void;
  rename: (file: BoardFile) => void;
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function fileTree(on: TreeEvents): Tree {
  const closed = new Set<string>();
  let files: readonly BoardFile[] = [];
  let selected: BoardFile | undefined;

  const isShown = ({ path }: BoardFile): boolean =>
    ![...closed].some((folder) => path.startsWith(`${folder}/`));
  const rowOf = (path: string): HTMLElement | undefined =>
    [...element.querySelectorAll<HTMLElement>('.esp32-file')].find((row) => row.dataset['path'] === path);

  const draw = (): void => {
    const hadFocus = element.contains(document.activeElement);
    fill(
      element,
      files.filter(isShown).map(row),
      files.length === 0 && h('p', { className: 'esp32-quiet' }, words('files.none')),
    );
    const now = selected ? rowOf(selected.path) : undefined;
    const first = element.querySelector<HTMLElement>('[role=treeitem]');
    (now ?? first)?.setAttribute('tabindex', '0');
    if (hadFocus) (now ?? first)?.focus();
  };

  const row = (file: BoardFile): HTMLElement => {
    const { path, isFolder, bytes } = file;
    const isOpen = isFolder && !closed.has(path);
    const depth = path.split('/').length - 2;
    const symbol = isFolder ? (isOpen ? 'folder-open-o' : 'folder-o') : symbolOf(path);
    return h(
      'div',
      {
        role: 'treeitem',
        className: 'esp32-file',
        tabIndex: -1,
        style: `padding-left: ${10 + depth * 16}px`,
        'data-path': path,
        'aria-level': depth + 1,
        'aria-selected': String(path === selected?.path),
        'aria-expanded': isFolder ? String(isOpen) : undefined,
        onclick: () => {
          if (isFolder) toggle(path);
          choose(file);
        },
        ondblclick: () => !isFolder && on.open(file),
      },
      icon(symbol),
      h('span', { className: 'esp32-file-name' }, nameOf(path)),
      !isFolder && h('span', { className: 'esp32-file-size' }, size(bytes)),
    );
  };

  const toggle = (path: string, isClosed = !closed.has(path)): void => {
    if (isClosed) closed.add(path);
    else closed.delete(path);
  };
  const choose = (file: BoardFile | undefined): void => {
    selected = file;
    draw();
    on.select();
  };

  const keys: Record<string, (file: BoardFile, shown: BoardFile[]) => void> = {
    ArrowDown: (file, shown) => choose(shown[shown.indexOf(file) + 1] ?? file),
    ArrowUp: (file, shown) => choose(shown[shown.indexOf(file) - 1] ?? file),
    Home: (_, shown) => choose(shown[0]),
    End: (_, shown) => choose(shown.at(-1)),
    ArrowRight: (file) => {
      if (file.isFolder) toggle(file.path, false);
      choose(file);
    },
    ArrowLeft: (file, shown) => {
      if (file.isFolder && !closed.has(file.path)) toggle(file.path, true);
      else choose(shown.find(({ path }) => path === folderOf(file.path)) ?? file);
      draw();
    },
    Enter: (file) => {
      if (file.isFolder) toggle(file.path);
      else on.open(file);
      draw();
    },
    Delete: (file) => on.remove(file),
    F2: (file) => on.rename(file),
  };
  const element = h('div', {
    role: 'tree',
    className: 'esp32-files',
    'aria-label': words('files.label'),
    onkeydown: (event: KeyboardEvent) => {
      const shown = files.filter(isShown);
      const path = (event.target as HTMLElement).dataset['path'];
      const file = shown.find((each) => each.path === path);
      const act = keys[event.key];
      if (!file || !act) return;
      event.preventDefault();
      // Delete would delete nodes of the flow, too.
      event.stopPropagation();
      act(file, shown);
    },
  });

  return {
    element,
    get selected() {
      return selected;
    },
    show: (list) => {
      files = list;
      selected = list.find(({ path }) => path === selected?.path);
      draw();
      on.select();
    },
    select: (path) => choose(files.find((file) => file.path === path)),
  };
}

const SYMBOLS: Readonly<Record<string, string>> = {
  py: 'file-code-o',
  js: 'file-code-o',
  html: 'file-code-o',
  css: 'file-code-o',
  json: 'file-text-o',
  txt: 'file-text-o',
  md: 'file-text-o',
};

function symbolOf(path: string): string {
  return SYMBOLS[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'file-o';
}
