/** A plan of flashing as a map: what lies where in the flash, and what becomes of it. */
import { SECTOR } from '../esp/erase.ts';
import { isApplication, PARTITION_TABLE_OFFSET } from '../esp/partitions.ts';
import type { Partition } from '../esp/partitions.ts';
import type { Plan } from '../esp/plan.ts';

export interface MapRegion {
  /** The name of the partition; `loader`, `table` and `free` are what they say. */
  label: string;
  kind: 'loader' | 'table' | 'app' | 'data' | 'free';
  offset: number;
  size: number;
  /** Bytes of it that are written. */
  write: number;
  /** `stays`: nothing of it is touched. `lost`: data that was in it is gone. */
  fate: 'stays' | 'written' | 'erased' | 'lost';
}

/** From the begin of the flash to its end, without gaps. */
export function flashMap(flashSize: number, plan: Plan): MapRegion[] {
  const { before, after } = plan.tables;
  const table = [...(after ?? before ?? [])].sort((a, b) => a.offset - b.offset);
  const fixed: Place[] = [
    { label: 'loader', kind: 'loader', offset: 0, size: PARTITION_TABLE_OFFSET },
    { label: 'table', kind: 'table', offset: PARTITION_TABLE_OFFSET, size: SECTOR },
  ];
  const places = table.length > 0 ? [...fixed, ...table.map(placeOf)] : [];
  return withGaps(places, flashSize).map((place) => ({ ...place, ...becomes(place, plan) }));
}

type Place = Pick<MapRegion, 'label' | 'kind' | 'offset' | 'size'>;

function placeOf(partition: Partition): Place {
  const { label, offset, size } = partition;
  return { label, kind: isApplication(partition) ? 'app' : 'data', offset, size };
}

function withGaps(places: readonly Place[], flashSize: number): Place[] {
  const all: Place[] = [];
  let at = 0;
  const gap = (until: number): void => {
    if (until > at) all.push({ label: 'free', kind: 'free', offset: at, size: until - at });
  };
  for (const place of places) {
    gap(place.offset);
    all.push(place);
    at = Math.max(at, place.offset + place.size);
  }
  gap(flashSize);
  return all;
}

function becomes({ label, kind, offset, size }: Place, plan: Plan): Pick<MapRegion, 'write' | 'fate'> {
  const overlap = (part: Plan['parts'][number]): number =>
    Math.max(0, Math.min(offset + size, part.offset + part.size) - Math.max(offset, part.offset));
  const write = plan.parts.reduce((sum, part) => sum + overlap(part), 0);
  if (plan.losses.some((loss) => loss.label === label)) return { write, fate: 'lost' };
  if (write > 0) return { write, fate: 'written' };
  return { write, fate: plan.erase === 'all' && kind !== 'free' ? 'erased' : 'stays' };
}
