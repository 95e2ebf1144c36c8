/** The `mp upload` node: files in, a board that has them out. */
import type { NodeAPI } from 'node-red';
import { compileFor } from '../../lib/board/compile.ts';
import { syncBoard } from '../../lib/board/sync-job.ts';
import type { After, SyncJobResult, OutgoingFile } from '../../lib/board/sync-job.ts';
import { InputError } from '../../lib/runtime/diagnosis.ts';
import { GUARDED, guardOf } from '../../lib/runtime/host-files.ts';
import { registerJobNode } from '../../lib/runtime/job-node.ts';
import type { JobContext, JobNodeDef, Shown } from '../../lib/runtime/job-node.ts';
import { optionalText, positive, requiredText, textList } from '../../lib/runtime/properties.ts';
import { Reader } from '../../lib/runtime/reader.ts';
import { readWanted } from './sources.ts';
import type { Wanted } from './sources.ts';

/** Each wins in the message, where it has the same name; nodes of earlier versions have only `filename` and `after`. */
export interface UploadDef extends JobNodeDef {
  /** `content`, `path` or `list`. */
  source?: string;
  /** A typed input: the content, the path on this machine, or the list. */
  value?: string;
  valueType?: string;
  /** Path on the board, for content. */
  filename: string;
  filenameType?: string;
  /** Folder on the board, or for one file its path. */
  target?: string;
  targetType?: string;
  include?: string;
  exclude?: string;
  mirror?: boolean;
  guard?: string;
  dryRun?: boolean;
  /** Compile `.py` files to `.mpy` first. */
  mpy?: boolean;
  /** Raise the baud rate while files travel. */
  turbo?: boolean;
  after: string;
  /** File on the board that is run after. */
  run?: string;
  /** Seconds it may run. */
  timeout?: string;
}

interface Request {
  files: OutgoingFile[];
  mirror: string | undefined;
  isGuarded: (path: string) => boolean;
  dryRun: boolean;
  mpy: boolean;
  turbo: boolean;
  after: After;
}

type Result = SyncJobResult & { seconds: number; dryRun?: true };

const AFTER = ['nothing', 'soft-reset', 'hard-reset', 'run', 'check'] as const;

export default function register(RED: NodeAPI): void {
  registerJobNode<UploadDef, Request, Result>(RED, {
    type: 'mp-upload',
    read: async (api, node, def, msg, { signal }) => {
      const reader = new Reader(api, node, def, msg);
      const wanted = await readWanted(reader, signal);
      return {
        files: eachOnce(wanted.files),
        mirror: mirrorOf(reader, wanted),
        isGuarded: guardOf(textList(reader.plain('guard') ?? GUARDED, 'guard')),
        dryRun: reader.flag('dryRun'),
        mpy: reader.flag('mpy'),
        turbo: reader.flag('turbo'),
        after: afterOf(reader, wanted.files),
      };
    },
    run: async ({ files: sources, mpy, ...request }, context) => {
      const began = performance.now();
      context.phase('connecting');
      const { device, job } = context;
      const asSource = request.after.kind === 'run' ? request.after.path : undefined;
      const files = mpy ? eachOnce(await compileFor(device, sources, { ...job, asSource })) : sources;
      const result = await syncBoard(device, files, { ...request, ...told(context) });
      const seconds = Math.round((performance.now() - began) / 10) / 100;
      return { ...result, seconds, ...(request.dryRun ? { dryRun: true } : {}) };
    },
    finish: (result, msg) => {
      msg.payload = result;
      return shown(result);
    },
  });
}

function told({ job, progress, phase, console, tell }: JobContext) {
  return {
    ...job,
    onPhase: phase,
    onProgress: ({ done, total }: { done: number; total: number }) =>
      progress({ phase: 'writing', done, total }),
    onFile: (file: unknown) => tell('file', file),
    onOutput: console,
  };
}

/** Two contents for one file cannot both be wanted. */
function eachOnce(files: OutgoingFile[]): OutgoingFile[] {
  const paths = new Set<string>();
  for (const { path } of files) {
    const key = path.replace(/^\//, '');
    if (paths.has(key)) {
      const found = `${path} twice`;
      throw new InputError('bad-payload', found, { property: 'payload', expected: 'each file once', found });
    }
    paths.add(key);
  }
  return files;
}

function mirrorOf(reader: Reader<UploadDef>, { files, folder }: Wanted): string | undefined {
  if (!reader.flag('mirror')) return undefined;
  // A folder that is not mounted looks the same, and would empty every board. Who wants that has `format`.
  if (files.length === 0) {
    const facts = { property: 'payload', case: 'mirror', expected: 'files', found: 'none' };
    throw new InputError('bad-payload', 'a mirror of nothing', facts);
  }
  if (folder !== undefined) return folder;
  const facts = { property: 'mirror', expected: 'false', found: 'true', case: 'one-file' };
  throw new InputError('bad-property', 'one file is no folder to mirror', facts);
}

function afterOf(reader: Reader<UploadDef>, files: readonly OutgoingFile[]): After {
  const kind = reader.oneOf('after', AFTER, 'nothing');
  if (kind !== 'run') return { kind };
  const only = files.length === 1 ? files[0]?.path : undefined;
  const path = requiredText(optionalText(reader.plain('run'), 'run') ?? only, 'run');
  return { kind, path, timeoutMs: positive(reader.plain('timeout'), 10, 'timeout') * 1000 };
}

function shown({ files, changed, dryRun, check, run, started, error = run?.error }: Result): Shown {
  const [broken] = check?.errors ?? [];
  if (broken) return { key: 'broken', facts: { path: broken.path, line: broken.line ?? '?' }, fill: 'red' };
  if (error) return { key: 'raised', facts: { type: error.type }, fill: 'red' };
  if (started === 'silent') return { key: 'silent', fill: 'yellow' };
  if (!changed) return { key: 'unchanged' };
  const touched = files.filter(({ action }) => action !== 'unchanged' && action !== 'kept');
  const [first] = touched;
  if (dryRun) return { key: 'planned', facts: { count: touched.length } };
  return touched.length === 1 && first
    ? { key: 'done', facts: { path: first.path } }
    : { key: 'done-many', facts: { count: touched.length } };
}
