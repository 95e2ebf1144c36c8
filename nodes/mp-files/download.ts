/** Files of a board, all of a folder: into a folder of this machine, or as a list that mp upload takes back. */
import type { NodeAPI } from 'node-red';
import { listBoardFiles, readBoardFiles } from '../../lib/board/file-jobs.ts';
import { sha256Of } from '../../lib/bytes/sha256.ts';
import { contentAs } from '../../lib/runtime/content.ts';
import type { ContentKind } from '../../lib/runtime/content.ts';
import { writeHost } from '../../lib/runtime/host-files.ts';
import type { JobContext } from '../../lib/runtime/job-node.ts';
import type { Outcome } from './operations.ts';

export interface DownloadWish {
  /** A folder or file of the board. */
  from: string;
  /** A folder of this machine; without it the content comes in the message. */
  to: string | undefined;
  kind: ContentKind;
}

export async function downloadFiles(
  RED: NodeAPI,
  { from, to, kind }: DownloadWish,
  { device, signal, job, progress }: JobContext,
): Promise<Outcome> {
  const entries = (await listBoardFiles(device, from, job)).filter(({ isFolder }) => !isFolder);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const onProgress = (done: number): void =>
    progress({ phase: 'reading', done, total: Math.max(total, done) });
  const files = await readBoardFiles(
    device,
    entries.map(({ path }) => path),
    { ...job, onProgress },
  );
  const shown = { key: 'downloaded', facts: { count: files.length } };
  const told = files.map(({ path, content }) => ({
    path,
    bytes: content.length,
    sha256: sha256Of(content),
  }));
  if (to === undefined) {
    const payload = told.map((file, at) => {
      const content = files[at]?.content ?? Buffer.alloc(0);
      return { ...file, content: contentAs(kind, content, file.path) };
    });
    return { payload, shown };
  }
  const named = files.map(({ path, content }) => ({ path: within(path, from), content }));
  const written = await writeHost(RED, to, named, signal);
  return { payload: { files: told.map((file, at) => ({ ...file, file: written[at] })) }, shown };
}

/** The path from the folder that was asked for; of a file, its name. */
function within(path: string, from: string): string {
  const folder = `/${from.replace(/^\/|\/$/g, '')}`;
  if (folder === '/') return path.slice(1);
  return path.startsWith(`${folder}/`)
    ? path.slice(folder.length + 1)
    : path.slice(path.lastIndexOf('/') + 1);
}
