/** Files that are dropped on the sidebar, folders with all that is in them. */

export interface Outgoing {
  /** Below the folder it goes to. */
  path: string;
  file: File;
}

/** More is a mistake: somebody dropped their home. */
const MOST = 500;

async function droppedFiles(transfer: DataTransfer): Promise<Outgoing[]> {
  // The list of items is empty as soon as anything is waited for.
  const items = [...transfer.items].map((item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const files: Outgoing[] = [];
  for (const { entry, file } of items) {
    if (entry) await gather(entry, '', files);
    else if (file) files.push({ path: file.name, file });
  }
  return files;
}

async function gather(entry: FileSystemEntry, before: string, into: Outgoing[]): Promise<void> {
  if (into.length >= MOST) return;
  const path = before + entry.name;
  if (isFile(entry)) {
    into.push({ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A folder gives its content piece by piece, and nothing when there is no more.
  for (;;) {
    const more = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (more.length === 0) return;
    for (const each of more) await gather(each, `${path}/`, into);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

/** Makes an element take files; `where`: the folder for the place they are dropped at. */
export function takeDrops(
  element: HTMLElement,
  where: (target: Element) => string,
  take: (files: Outgoing[], folder: string) => void,
): void {
  const mark = (isOver: boolean) => element.classList.toggle('esp32-drop', isOver);
  element.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    // Node-RED imports what is dropped on its workspace.
    event.preventDefault();
    event.stopPropagation();
    mark(true);
  });
  element.addEventListener('dragenter', (event) => event.stopPropagation());
  element.addEventListener('dragleave', () => mark(false));
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    event.stopPropagation();
    mark(false);
    if (!event.dataTransfer) return;
    const folder = where(event.target as Element);
    void droppedFiles(event.dataTransfer).then((files) => take(files, folder));
  });
}
