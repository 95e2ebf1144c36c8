/** What can be done with the files of a board. Each shows what there is then. */
import { confirm } from '../../ask.ts';
import { fill, h, icon } from '../../dom.ts';
import type { BoardFile, DeployedBoard } from '../../wire.ts';
import { size, wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';
import { askName } from './ask-name.ts';
import type { Outgoing } from './dropped.ts';
import { openFile } from './open-file.ts';
import { folderOf, nameOf, pathIn } from './paths.ts';
import { FileRequests } from './requests.ts';
import { textIn } from './text-file.ts';
import type { FileTree } from './tree.ts';

const words = wordsOf('esp32-sidebar');

/** What the actions are shown on. */
interface Stage {
  tree: FileTree;
  notes: HTMLElement;
  status: HTMLElement;
  /** Does something when all before it is done. */
  act: (work: () => Promise<void>) => void;
  /** What a file prints that is run is seen there. */
  openTerminal: () => void;
}

export class FileActions {
  readonly #stage: Stage;
  #board: DeployedBoard | undefined;
  #requests = new FileRequests('');
  /** The board whose files are shown. */
  #listed: string | undefined;
  #space = '';

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get requests(): FileRequests {
    return this.#requests;
  }

  get board(): DeployedBoard | undefined {
    return this.#board;
  }

  /** Whether the files that are shown are those of the board. */
  get isListed(): boolean {
    return this.#board !== undefined && this.#listed === this.#board.id;
  }

  /** From now on all is about this board. */
  become(board: DeployedBoard | undefined): void {
    this.#board = board;
    this.#requests = new FileRequests(board?.id ?? '');
    this.#listed = undefined;
    this.#space = '';
    this.#stage.tree.show([]);
    fill(this.#stage.notes);
  }

  /** The status line while nothing happens: how much room there is. */
  showSpace(): void {
    fill(this.#stage.status, this.#space);
  }

  async list(): Promise<void> {
    fill(this.#stage.status, icon('circle-o-notch fa-spin'), ` ${words('files.reading')}`);
    const asked = this.#board?.id;
    const { files, space } = await this.#requests.list();
    if (asked !== this.#board?.id) return;
    this.#listed = asked;
    this.#space = words('files.space', { free: size(space.free), total: size(space.total) });
    this.#stage.tree.show(files);
  }

  /** In Node-RED's editor, where it is text. */
  async open({ path }: BoardFile): Promise<void> {
    const asked = this.#requests;
    const text = await textIn(await asked.read(path));
    if (text === undefined) {
      const note = words('files.no-text', { name: nameOf(path) });
      fill(this.#stage.notes, h('p', { className: 'esp32-note' }, note));
      return;
    }
    openFile({
      path,
      text,
      save: async (now) => {
        await asked.write(path, new Blob([now]));
        this.#stage.act(() => this.list());
      },
      run: () => this.#stage.act(() => this.run(path)),
    });
  }

  async run(path: string): Promise<void> {
    await this.#requests.run(path);
    this.#stage.openTerminal();
  }

  async restart(): Promise<void> {
    await this.#requests.restart();
    this.#stage.openTerminal();
  }

  async download({ path }: BoardFile): Promise<void> {
    const url = URL.createObjectURL(await this.#requests.read(path));
    h('a', { href: url, download: nameOf(path) }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  async remove({ path, isFolder }: BoardFile): Promise<void> {
    const question = words(isFolder ? 'files.delete-folder' : 'files.delete-file', { path });
    if (!mayAct() || !(await confirm(question, words('files.delete')))) return;
    await this.#requests.remove(path, isFolder);
    await this.list();
  }

  async rename({ path }: BoardFile): Promise<void> {
    const { notes, tree } = this.#stage;
    const name = mayAct() ? await askName(notes, words('files.rename'), nameOf(path)) : undefined;
    if (name === undefined || name === nameOf(path)) return;
    const to = pathIn(folderOf(path), name);
    await this.#requests.move(path, to);
    await this.list();
    tree.select(to);
  }

  async make(kind: 'file' | 'folder'): Promise<void> {
    const { notes, tree } = this.#stage;
    const name = await askName(notes, words(`files.new-${kind}`), '');
    if (name === undefined) return;
    const path = pathIn(this.target, name);
    if (kind === 'folder') await this.#requests.makeFolder(path);
    else await this.#requests.write(path, new Blob([]));
    await this.list();
    tree.select(path);
    if (kind === 'file' && tree.selected) await this.open(tree.selected);
  }

  /** Where new things go: into the folder that is selected, or beside the file. */
  get target(): string {
    const { selected } = this.#stage.tree;
    if (!selected) return '/';
    return selected.isFolder ? selected.path : folderOf(selected.path);
  }

  async upload(files: readonly Outgoing[], folder: string): Promise<void> {
    for (const [at, { path, file }] of files.entries()) {
      const to = pathIn(folder, path);
      const tell = (percent: number): void =>
        fill(this.#stage.status, words('files.writing', { path: to, percent, at: at + 1, of: files.length }));
      tell(0);
      await this.#requests.write(to, file, ({ done, total }) =>
        tell(Math.floor((100 * done) / Math.max(1, total))),
      );
    }
    await this.list();
    const [first] = files;
    if (first) this.#stage.tree.select(pathIn(folder, first.path));
  }
}
