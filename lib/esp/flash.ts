/** The whole of flashing: connect, know the board, refuse what does not fit, plan, erase, write, check, run. */
import type { Transport } from '../transport/transport.ts';
import type { Again } from './attempts.ts';
import { backUp } from './backup.ts';
import type { BackupChoice, BackupPart } from './backup.ts';
import { checkErased, eraseChip, eraseRegion } from './erase.ts';
import { EspError } from './errors.ts';
import type { Partition } from './partitions.ts';
import { extentOf } from './place.ts';
import type { Placed, Wish } from './place.ts';
import { otherThanStarts, placeOn } from './place-on-board.ts';
import type { FlashSource } from './place-on-board.ts';
import { makePlan } from './plan.ts';
import type { EraseChoice, Plan, ReadyPlan } from './plan.ts';
import { guardBackup, guardErase } from './protection.ts';
import type { Consent } from './protection.ts';
import { reachOf } from './session.ts';
import type { BoardFacts, Session, SessionEvent } from './session.ts';
import { verifyRegion } from './verify.ts';
import type { Region } from './verify.ts';
import { withAttempts } from './with-attempts.ts';
import type { Attempted, AttemptOptions } from './with-attempts.ts';
import { prepare, writeRegion } from './write.ts';
import type { Prepared, WriteProgress } from './write.ts';

export interface FlashOptions extends Omit<AttemptOptions, 'onEvent'>, Wish, Consent {
  erase: EraseChoice;
  /** Only make the plan. */
  dryRun?: boolean | undefined;
  /** What to read and hand over before anything is erased. */
  backup?: BackupChoice | undefined;
  /** Takes the backup before anything is erased; nothing is, when it fails. */
  onBackup?: ((backup: BackupPart[], board: BoardFacts) => Promise<void>) | undefined;
  onEvent: (event: FlashEvent) => void;
}

export type FlashEvent =
  | SessionEvent
  | { kind: 'comparing' }
  | ({ kind: 'plan' } & Plan)
  | { kind: 'backing-up'; done: number; total: number }
  | { kind: 'erasing' }
  | { kind: 'writing'; done: number; total: number }
  | { kind: 'verifying' }
  | Again;

export interface FlashResult extends BoardFacts, Omit<Attempted<unknown>, 'result'> {
  offset: number;
  /** Bytes of the firmware; of them written by this job. */
  bytes: number;
  written: number;
  /** Whether all was found equal by the chip's own MD5; a chip that encrypts or hides its flash cannot tell. */
  verified: boolean;
  plan: Plan;
  /** What was there before, where that was asked for. */
  backup?: BackupPart[];
  /** What the firmware says it is. */
  image?: Pick<Placed, 'micropython'>;
  /** Bits per second at which it went well. */
  baudRate: number;
}

type Outcome = Omit<FlashResult, 'reset' | 'rung'>;

/** What earlier attempts have done for good, and what holds for the job as a whole. */
interface SoFar {
  /** Everything is erased, as was asked for; from then on what differs tells what is missing. */
  erased: boolean;
  /** Writing has begun. */
  begun: boolean;
  /** Taken before anything was written: a later one would be of a flash that is half new. */
  backup?: BackupPart[];
  /** Bytes that the last attempt had to write. */
  left: number;
  /** Of the flash as it was found: later ones tell what is left to do. */
  plan?: Plan;
}

/**
 * Flashes checked firmware. Nothing is erased before it is known to fit this board, and only what differs is
 * written. A bad line makes it go on more slowly, and a board that went away and came back is gone on with, from
 * what is there already. On every way out the board is reset into its program where the port can.
 * Throws `EspError`, `PortError`, or the reason of the abort.
 */
export async function flash(
  transport: Transport,
  source: FlashSource,
  options: FlashOptions,
): Promise<FlashResult> {
  const prepared = typeof source === 'function' ? [] : source.map((part) => prepare(part, options.signal));
  const soFar: SoFar = { erased: false, begun: false, left: Infinity };
  const work = (session: Session): Promise<Outcome> => {
    const erase = soFar.erased ? 'needed' : options.erase;
    return flashOnce(session, source, prepared, { ...options, erase }, soFar);
  };
  const { result, ...how } = await withAttempts(transport, options, work, () => soFar.left);
  return { ...result, ...how };
}

