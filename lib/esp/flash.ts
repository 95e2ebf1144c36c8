/** The whole of flashing: connect, know the board, refuse what does not fit, plan, erase, write, check, run. */
import type { Transport } from '../transport/transport.ts';
import { backUp } from './backup.ts';
import type { BackupChoice, BackupPart } from './backup.ts';
import { eraseChip } from './erase.ts';
import { EspError } from './errors.ts';
import { isLineFault, rungsFrom } from './ladder.ts';
import type { Rung } from './ladder.ts';
import type { Partition } from './partitions.ts';
import { placeParts } from './place.ts';
import type { Part, Placed, Target, Wish } from './place.ts';
import { makePlan, partitionsOnBoard } from './plan.ts';
import type { EraseChoice, Plan, ReadyPlan } from './plan.ts';
import { withSession } from './session.ts';
import type { BoardFacts, Session, SessionEvent, SessionOptions } from './session.ts';
import { verifyRegion } from './verify.ts';
import { prepare, writeRegion } from './write.ts';
import type { Prepared } from './write.ts';

/** Checked parts, or how to get them when the board is known. */
export type FlashSource = readonly Part[] | ((target: Target) => Promise<readonly Part[]>);

export interface FlashOptions extends Omit<SessionOptions, 'onEvent'>, Wish {
  erase: EraseChoice;
  /** Only make the plan. */
  dryRun?: boolean | undefined;
  /** What to read and hand over before anything is erased. */
  backup?: BackupChoice | undefined;
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
  /** The line was too bad at this rate; what is written already stays written. */
  | { kind: 'slower'; baudRate: number; because: string };

export interface FlashResult extends BoardFacts {
  offset: number;
  /** Bytes of the firmware, all found equal by the chip's own MD5; of them written now. */
  bytes: number;
  written: number;
  plan: Plan;
  /** What was there before, where that was asked for. */
  backup?: BackupPart[];
  /** What the firmware says it is. */
  image?: Pick<Placed, 'micropython'>;
  /** Bits per second at which it went well. */
  baudRate: number;
  /** Whether the board was reset into its program; else EN has to be pressed. */
  reset: boolean;
}

type Outcome = Omit<FlashResult, 'reset' | 'baudRate'>;

/** What earlier attempts have done for good. */
interface DoneBefore {
  /** Everything is erased, as was asked for; from then on what differs tells what is missing. */
  erased: boolean;
  /** Taken before anything was written: a later one would be of a flash that is half new. */
  backup: FlashResult['backup'];
}

/**
 * Flashes checked firmware. Nothing is erased before it is known to fit this board, and only what differs is
 * written. A bad line makes it go on more slowly, from what is there already. On every way out the board is
 * reset into its program where the port can.
 * Throws `EspError`, `PortError`, or the reason of the abort.
 */
export async function flash(
  transport: Transport,
  source: FlashSource,
  options: FlashOptions,
): Promise<FlashResult> {
  const prepared = typeof source === 'function' ? [] : source.map((part) => prepare(part, options.signal));
  const rungs = rungsFrom(options.baudRate);
  const done: DoneBefore = { erased: false, backup: undefined };
  for (const [i, rung] of rungs.entries()) {
    const { baudRate } = rung;
    const attempt = { ...options, ...rung, erase: done.erased ? 'needed' : options.erase };
    try {
      const { result, reset } = await withSession(transport, attempt, (session) =>
        flashOnce(session, source, prepared, attempt, done),
      );
      return { ...result, baudRate, reset };
    } catch (error) {
      const next = rungs[i + 1];
      if (next === undefined || !isLineFault(error)) throw error;
      options.onEvent({ kind: 'slower', baudRate: next.baudRate, because: (error as EspError).code });
    }
  }
  throw new EspError('command-timeout', 'no rate is left', { operation: 'flash', timeoutMs: 0 });
}

/** Firmware with its places on this board, and the partition table that is there. */
export async function placeOn(
  { loader, chip, facts }: Session,
  source: FlashSource,
  wish: Wish,
): Promise<{ placed: Placed; partitions: Partition[] | undefined }> {
  const partitions = await partitionsOnBoard(loader);
  const target = { chip, flashSize: facts.flashSize, partitions };
  const parts = typeof source === 'function' ? await source(target) : source;
  return { placed: placeParts(parts, target, wish), partitions };
}

async function flashOnce(
  session: Session,
  source: FlashSource,
  prepared: readonly Prepared[],
  options: FlashOptions & Rung,
  done: DoneBefore,
): Promise<Outcome> {
  const { loader, facts } = session;
  loader.mode = { ...loader.mode, flashBlock: Math.min(loader.mode.flashBlock, options.flashBlock) };
  const { placed, partitions } = await placeOn(session, source, options);
  options.onEvent({ kind: 'comparing' });
  const ready = await makePlan(loader, placed, partitions, options.erase);
  const { regions, changes, ...plan } = ready;
  options.onEvent({ kind: 'plan', ...plan });
  refuseLosses(plan);
  if (options.dryRun) return { ...outcome(session, placed, plan), written: 0 };
  const board = { flashSize: facts.flashSize, partitions };
  done.backup ??= await backUp(loader, options.backup ?? 'none', board, (progress) =>
    options.onEvent({ kind: 'backing-up', ...progress }),
  );
  await carryOut(session, ready, prepared, options, done);
  const { backup } = done;
  return { ...outcome(session, placed, plan), ...(backup.length > 0 ? { backup } : {}) };
}

function outcome({ facts }: Session, placed: Placed, plan: Plan): Outcome {
  const offset = Math.min(...placed.regions.map((region) => region.offset));
  const bytes = placed.regions.reduce((sum, region) => sum + region.bytes.length, 0);
  const { micropython } = placed;
  const image = micropython ? { image: { micropython } } : {};
  return { ...facts, offset, bytes, written: plan.write, plan, ...image };
}

function refuseLosses({ erase, losses }: Plan): void {
  if (erase !== 'never' || losses.length === 0) return;
  const labels = losses.map(({ label }) => label).join(', ');
  throw new EspError('would-lose-data', `flashing would lose ${labels}`, { labels, losses });
}

async function carryOut(
  { loader }: Session,
  plan: ReadyPlan,
  prepared: readonly Prepared[],
  options: FlashOptions,
  done: DoneBefore,
): Promise<void> {
  if (plan.erase === 'all') {
    options.onEvent({ kind: 'erasing' });
    await eraseChip(loader);
    done.erased = true;
  }
  let before = 0;
  for (const part of plan.changes) {
    // What is written whole was compressed while the chip was being connected to.
    const ready = prepared.find(({ source }) => source === part.bytes) ?? prepare(part, loader.signal);
    await writeRegion(loader, { ...ready, offset: part.offset }, (progress) =>
      options.onEvent({
        kind: 'writing',
        done: before + Math.min(progress.done, part.bytes.length),
        total: plan.write,
      }),
    );
    before += part.bytes.length;
  }
  if (plan.changes.length === 0 && plan.erase !== 'all') return;
  options.onEvent({ kind: 'verifying' });
  for (const region of plan.regions) await verifyRegion(loader, region);
}
