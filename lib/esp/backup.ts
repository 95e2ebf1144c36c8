/** A copy of what flashing would lose, in the form in which flashing takes it back. */
import type { Loader } from './loader.ts';
import type { Partition } from './partitions.ts';
import { isData } from './partitions.ts';
import { readFlash } from './read.ts';
import { WHOLE_FLASH } from './restore.ts';
import { isBlank } from './verify.ts';
import type { WriteProgress } from './write.ts';

/** `data`: every data partition that is not blank (files, settings). `all`: the whole flash. */
export type BackupChoice = 'none' | 'data' | 'all';

/** One piece; a list of them is what `placeCopies` writes back. */
export interface BackupPart {
  label: string;
  offset: number;
  data: Buffer;
}

interface Range {
  label: string;
  offset: number;
  size: number;
}

const BLOCK = 0x10000;

/** Reads what is to be kept. Blank blocks are known by their MD5 and need not travel. */
export async function backUp(
  loader: Loader,
  choice: BackupChoice,
  board: { flashSize: number; partitions: readonly Partition[] | undefined },
  onProgress: (progress: WriteProgress) => void,
): Promise<BackupPart[]> {
  const ranges = rangesOf(choice, board);
  const total = ranges.reduce((sum, { size }) => sum + size, 0);
  const parts: BackupPart[] = [];
  let before = 0;
  for (const { label, offset, size } of ranges) {
    const data = await readSparse(loader, offset, size, (done) => onProgress({ done: before + done, total }));
    if (data) parts.push({ label, offset, data });
    before += size;
  }
  return parts;
}

function rangesOf(
  choice: BackupChoice,
  { flashSize, partitions }: { flashSize: number; partitions: readonly Partition[] | undefined },
): Range[] {
  if (choice === 'all') return [{ label: WHOLE_FLASH, offset: 0, size: flashSize }];
  return choice === 'data' ? (partitions ?? []).filter(isData) : [];
}

/** Nothing where all of it is blank. */
async function readSparse(
  loader: Loader,
  offset: number,
  size: number,
  onProgress: (done: number) => void,
): Promise<Buffer | undefined> {
  let isEmpty = true;
  const data = Buffer.alloc(size, 0xff);
  for (let at = 0; at < size; at += BLOCK) {
    loader.signal.throwIfAborted();
    const length = Math.min(BLOCK, size - at);
    if (!(await isBlank(loader, offset + at, length))) {
      isEmpty = false;
      data.set(await readFlash(loader, offset + at, length), at);
    }
    onProgress(at + length);
  }
  return isEmpty ? undefined : data;
}
