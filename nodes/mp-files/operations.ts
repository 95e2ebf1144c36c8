/** What the `mp files` node can do, one row an operation: what it needs of a message, and how it runs. */
import type { Node, NodeAPI } from 'node-red';
import {
  boardDiskSpace,
  boardPath,
  copyBoardFile,
  folderPath,
  formatBoard,
  listBoardFiles,
  makeBoardFolder,
  moveBoardFile,
  readBoardFile,
  removeBoardFile,
  statBoardFile,
} from '../../lib/board/file-jobs.ts';
import type { DiskSpace } from '../../lib/board/file-jobs.ts';
import { MicroPythonError } from '../../lib/board/errors.ts';
import { contentAs, CONTENT_KINDS } from '../../lib/runtime/content.ts';
import { GUARDED, guardOf } from '../../lib/runtime/host-files.ts';
import type { JobContext, JobNodeDef, Shown } from '../../lib/runtime/job-node.ts';
import { nothingIn, oneOf, optionalText, requiredText, textList } from '../../lib/runtime/properties.ts';
import type { Message } from '../../lib/runtime/properties.ts';
import { installPackages } from '../../lib/runtime/packages.ts';
import type { Installed } from '../../lib/runtime/packages.ts';
import { Reader } from '../../lib/runtime/reader.ts';
import { downloadFiles } from './download.ts';

/** Each wins in the message, under the same name. */
export interface FilesDef extends JobNodeDef {
  operation: string;
  /** On the board; a typed input. */
  path?: string;
  pathType?: string;
  /** Where to, on the board (move, copy) or on this machine (download); a typed input. */
  to?: string;
  toType?: string;
  /** What content becomes: `buffer`, `text` or `json`. */
  as?: string;
  recursive?: boolean;
  hashes?: boolean;
  force?: boolean;
  guard?: string;
  /** Install: names of packages (a typed input), the folder they go to, the index, and whether as sources. */
  package?: string;
  packageType?: string;
  target?: string;
  index?: string;
  sources?: boolean;
  dryRun?: boolean;
}

/** A checked request, ready to run. */
export interface Request {
  run: (context: JobContext) => Promise<Outcome>;
}

export interface Outcome {
  payload: unknown;
  shown: Shown;
  /** Of the file whose content the payload is. */
  path?: string;
}

type FilesReader = Reader<FilesDef>;
type Read = (reader: FilesReader) => Promise<Request> | Request;

const DONE: Shown = { key: 'done' };

