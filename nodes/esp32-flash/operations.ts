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
import { hostPath } from '../../lib/runtime/host-files.ts';
import type { JobContext, JobNodeDef, Reading, Shown } from '../../lib/runtime/job-node.ts';
import { flag, oneOf, optionalAddress, optionalText } from '../../lib/runtime/properties.ts';
import type { Message } from '../../lib/runtime/properties.ts';
import { Reader } from '../../lib/runtime/reader.ts';

/** `offset`, `size`, `partition`, `backupTo` and `readTo` are typed inputs, with a `…Type` each. */
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

type FlashReader = Reader<FlashDef>;
type Place = PlaceWish & { force: boolean };
type Read = (reader: FlashReader, reading: Reading) => Promise<Request> | Request;

const ERASE_CHOICES: readonly EraseChoice[] = ['needed', 'all', 'region', 'never'];
const BACKUP_CHOICES: readonly BackupChoice[] = ['none', 'data', 'all'];
const WATCH_CHOICES: readonly WatchChoice[] = ['auto', 'never'];

const OPERATIONS: Readonly<Record<string, Read>> = {
  flash: async (reader, reading) => {
    const place = await placeOf(reader);
    const firmware = await firmwareOf(reader, place, reading);
    const wish = {
      erase: reader.oneOf('erase', ERASE_CHOICES, 'needed'),
      dryRun: reader.flag('dryRun'),
      backup: reader.oneOf('backup', BACKUP_CHOICES, 'none'),
      backupTo: await hostPathOf(reader, 'backupTo'),
      encrypt: flag(reader.msg['encrypt']),
      watch: watchOf(reader),
      ...place,
    };
    return {
      run: async (context) => {
        const options = { ...wish, ...loaderOptions(context, reader.msg) };
        const result = await flashBoard(context.device, firmware, options);
        return { payload: result, shown: wish.dryRun ? { key: 'planned' } : flashed(result) };
      },
    };
  },

  restore: async (reader) => {
    const copies = await readCopies(reader.api, await reader.setting('firmware'));
    const { partition, force } = await placeOf(reader);
    const wish = { partition, force, watch: watchOf(reader) };
    return {
      run: async (context) => {
        const options = { ...wish, ...loaderOptions(context, reader.msg) };
        const result = await restoreBoard(context.device, copies, options);
        return { payload: result, shown: flashed(result) };
      },
    };
  },

  verify: async (reader, reading) => {
    const place = await placeOf(reader);
    const firmware = await firmwareOf(reader, place, reading);
    const shown = { key: 'verified' };
    return {
      run: (context) =>
        inLoader(context, reader.msg, async (options) => {
          return { payload: await verifyBoard(context.device, firmware, { ...place, ...options }), shown };
        }),
    };
  },

  erase: async (reader) => {
    const range = await rangeOf(reader);
    if (reader.def.operation !== 'erase' && !namesRange(reader.msg)) reader.confirmed('erase');
    const force = flag(reader.msg['force']);
    return {
      run: (context) =>
        inLoader(context, reader.msg, async (options) => {
          const payload = await eraseBoard(context.device, range, { force, ...options });
          return { payload, shown: payload.verified ? { key: 'erased' } : yellow('erased-unseen') };
        }),
    };
  },

  read: async (reader) => {
    const range = await rangeOf(reader);
    const readTo = await hostPathOf(reader, 'readTo');
    return {
      run: (context) =>
        inLoader(context, reader.msg, async (options) => {
          const payload =
            readTo === undefined
              ? Buffer.from(await readBoard(context.device, range, options))
              : await readBoardTo(context.device, range, readTo, options);
          return { payload, shown: { key: 'done' } };
        }),
    };
  },

  info: ({ msg }) => ({
    run: (context) =>
      inLoader(context, msg, async (options) => {
        const payload = await inspectBoard(context.device, options);
        return { payload, shown: { key: 'board', facts: { chip: payload.chip } } };
      }),
  }),

  reset: ({ msg }) => {
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
  const reader = new Reader(api, node, def, msg);
  const operation = reader.oneOf('operation', Object.keys(OPERATIONS), 'flash');
  return (OPERATIONS[operation] as Read)(reader, reading);
}

async function firmwareOf(reader: FlashReader, place: Place, reading: Reading): Promise<FlashSource> {
  const value = await reader.setting('firmware');
  const sha256 = optionalText(reader.msg['sha256'], 'sha256');
  return readFirmware(reader.api, value, { sha256, ...place }, reading);
}

async function placeOf(reader: FlashReader): Promise<Place> {
  const setting = (
    name: 'flashMode' | 'flashFreq' | 'flashSize',
    values: readonly string[],
    ...more: string[]
  ): string => reader.oneOf(name, ['keep', ...more, ...values], 'keep');
  return {
    offset: await addressOf(reader, 'offset'),
    partition: await textOf(reader, 'partition'),
    force: flag(reader.msg['force']),
    settings: {
      mode: setting('flashMode', FLASH_MODES),
      frequency: setting('flashFreq', FLASH_FREQUENCIES),
      size: setting('flashSize', FLASH_SIZES, 'detect'),
    },
  };
}

async function rangeOf(reader: FlashReader): Promise<Range> {
  return { offset: (await addressOf(reader, 'offset')) ?? 0, size: await addressOf(reader, 'size') };
}

/** A message that says no more than `erase` may do so by chance, and all of the flash would go. */
function namesRange(msg: Message): boolean {
  const [offset = 0, size] = [optionalAddress(msg['offset'], 'offset'), optionalAddress(msg['size'], 'size')];
  return offset > 0 || size !== undefined;
}

async function addressOf(reader: FlashReader, name: 'offset' | 'size'): Promise<number | undefined> {
  return optionalAddress(await reader.typed(name), name);
}

async function textOf(
  reader: FlashReader,
  name: 'partition' | 'backupTo' | 'readTo',
): Promise<string | undefined> {
  return optionalText(await reader.typed(name), name);
}

/** Where on this machine something is written. */
async function hostPathOf(reader: FlashReader, name: 'backupTo' | 'readTo'): Promise<string | undefined> {
  const path = await textOf(reader, name);
  return path === undefined ? undefined : hostPath(reader.api, path);
}

/** A job after which the program runs on, as before it; where somebody has to press EN for that, it is shown. */
async function inLoader(
  context: JobContext,
  msg: Message,
  work: (options: LoaderJobOptions) => ReturnType<Request['run']>,
): ReturnType<Request['run']> {
  const options = loaderOptions(context, msg);
  const told = new Set<LoaderJobEvent['kind']>();
  const onEvent = (event: LoaderJobEvent): void => {
    told.add(event.kind);
    options.onEvent(event);
  };
  const outcome = await work({ ...options, onEvent });
  return told.has('press-en') ? { ...outcome, shown: yellow('press-en') } : outcome;
}

function loaderOptions(context: JobContext, msg: Message): LoaderJobOptions {
  return {
    stub: msg['stub'] === false ? 'avoid' : 'use',
    baudRate: context.board.flashBaudRate,
    connectTimeoutMs: context.board.connectTimeoutMs,
    ...context.job,
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

function watchOf(reader: FlashReader): WatchChoice {
  return reader.oneOf('watch', WATCH_CHOICES, 'auto');
}

function flashed({ started, micropython, written, verified }: Awaited<ReturnType<typeof flashBoard>>): Shown {
  const doubt = notSeen(started) ?? (verified ? undefined : yellow('not-compared'));
  if (doubt) return doubt;
  if (!micropython) return { key: 'done' };
  return { key: written === 0 ? 'runs-already' : 'runs', facts: { version: micropython.version } };
}

const NOT_SEEN = ['press-en', 'unseen', 'unwatched', 'other'] as const;

/** Green is only for what was checked. */
function notSeen(started: string | undefined): Shown | undefined {
  const key = NOT_SEEN.find((each) => each === started);
  return key && yellow(key);
}

function yellow(key: string): Shown {
  return { key, fill: 'yellow' };
}
