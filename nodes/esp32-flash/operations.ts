/** What the `esp32 flash` node can do, one row an operation: what it needs of a message, and how it runs. */
import type { Node, NodeAPI } from 'node-red';
import {
  eraseBoard,
  FLASH_FREQUENCIES,
  FLASH_MODES,
  FLASH_SIZES,
  flashBoard,
  inspectBoard,
  readBoard,
  readBoardTo,
  resetBoard,
  restoreBoard,
  verifyBoard,
} from '../../lib/board/loader-jobs.ts';
import type {
  BackupChoice,
  EraseChoice,
  FlashSource,
  LoaderJobEvent,
  LoaderJobOptions,
  PlaceWish,
  Range,
  WatchChoice,
} from '../../lib/board/loader-jobs.ts';
import { readCopies, readFirmware } from '../../lib/runtime/firmware.ts';
import type { JobContext, JobNodeDef, Reading, Shown } from '../../lib/runtime/job-node.ts';
import { flag, oneOf, optionalAddress, optionalText, typedProperty } from '../../lib/runtime/properties.ts';
import type { Message } from '../../lib/runtime/properties.ts';

export interface FlashDef extends JobNodeDef {
  operation: string;
  firmware: string;
  firmwareType: string;
  erase: string;
  /** Decimal or hex; empty: where the image says, or the whole flash. */
  offset: string;
  size: string;
  dryRun: boolean;
  /** What is read and sent along before anything is erased, and the folder it is written to instead. */
  backup: string;
  backupTo?: string;
  /** File that takes what is read; empty: the message does. */
  readTo?: string;
  /** Whether the start is watched: `auto`, `never`. */
  watch?: string;
  /** Label of the partition that firmware or a copy goes to. */
  partition?: string;
  /** What the loader's header says of the flash: `keep`, a value, and for the size `detect`. */
  flashMode: string;
  flashFreq: string;
  flashSize: string;
}

/** A checked request, ready to run. */
export interface Request {
  run: (context: JobContext) => Promise<{ payload: unknown; shown: Shown }>;
}

type Read = (
  api: NodeAPI,
  node: Node,
  def: FlashDef,
  msg: Message,
  reading: Reading,
) => Promise<Request> | Request;

const ERASE_CHOICES: readonly EraseChoice[] = ['needed', 'all', 'region', 'never'];
const BACKUP_CHOICES: readonly BackupChoice[] = ['none', 'data', 'all'];
const WATCH_CHOICES: readonly WatchChoice[] = ['auto', 'never'];

const OPERATIONS: Readonly<Record<string, Read>> = {
  flash: async (api, node, def, msg, reading) => {
    const firmware = await firmwareOf(api, node, def, msg, reading);
    const wish = {
      erase: oneOf(msg['erase'] ?? def.erase, ERASE_CHOICES, 'needed', 'erase'),
      dryRun: flag(msg['dryRun'] ?? def.dryRun),
      backup: oneOf(msg['backup'] ?? def.backup, BACKUP_CHOICES, 'none', 'backup'),
      backupTo: optionalText(msg['backupTo'] ?? def.backupTo, 'backupTo'),
      encrypt: flag(msg['encrypt']),
      watch: watchOf(def, msg),
      ...placeOf(def, msg),
    };
    return {
      run: async (context) => {
        const result = await flashBoard(context.device, firmware, {
          ...wish,
          ...loaderOptions(context, msg),
        });
        return { payload: result, shown: wish.dryRun ? { key: 'planned' } : flashed(result) };
      },
    };
  },

  restore: async (api, node, def, msg) => {
    const value = await typedProperty(api, node, msg, def.firmware, def.firmwareType);
    const copies = await readCopies(value);
    const { partition, force } = placeOf(def, msg);
    const watch = watchOf(def, msg);
    return {
      run: async (context) => {
        const result = await restoreBoard(context.device, copies, {
          partition,
          force,
          watch,
          ...loaderOptions(context, msg),
        });
        return { payload: result, shown: flashed(result) };
      },
    };
  },

  verify: async (api, node, def, msg, reading) => {
    const firmware = await firmwareOf(api, node, def, msg, reading);
    const place = placeOf(def, msg);
    return {
      run: async (context) => {
        const result = await verifyBoard(context.device, firmware, {
          ...place,
          ...loaderOptions(context, msg),
        });
        return { payload: result, shown: { key: 'verified' } };
      },
    };
  },

  erase: (_api, _node, def, msg) => {
    const range = rangeOf(def, msg);
    return {
      run: async (context) => {
        const result = await eraseBoard(context.device, range, {
          force: flag(msg['force']),
          ...loaderOptions(context, msg),
        });
        return { payload: result, shown: { key: 'erased' } };
      },
    };
  },

  read: (_api, _node, def, msg) => {
    const range = rangeOf(def, msg);
    const readTo = optionalText(msg['readTo'] ?? def.readTo, 'readTo');
    return {
      run: async (context) => {
        const options = loaderOptions(context, msg);
        if (readTo !== undefined) {
          const result = await readBoardTo(context.device, range, readTo, options);
          return { payload: result, shown: { key: 'done' } };
        }
        const bytes = await readBoard(context.device, range, options);
        return { payload: Buffer.from(bytes), shown: { key: 'done' } };
      },
    };
  },

  info: (_api, _node, _def, msg) => ({
    run: async (context) => {
      const result = await inspectBoard(context.device, loaderOptions(context, msg));
      return { payload: result, shown: { key: 'board', facts: { chip: result.chip } } };
    },
  }),

  reset: (_api, _node, _def, msg) => {
    const into = oneOf(msg['into'], ['run', 'loader'], 'run', 'into');
    return {
      run: async (context) => {
        const result = await resetBoard(context.device, into, loaderOptions(context, msg));
        return { payload: result, shown: notSeen(result.started) ?? { key: into } };
      },
    };
  },
};