const OPERATIONS: Readonly<Record<string, Read>> = {
  list: async (reader) => {
    const folder = await folderOf(reader);
    const recursive = reader.plain('recursive') === undefined || reader.flag('recursive');
    const hashes = reader.flag('hashes');
    return {
      run: async ({ device, job }) => {
        const found = await listBoardFiles(device, folder, { recursive, hashes, ...job });
        return { payload: found, shown: { key: 'listed', facts: { count: found.length } } };
      },
    };
  },

  read: async (reader) => {
    const path = await pathOf(reader);
    const kind = reader.oneOf('as', CONTENT_KINDS, 'buffer');
    return {
      run: async ({ device, job }) => {
        const content = await readBoardFile(device, path, job);
        return { payload: contentAs(kind, content, path), shown: DONE, path };
      },
    };
  },

  stat: async (reader) => {
    const path = await folderOf(reader);
    const hashes = reader.flag('hashes');
    return {
      run: async ({ device, job }) => {
        const found = await statBoardFile(device, path, { hashes, ...job });
        if (!found) throw new MicroPythonError('file-not-found', `${path} is not there`, { path });
        return { payload: found, shown: DONE };
      },
    };
  },

  exists: async (reader) => {
    const path = await folderOf(reader);
    return {
      run: async ({ device, job }) => {
        const isThere = (await statBoardFile(device, path, job)) !== undefined;
        return { payload: isThere, shown: { key: isThere ? 'there' : 'not-there' } };
      },
    };
  },

  mkdir: async (reader) => {
    const path = await pathOf(reader);
    return {
      run: async ({ device, job }) => {
        const changed = await makeBoardFolder(device, path, job);
        return { payload: { path, changed }, shown: DONE };
      },
    };
  },

  move: async (reader) => {
    const [path, to] = [await pathOf(reader), await placeOf(reader)];
    const force = reader.flag('force');
    return {
      run: async ({ device, job }) => {
        await moveBoardFile(device, path, to, { force, ...job });
        return { payload: { path, to }, shown: DONE };
      },
    };
  },

  copy: async (reader) => {
    const [path, to] = [await pathOf(reader), await placeOf(reader)];
    const force = reader.flag('force');
    return {
      run: async ({ device, job }) => {
        const files = await copyBoardFile(device, path, to, { force, ...job });
        return { payload: { path, to, files }, shown: DONE };
      },
    };
  },

  delete: async (reader) => {
    const path = await pathOf(reader);
    const recursive = reader.flag('recursive');
    const guard = guardOf(textList(reader.plain('guard') ?? GUARDED, 'guard'));
    const isGuarded = reader.flag('force') ? (): boolean => false : guard;
    return {
      run: async ({ device, job }) => {
        const deleted = await removeBoardFile(device, path, { recursive, isGuarded, ...job });
        return { payload: { path, deleted }, shown: { key: 'deleted', facts: { count: deleted.length } } };
      },
    };
  },

  space: async (reader) => {
    const path = await folderOf(reader);
    return {
      run: async ({ device, job }) => spaceOutcome(await boardDiskSpace(device, { path, ...job })),
    };
  },

  format: (reader) => {
    reader.confirmed('format');
    return {
      run: async ({ device, job, phase }) => {
        phase('formatting');
        return spaceOutcome(await formatBoard(device, job));
      },
    };
  },

  download: async (reader) => {
    const from = await folderOf(reader);
    const to = optionalText(await reader.typed('to'), 'to');
    const kind = reader.oneOf('as', CONTENT_KINDS, 'buffer');
    return { run: (context) => downloadFiles(reader.api, { from, to, kind }, context) };
  },

  install: async (reader) => {
    const specs = textList(reader.msg['package'] ?? (await reader.mainInput('package')), 'package');
    if (specs.length === 0) throw nothingIn('package');
    const wish = {
      specs,
      index: optionalText(reader.plain('index'), 'index'),
      target: optionalText(reader.plain('target'), 'target'),
      sources: reader.flag('sources'),
      dryRun: reader.flag('dryRun'),
    };
    return {
      run: async (context) => {
        const began = performance.now();
        const installed = await installPackages(reader.api, wish, context);
        const seconds = Math.round((performance.now() - began) / 10) / 100;
        const payload = { ...installed, seconds, ...(wish.dryRun ? { dryRun: true } : {}) };
        return { payload, shown: installedShown(installed) };
      },
    };
  },
};

/** Reads and checks a message for the operation it or the node names. */
export async function readRequest(api: NodeAPI, node: Node, def: FilesDef, msg: Message): Promise<Request> {
  const names = Object.keys(OPERATIONS);
  const operation = oneOf(msg['operation'] ?? def.operation, names, 'list', 'operation');
  return (OPERATIONS[operation] as Read)(new Reader(api, node, def, msg));
}

/** From the root, as every path that is answered. A folder may have its slash. */
async function pathOf(reader: FilesReader): Promise<string> {
  const path = requiredText(await reader.typed('path'), 'path');
  return boardPath(path === '/' ? path : path.replace(/\/$/, ''));
}

/** The root where none is named. */
async function folderOf(reader: FilesReader): Promise<string> {
  return folderPath(optionalText(await reader.typed('path'), 'path') ?? '/');
}

async function placeOf(reader: FilesReader): Promise<string> {
  return boardPath(requiredText(await reader.typed('to'), 'to'));
}

function installedShown({ changed, packages, files }: Installed): Shown {
  if (!changed) return { key: 'up-to-date' };
  const [only] = packages;
  return packages.length === 1 && only
    ? { key: 'installed', facts: { name: only.name } }
    : { key: 'installed-many', facts: { count: files.length } };
}

function spaceOutcome({ total, free, blockSize }: DiskSpace): Outcome {
  const payload = { total, free, used: total - free, blockSize };
  return { payload, shown: { key: 'free', facts: { free: Math.floor(free / 1024) } } };
}
