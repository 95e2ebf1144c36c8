/** The partition table that is in a board's flash. */
import type { Chip } from './chips.ts';
import { SECTOR } from './erase.ts';
import { IMAGE_MAGIC } from './image.ts';
import type { Loader } from './loader.ts';
import {
  isPartitionTable,
  isTableEnded,
  PARTITION_TABLE_MOVES,
  PARTITION_TABLE_OFFSET,
  PARTITION_TABLE_SIZE,
  parsePartitions,
} from './partitions.ts';
import type { Partition } from './partitions.ts';
import { readFlash } from './read.ts';

/** The table, or nothing where there is none that can be read. */
export async function partitionsOnBoard(loader: Loader, chip: Chip): Promise<Partition[] | undefined> {
  const bytes = await tableBytes(loader, chip);
  if (!bytes) return undefined;
  try {
    return parsePartitions(bytes);
  } catch {
    // A damaged table protects nothing: the chip could not use it either.
    return undefined;
  }
}

/** At its usual place, or behind it: a project may move it, whether its loader reaches so far or not. */
async function tableBytes(loader: Loader, chip: Chip): Promise<Uint8Array | undefined> {
  const usual = await tableAt(loader, PARTITION_TABLE_OFFSET);
  if (isPartitionTable(usual)) return usual;
  const [first] = await readFlash(loader, chip.loaderOffset, WORD);
  if (first !== IMAGE_MAGIC) return undefined;
  for (let moved = SECTOR; moved < PARTITION_TABLE_MOVES; moved += SECTOR) {
    const at = PARTITION_TABLE_OFFSET + moved;
    if (isPartitionTable(await readFlash(loader, at, WORD)))
      return readFlash(loader, at, PARTITION_TABLE_SIZE);
  }
  return undefined;
}

/** Fifteen partitions and the row behind them; few tables are longer. */
const USUAL_SIZE = 0x200;

/** As much of a table as there is, or of what lies there instead. */
async function tableAt(loader: Loader, offset: number): Promise<Uint8Array> {
  const bytes = await readFlash(loader, offset, USUAL_SIZE);
  const isWhole = !isPartitionTable(bytes) || isTableEnded(bytes);
  return isWhole ? bytes : readFlash(loader, offset, PARTITION_TABLE_SIZE);
}

/** What is read to know whether there is anything. */
const WORD = 4;
