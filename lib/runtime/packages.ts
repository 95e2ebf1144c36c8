/** Packages onto a board: found and loaded by this machine, so that the board needs no Wi-Fi. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { askAbout } from '../board/file-jobs.ts';
import { syncBoard } from '../board/sync-job.ts';
import type { SyncedFile } from '../board/sync-job.ts';
import { MIP_INDEX, resolvePackages } from '../packages/resolve.ts';
import type { InstalledPackage } from '../packages/resolve.ts';
import type { JobContext } from './job-node.ts';

export interface PackageWish {
  /** As `mip` takes them, see `parseSpec`. */
  specs: readonly string[];
  /** Address of the index; default that of Node-RED's settings (`esp32PackageIndex`), else MicroPython's own. */
  index: string | undefined;
  /** Folder on the board; default its first for packages. */
  target: string | undefined;
  /** Sources, also where the index has them compiled. */
  sources: boolean;
  /** Only tells what would be done. */
  dryRun: boolean;
}

export interface Installed {
  changed: boolean;
  packages: InstalledPackage[];
  files: SyncedFile[];
}

/** Longest silence of a server. */
const TIMEOUT_MS = 30_000;

/** Throws `PackageError`, `WebError`, and as `syncBoard`. */
export async function installPackages(
  RED: NodeAPI,
  { specs, index, target, sources, dryRun }: PackageWish,
  context: JobContext,
): Promise<Installed> {
  const { device, signal, job, phase, progress, tell } = context;
  const settings = RED.settings as unknown as { userDir?: string; esp32PackageIndex?: string };
  // Between the two jobs the port is free: downloads take their time.
  const { mpy, library } = await askAbout(device, job);
  phase('downloading');
  const { files, packages } = await resolvePackages(specs, {
    index: index ?? settings.esp32PackageIndex ?? MIP_INDEX,
    mpy: sources ? undefined : mpy,
    cacheDir: join(settings.userDir ?? tmpdir(), 'esp32-packages'),
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  const folder = (target ?? library).replace(/\/$/, '');
  const wanted = files.map(({ path, content }) => ({ path: `${folder}/${path}`, content }));
  const { changed, files: done } = await syncBoard(device, wanted, {
    isGuarded: () => false,
    dryRun,
    after: { kind: 'go-on' },
    ...job,
    onPhase: phase,
    onProgress: ({ done: bytes, total }) => progress({ phase: 'writing', done: bytes, total }),
    onFile: (file) => tell('file', file),
    onOutput: context.console,
  });
  return { changed, packages, files: done };
}
