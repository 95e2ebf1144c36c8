/** Firmware with its places on the board that is connected, by what the board tells of itself. */
import { partitionsOnBoard } from './board-table.ts';
import { describeChip } from './describe.ts';
import { isEspError } from './errors.ts';
import { hasProgram } from './losses.ts';
import { applicationOnBoard } from './ota.ts';
import { isApplication } from './partitions.ts';
import type { Partition } from './partitions.ts';
import { needsBooted, placeParts } from './place.ts';
import type { Part, Placed, Target, Wish } from './place.ts';
import { guardWrite, isReadable } from './protection.ts';
import type { Consent } from './protection.ts';
import { reachOf } from './session.ts';
import type { Session } from './session.ts';

/** Checked parts, or how to get them when the board is known. */
export type FlashSource = readonly Part[] | ((target: Target) => Promise<readonly Part[]>);

/**
 * Firmware with its places on this board, checked against all that is known of it, and the partition table that is
 * there.
 */
export async function placeOn(
  session: Session,
  source: FlashSource,
  wish: Wish & Consent,
  purpose: 'write' | 'compare' = 'write',
): Promise<{ placed: Placed; partitions: Partition[] | undefined; readable: boolean }> {
  const { chip, security, description } = session;
  const flashSize = reachOf(session);
  const { readable, partitions } = await tableOn(session);
  const target = { chip, flashSize, partitions, revision: description.revision, description };
  const parts = typeof source === 'function' ? await source(target) : source;
  // A header that is signed or cannot be checked afterwards stays as it is.
  const settings = security?.secureBoot || security?.secureDownload ? undefined : wish.settings;
  const isAsked = partitions !== undefined && needsBooted(parts, wish);
  const booted = isAsked ? await applicationOnBoard(session.loader, partitions) : undefined;
  const placed = await placeSurely(session, parts, { ...target, booted }, { ...wish, settings });
  if (purpose === 'compare') return { placed, partitions, readable };
  const placedParts = placed.regions.map((region, i) => ({ ...region, firmware: parts[i]?.firmware }));
  await guardWrite(session, placedParts, wish);
  return { placed, partitions, readable };
}

/** The partition table on the board, and whether that could be found out. */
async function tableOn(
  session: Session,
): Promise<{ readable: boolean; partitions: Partition[] | undefined }> {
  if (!isReadable(session)) return { readable: false, partitions: undefined };
  try {
    return { readable: true, partitions: await partitionsOnBoard(session.loader, session.chip) };
  } catch (error) {
    // A mask ROM that cannot read.
    if (!isEspError(error, 'command-unsupported')) throw error;
    return { readable: false, partitions: undefined };
  }
}

/** An answer carries no checksum: a revision that refuses the firmware has to come twice. */
async function placeSurely(
  { loader, chip }: Session,
  parts: readonly Part[],
  target: Target,
  wish: Wish,
): Promise<Placed> {
  try {
    return placeParts(parts, target, wish);
  } catch (error) {
    if (!isEspError(error, 'image-wrong-revision')) throw error;
    const { revision } = await describeChip(loader, chip);
    return placeParts(parts, { ...target, revision }, wish);
  }
}

/** The application that the board starts now, where programs are written, but none to its place. */
export async function otherThanStarts(
  { loader }: Session,
  { regions, partitions: brought }: Placed,
  partitions: Partition[] | undefined,
): Promise<Partition | undefined> {
  const places = (brought ?? partitions ?? []).filter(isApplication);
  if (!partitions || !places.some(({ offset }) => hasProgram(regions, offset))) return undefined;
  const booted = await applicationOnBoard(loader, partitions);
  return booted && !hasProgram(regions, booted.offset) ? booted : undefined;
}
