/** The files of a board as a tree, as the ARIA practices have it: one stop for the Tab key, arrows inside. */
import { fill, h } from '../../dom.ts';
import type { BoardFile } from '../../wire.ts';
import { wordsOf } from '../../words.ts';
import { fileRow } from './file-row.ts';
import { folderOf } from './paths.ts';

const words = wordsOf('esp32-sidebar');

interface TreeEvents {
  /** Another one is selected, or none. */
  select: () => void;
  open: (file: BoardFile) => void;
  remove: (file: BoardFile) => void;
  rename: (file: BoardFile) => void;
}

export class FileTree {
  readonly element: HTMLElement;
  readonly #on: TreeEvents;
  readonly #closed = new Set<string>();
  #files: readonly BoardFile[] = [];
  #selected: BoardFile | undefined;
  /** What each key does with a file, among those that are shown. */
  readonly #keys: Readonly<Record<string, (file: BoardFile, shown: readonly BoardFile[]) => void>> = {
    ArrowDown: (file, shown) => this.#choose(shown[shown.indexOf(file) + 1] ?? file),
    ArrowUp: (file, shown) => this.#choose(shown[shown.indexOf(file) - 1] ?? file),
    Home: (_, shown) => this.#choose(shown[0]),
    End: (_, shown) => this.#choose(shown.at(-1)),
    ArrowRight: (file) => this.#unfold(file),
    ArrowLeft: (file, shown) => this.#foldOrLeave(file, shown),
    Enter: (file) => (file.isFolder ? this.#fold(file) : this.#on.open(file)),
    Delete: (file) => this.#on.remove(file),
    F2: (file) => this.#on.rename(file),
  };

  constructor(on: TreeEvents) {
    this.#on = on;
    this.element = h('div', {
      role: 'tree',
      className: 'esp32-files',
      'aria-label': words('files.label'),
      onkeydown: (event: KeyboardEvent) => this.#press(event),
    });
  }

  get selected(): BoardFile | undefined {
    return this.#selected;
  }

  /** Shows these files; the one that is selected stays so if it is among them. */
  show(files: readonly BoardFile[]): void {
    this.#files = files;
    this.select(this.#selected?.path);
  }

  select(path: string | undefined): void {
    this.#choose(this.#files.find((file) => file.path === path));
  }

  #choose(file: BoardFile | undefined): void {
    this.#selected = file;
    this.#draw();
    this.#on.select();
  }

  #toggle({ path }: BoardFile): void {
    if (!this.#closed.delete(path)) this.#closed.add(path);
  }

  #fold(folder: BoardFile): void {
    this.#toggle(folder);
    this.#draw();
  }

  #unfold(file: BoardFile): void {
    this.#closed.delete(file.path);
    this.#choose(file);
  }

  #foldOrLeave(file: BoardFile, shown: readonly BoardFile[]): void {
    if (file.isFolder && !this.#closed.has(file.path)) this.#fold(file);
    else this.#choose(shown.find(({ path }) => path === folderOf(file.path)) ?? file);
  }

  #press(event: KeyboardEvent): void {
    const shown = this.#shown();
    const path = (event.target as HTMLElement).dataset['path'];
    const file = shown.find((each) => each.path === path);
    const act = this.#keys[event.key];
    if (!file || !act) return;
    event.preventDefault();
    // Delete would delete nodes of the flow, too.
    event.stopPropagation();
    act(file, shown);
  }

  #shown(): BoardFile[] {
    const closed = [...this.#closed];
    return this.#files.filter(({ path }) => !closed.some((folder) => path.startsWith(`${folder}/`)));
  }

  /** The row that is selected is the one that the Tab key reaches, else the first. */
  #draw(): void {
    const hadFocus = this.element.contains(document.activeElement);
    const rows = this.#shown().map((file) => this.#row(file));
    const isEmpty = this.#files.length === 0;
    fill(this.element, rows, isEmpty && h('p', { className: 'esp32-quiet' }, words('files.none')));
    const stop = rows.find((row) => row.dataset['path'] === this.#selected?.path) ?? rows[0];
    stop?.setAttribute('tabindex', '0');
    if (hadFocus) stop?.focus();
  }

  #row(file: BoardFile): HTMLElement {
    const { path, isFolder } = file;
    const state = { isOpen: isFolder && !this.#closed.has(path), isSelected: path === this.#selected?.path };
    return fileRow(file, state, {
      click: () => {
        if (isFolder) this.#toggle(file);
        this.#choose(file);
      },
      doubleClick: () => {
        if (!isFolder) this.#on.open(file);
      },
    });
  }
}
