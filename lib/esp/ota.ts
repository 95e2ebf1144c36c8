/**
 * Which application the second-stage loader starts. Source: ESP-IDF, "Over The Air Updates (OTA)", OTA data
 * partition: two sectors with an entry of 32 bytes each, of which the valid one with the higher number counts.
 */
import { crc32 } from 'node:zlib';
import { SECTOR } from './erase.ts';
import type { Loader } from './loader.ts';
import type { Partition } from './partitions.ts';
import { isApplication, isOtaData } from './partitions.ts';
import { readFlash } from './read.ts';

const ENTRY = 32;
const STATE_AT = 24;
const CRC_AT = 28;
const BLANK = 0xffffffff;
/** States of a slot that was tried and given up: INVALID and ABORTED. */
const GIVEN_UP: ReadonlySet<number> = new Set([3, 4]);

const FACTORY = 0x00;
const FIRST_SLOT = 0x10;
const SLOTS = 16;

/** The application that starts at the next boot, where the table has one. `otadata`: both sectors. */
export function bootedApplication(
  partitions: readonly Partition[],
  otadata: Uint8Array | undefined,
): Partition | undefined {
  const applications = partitions.filter(isApplication);
  const slots = applications.filter(({ subtype }) => subtype >= FIRST_SLOT && subtype < FIRST_SLOT + SLOTS);
  const sequence = otadata ? Math.max(...[0, SECTOR].map((at) => sequenceOf(otadata, at))) : 0;
  if (sequence > 0 && slots.length > 0) return slots[(sequence - 1) % slots.length];
  return applications.find(({ subtype }) => subtype === FACTORY) ?? slots[0];
}

/** The number of one entry; 0 when it was never written, is damaged, or was given up. */
function sequenceOf(otadata: Uint8Array, at: number): number {
  if (otadata.length < at + ENTRY) return 0;
  const view = new DataView(otadata.buffer, otadata.byteOffset + at, ENTRY);
  const sequence = view.getUint32(0, true);
  if (sequence === BLANK || GIVEN_UP.has(view.getUint32(STATE_AT, true))) return 0;
  const isWhole = crc32(otadata.subarray(at, at + 4), BLANK) === view.getUint32(CRC_AT, true);
  return isWhole ? sequence : 0;
}

/** As `bootedApplication`, with what the board says. */
export async function applicationOnBoard(
  loader: Loader,
  partitions: readonly Partition[],
): Promise<Partition | undefined> {
  const otadata = partitions.find(isOtaData);
  const bytes = otadata && (await readFlash(loader, otadata.offset, 2 * SECTOR));
  return bootedApplication(partitions, bytes);
}
