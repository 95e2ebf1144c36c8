/** Writing a copy of the flash back: only to where it was taken from, or to a place that is just like it. */
import { EspError } from './errors.ts';
import { isFileSystem } from './partitions.ts';
import type { Part, Target, Wish } from './place.ts';

/** One piece of a flash; without a label it is told by its size or by `Wish.partition` what it is. */
export interface Copy {
  label?: string | undefined;
  offset?: number | undefined;
  data: Uint8Array;
}

/** Label of a copy of the whole flash. */
export const WHOLE_FLASH = 'flash';

/**
 * Where the pieces go on this board. Throws `EspError` 'backup-mismatch' where the flash or the partition has another
 * size or place than the copy, unless forced.
 */
export function placeCopies(copies: readonly Copy[], target: Target, wish: Wish): Part[] {
  return copies.map((copy) => {
    const offset = placeOf(copy, target, wish);
    return { bytes: copy.data, offset };
  });
}

function placeOf(copy: Copy, target: Target, wish: Wish): number {
  const { flashSize, partitions = [] } = target;
  const label = copy.label ?? wish.partition;
  const size = copy.data.length;
  if (label === WHOLE_FLASH || (label === undefined && size === flashSize)) {
    if (size !== flashSize && !wish.force) throw mismatch(WHOLE_FLASH, size, flashSize);
    return 0;
  }
  const found = partitions.filter((partition) =>
    label === undefined ? isFileSystem(partition) && partition.size === size : partition.label === label,
  );
  const [partition] = found;
  const fits =
    found.length === 1 && partition?.size === size && (copy.offset ?? partition.offset) === partition.offset;
  if (fits) return partition.offset;
  const offset = copy.offset ?? partition?.offset;
  if (wish.force && offset !== undefined) return offset;
  throw mismatch(label ?? '', size, partition?.size);
}

function mismatch(label: string, size: number, there: number | undefined): EspError {
  const facts = {
    label,
    size,
    there: there ?? 'nothing like it',
    ...(there === undefined ? { case: 'none' } : {}),
  };
  return new EspError('backup-mismatch', `the copy does not fit this board (${label})`, facts);
}
