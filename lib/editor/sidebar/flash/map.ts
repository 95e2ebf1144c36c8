/** The flash as a bar and as a list: what is where, what becomes of it, and how far it is. */
import { h } from '../../dom.ts';
import type { FlashMap, FlashRegion } from '../../wire.ts';
import { address, size, wordsOf } from '../../words.ts';

const words = wordsOf('esp32-sidebar');

/** Even a small region can be seen, and pointed at. */
const LEAST_PERCENT = 3;

/** `done`: bytes that are written, of all that will be. */
export function flashMapView(map: FlashMap, done: number): HTMLElement {
  const written = writtenRanges(map, done);
  const used = map.regions.filter(({ kind, write }) => kind !== 'free' || write > 0);
  return h(
    'div',
    { className: 'esp32-map' },
    h(
      'div',
      { className: 'esp32-map-bar', 'aria-hidden': 'true' },
      map.regions.map((region) => bar(region, map, written)),
    ),
    h(
      'table',
      {},
      h('caption', { className: 'esp32-hidden' }, words('flash.map')),
      h(
        'tbody',
        {},
        used.map((region) => row(region, written)),
      ),
    ),
  );
}

interface Range {
  offset: number;
  size: number;
}

/** Parts are written one after the other. */
function writtenRanges({ parts, write }: FlashMap, done: number): Range[] {
  const ranges: Range[] = [];
  let left = Math.min(done, write);
  for (const { offset, size: all } of parts) {
    if (left <= 0) break;
    ranges.push({ offset, size: Math.min(left, all) });
    left -= all;
  }
  return ranges;
}

function overlap(region: Range, range: Range): Range {
  const offset = Math.max(region.offset, range.offset);
  const end = Math.min(region.offset + region.size, range.offset + range.size);
  return { offset, size: Math.max(0, end - offset) };
}

function bar(region: FlashRegion, { flashSize, parts }: FlashMap, written: readonly Range[]): HTMLElement {
  const percent = (bytes: number): string => `${(100 * bytes) / region.size}%`;
  const stripes = (className: string, ranges: readonly Range[]): HTMLElement[] =>
    ranges
      .map((range) => overlap(region, range))
      .filter(({ size: bytes }) => bytes > 0)
      .map(({ offset, size: bytes }) =>
        h('i', { className, style: `left: ${percent(offset - region.offset)}; width: ${percent(bytes)}` }),
      );
  return h(
    'div',
    {
      className: `esp32-region esp32-region-${region.kind}`,
      'data-fate': region.fate,
      title: `${nameOf(region)}: ${fateOf(region)}`,
      style: `flex: ${Math.max(LEAST_PERCENT, (100 * region.size) / flashSize)} 1 0`,
    },
    stripes('esp32-to-write', parts),
    stripes('esp32-written', written),
  );
}

function row(region: FlashRegion, written: readonly Range[]): HTMLElement {
  const done = written.reduce((sum, range) => sum + overlap(region, range).size, 0);
  const isWritten = region.write > 0 && done >= region.write;
  return h(
    'tr',
    { 'data-region': region.label, 'data-fate': region.fate, 'data-done': String(isWritten) },
    h('td', {}, h('i', { className: 'esp32-dot', 'aria-hidden': 'true' }), nameOf(region)),
    h('td', {}, address(region.offset)),
    h('td', {}, size(region.size)),
    h('td', {}, isWritten && region.fate === 'written' ? words('flash.fate.done') : fateOf(region)),
  );
}

function nameOf({ label, kind }: FlashRegion): string {
  return kind === 'app' || kind === 'data' ? label : words(`flash.region.${kind}`);
}

function fateOf({ fate, write }: FlashRegion): string {
  return words(`flash.fate.${fate}`, { size: size(write) });
}
