/** Ranges of the flash that a user names: held against what is there before the chip is told. */
import { hex, memorySize } from '../errors/facts.ts';
import { EspError } from './errors.ts';

/** A range of the flash; all of it to the end without a size. */
export interface Range {
  offset: number;
  size?: number | undefined;
}

/**
 * The range with its size, within a flash of `flashSize` bytes. A chip does not object to one that is not: its ROM
 * takes numbers modulo 2^32, erases nothing, and reports success.
 * Throws `EspError` 'range-outside-flash'.
 */
export function rangeIn(range: Range, flashSize: number): { offset: number; size: number } {
  const { offset, size = flashSize - offset } = range;
  if (offset < flashSize && size <= flashSize - offset) return { offset, size };
  const facts = { offset: hex(offset), size: range.size, flashSize, flash: memorySize(flashSize) };
  throw new EspError('range-outside-flash', 'the range is not within the flash', facts);
}