async function flashOnce(
  session: Session,
  source: FlashSource,
  prepared: readonly Prepared[],
  options: FlashOptions,
  soFar: SoFar,
): Promise<Outcome> {
  const { loader, security } = session;
  const { placed, partitions, readable } = await placeOn(session, source, options);
  options.onEvent({ kind: 'comparing' });
  const comparable = !security?.secureDownload && !options.encrypt;
  const { begun } = soFar;
  const startsOther = await otherThanStarts(session, placed, partitions);
  const reading = { readable, comparable, begun, startsOther };
  const ready = await makePlan(loader, placed, partitions, options.erase, reading);
  if (ready.erase === 'all') guardErase(session, true, options);
  const { regions, changes, ...plan } = ready;
  options.onEvent({ kind: 'plan', ...plan });
  refuseLosses(plan);
  soFar.plan ??= plan;
  soFar.left = plan.write;
  const result = { ...outcome(session, placed, soFar.plan), verified: comparable };
  if (options.dryRun) return { ...result, written: 0, verified: false };
  guardBackup(session, options.backup ?? 'none');
  soFar.backup ??= await takeBackup(session, partitions, options);
  await carryOut(session, ready, prepared, options, soFar);
  if (comparable && (ready.changes.length > 0 || ready.erase === 'all')) {
    options.onEvent({ kind: 'verifying' });
    for (const region of ready.regions) await verifyRegion(loader, region);
  }
  const { backup } = soFar;
  return { ...result, ...(backup.length > 0 ? { backup } : {}) };
}

async function takeBackup(
  session: Session,
  partitions: Partition[] | undefined,
  { backup = 'none', onBackup, onEvent }: FlashOptions,
): Promise<BackupPart[]> {
  const board = { flashSize: reachOf(session), partitions };
  const parts = await backUp(session.loader, backup, board, (progress) =>
    onEvent({ kind: 'backing-up', ...progress }),
  );
  if (parts.length > 0) await onBackup?.(parts, session.facts);
  return parts;
}

function outcome({ facts, loader }: Session, placed: Placed, plan: Plan): Omit<Outcome, 'verified'> {
  const { micropython } = placed;
  const image = micropython ? { image: { micropython } } : {};
  const { baudRate } = loader.transport;
  return { ...facts, ...extentOf(placed), written: plan.write, plan, baudRate, ...image };
}

function refuseLosses({ erase, losses, boardRead }: Plan): void {
  if (erase !== 'never' || (boardRead && losses.length === 0)) return;
  const labels = losses.map(({ label }) => label).join(', ');
  const heard = boardRead ? {} : { heard: 'unknown' };
  throw new EspError('would-lose-data', `flashing may lose ${labels || 'data'}`, {
    labels,
    losses,
    ...heard,
  });
}

async function carryOut(
  session: Session,
  plan: ReadyPlan,
  prepared: readonly Prepared[],
  options: FlashOptions,
  soFar: SoFar,
): Promise<void> {
  const { loader } = session;
  if (plan.erase === 'all') {
    options.onEvent({ kind: 'erasing' });
    await eraseChip(loader, reachOf(session));
    await checkErased(loader, 0, reachOf(session));
    soFar.erased = true;
  }
  for (const { offset, size } of plan.cleared) {
    await eraseRegion(loader, offset, size);
    await checkErased(loader, offset, size);
  }
  soFar.begun = true;
  // What is written whole was compressed while the chip was being connected to; the rest is while another part travels.
  const ready = (part: Region | undefined): Prepared | undefined =>
    part && (prepared.find(({ source }) => source === part.bytes) ?? prepare(part, loader.signal));
  let before = 0;
  let next = ready(plan.changes[0]);
  for (const [i, part] of plan.changes.entries()) {
    const now = next as Prepared;
    next = ready(plan.changes[i + 1]);
    const onProgress = (progress: WriteProgress): void =>
      options.onEvent({
        kind: 'writing',
        done: before + Math.min(progress.done, part.bytes.length),
        total: plan.write,
      });
    await writeRegion(loader, { ...now, offset: part.offset }, onProgress, options.encrypt);
    before += part.bytes.length;
  }
}