/** Reads and checks a message for the operation it or the node names. */
export async function readRequest(
  api: NodeAPI,
  node: Node,
  def: FlashDef,
  msg: Message,
  reading: Reading,
): Promise<Request> {
  const operation = oneOf(msg['operation'] ?? def.operation, Object.keys(OPERATIONS), 'flash', 'operation');
  const read = OPERATIONS[operation] as Read;
  return read(api, node, def, msg, reading);
}

async function firmwareOf(
  api: NodeAPI,
  node: Node,
  def: FlashDef,
  msg: Message,
  reading: Reading,
): Promise<FlashSource> {
  const value = await typedProperty(api, node, msg, def.firmware, def.firmwareType);
  const sha256 = typeof msg['sha256'] === 'string' ? msg['sha256'] : undefined;
  return readFirmware(api, value, { sha256, ...placeOf(def, msg) }, reading);
}

function placeOf(def: FlashDef, msg: Message): PlaceWish & { force: boolean } {
  const setting = (
    name: 'flashMode' | 'flashFreq' | 'flashSize',
    values: readonly string[],
    ...more: string[]
  ): string => oneOf(msg[name] ?? def[name], ['keep', ...more, ...values], 'keep', name);
  return {
    offset: optionalAddress(msg['offset'] ?? def.offset, 'offset'),
    partition: optionalText(msg['partition'] ?? def.partition, 'partition'),
    force: flag(msg['force']),
    settings: {
      mode: setting('flashMode', FLASH_MODES),
      frequency: setting('flashFreq', FLASH_FREQUENCIES),
      size: setting('flashSize', FLASH_SIZES, 'detect'),
    },
  };
}

function rangeOf(def: FlashDef, msg: Message): Range {
  const offset = optionalAddress(msg['offset'] ?? def.offset, 'offset') ?? 0;
  return { offset, size: optionalAddress(msg['size'] ?? def.size, 'size') };
}

function loaderOptions(context: JobContext, msg: Message): LoaderJobOptions {
  return {
    stub: msg['stub'] === false ? 'avoid' : 'use',
    baudRate: context.board.flashBaudRate,
    connectTimeoutMs: context.board.connectTimeoutMs,
    signal: context.signal,
    onWait: context.onWait,
    onEvent: (event) => showEvent(event, context),
  };
}

function showEvent(event: LoaderJobEvent, { phase, progress }: JobContext): void {
  const { kind, ...facts } = event;
  if (event.kind === 'writing' || event.kind === 'reading' || event.kind === 'backing-up') {
    progress({ phase: kind, done: event.done, total: event.total });
  } else {
    phase(kind, facts);
  }
}

function watchOf(def: FlashDef, msg: Message): WatchChoice {
  return oneOf(msg['watch'] ?? def.watch, WATCH_CHOICES, 'auto', 'watch');
}

function flashed({ started, micropython, written, verified }: Awaited<ReturnType<typeof flashBoard>>): Shown {
  const doubt = notSeen(started) ?? (verified ? undefined : yellow('not-compared'));
  if (doubt) return doubt;
  if (!micropython) return { key: 'done' };
  return { key: written === 0 ? 'runs-already' : 'runs', facts: { version: micropython.version } };
}

const NOT_SEEN = ['press-en', 'unseen', 'unwatched'] as const;

/** Green is only for what was checked. */
function notSeen(started: string | undefined): Shown | undefined {
  const key = NOT_SEEN.find((each) => each === started);
  return key && yellow(key);
}

function yellow(key: string): Shown {
  return { key, fill: 'yellow' };
}
