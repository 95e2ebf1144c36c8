/** Jobs for a board in its loader: flash, erase, verify, read, tell what it is, reset. */
import type { BackupPart } from '../esp/backup.ts';
import { bootMode } from '../esp/boot-log.ts';
import { checkErased, eraseChip, eraseRegion } from '../esp/erase.ts';
import { flash } from '../esp/flash.ts';
import type { FlashOptions, FlashResult } from '../esp/flash.ts';
import { SYNC_BAUD } from '../esp/connect.ts';
import { bytesOfSize } from '../esp/flash-header.ts';
import { boardInfo } from '../esp/info.ts';
import type { BoardInfo } from '../esp/info.ts';
import { withoutPadding } from '../esp/padding.ts';
import { extentOf } from '../esp/place.ts';
import { placeOn } from '../esp/place-on-board.ts';
import type { FlashSource } from '../esp/place-on-board.ts';
import { guardErase, guardRead } from '../esp/protection.ts';
import { rangeIn } from '../esp/range.ts';
import type { Range } from '../esp/range.ts';
import { readOn } from '../esp/read.ts';
import type { Copying } from '../esp/read.ts';
import { placeCopies } from '../esp/restore.ts';
import type { Copy } from '../esp/restore.ts';
import { reachOf, withSession } from '../esp/session.ts';
import type { BoardFacts, Session } from '../esp/session.ts';
import { verifyRegion } from '../esp/verify.ts';
import type { WriteProgress } from '../esp/write.ts';
import { writeBackup } from '../firmware/backup-folder.ts';
import { writeWhole } from '../firmware/write-whole.ts';
import type { WrittenFile } from '../firmware/write-whole.ts';
import type { Board } from './board.ts';
import { runInLoader, withLoader } from './loader-lease.ts';
import type { JobSession, LoaderJobOptions } from './loader-lease.ts';
import { watchStart } from './watch-start.ts';
import type { Started } from './watch-start.ts';

export { checkParts, wrongChip } from '../esp/place.ts';
export { FLASH_FREQUENCIES, FLASH_MODES, FLASH_SIZES } from '../esp/flash-header.ts';
export type { FlashSource } from '../esp/place-on-board.ts';
export type { BackupChoice } from '../esp/backup.ts';
export type { BoardInfo } from '../esp/info.ts';
export type { Copy } from '../esp/restore.ts';
export type { EraseChoice, Plan } from '../esp/plan.ts';
export type { Range } from '../esp/range.ts';
export type { LoaderJobEvent, LoaderJobOptions } from './loader-lease.ts';

/** A copy of the flash: with its bytes, or with the file they are in. */
export type Kept = Omit<BackupPart, 'data'> & { size: number; data?: Buffer; path?: string };

export type FlashJobResult = Omit<FlashResult, 'reset' | 'rung' | 'backup'> & Started & { backup?: Kept[] };

/** What a user says of flashing. */
export type FlashWish = PlaceWish &
  Pick<FlashOptions, 'erase' | 'dryRun' | 'backup' | 'encrypt'> & {
    /** Folder into which the backup is written, rather than handed over. */
    backupTo?: string | undefined;
    watch?: WatchChoice | undefined;
  };
/** Whether the board is watched as it comes up: `auto`, until MicroPython's prompt or for a short look; `never`. */
export type WatchChoice = 'auto' | 'never';
/** The part of it that says where the firmware goes, and with which settings in its header. */
export type PlaceWish = Pick<FlashOptions, 'offset' | 'partition' | 'force' | 'settings'>;

/** Flashes firmware and watches it come up: success means that it runs. */
export async function flashBoard(
  board: Board,
  source: FlashSource,
  options: LoaderJobOptions & FlashWish,
): Promise<FlashJobResult> {
  const { erase, dryRun, backup, backupTo, offset, partition, force, settings, encrypt, watch } = options;
  // A flash chip that does not tell its size is only believed in when that is forced.
  const flashSize = force ? bytesOfSize(settings?.size) : undefined;
  return runInLoader(board, options, async (session, lease) => {
    let paths: string[] = [];
    const onBackup = async (parts: BackupPart[], facts: BoardFacts): Promise<void> => {
      if (backupTo !== undefined) paths = await writeBackup(backupTo, facts, parts);
    };
    const place = { offset, partition, force, settings };
    const wish = { ...session, ...place, flashSize, erase, dryRun, backup, onBackup, encrypt };
    const { reset, rung, backup: taken, ...written } = await flash(lease.transport, source, wish);
    const result = { ...written, ...(taken ? { backup: taken.map((part, i) => kept(part, paths[i])) } : {}) };
    const { firstRung: first = 0 } = session;
    board.memory.lines.wentWell({ rung, first, much: result.written > 0 });
    if (!reset) return { ...result, started: 'press-en' };
    if (watch === 'never') return { ...result, started: 'unwatched' };
    options.onEvent({ kind: 'starting' });
    const { baudRate, image, plan } = written;
    const isOther = plan.startsOther !== undefined;
    const expected = isOther ? 'anything' : image?.micropython ? 'micropython' : 'other';
    const start = await watchStart(lease, { ...session, baudRate }, expected);
    return { ...result, ...start, ...(isOther ? { started: 'other' } : {}) };
  });
}

function kept({ label, offset, data }: BackupPart, path: string | undefined): Kept {
  return { label, offset, size: data.length, ...(path === undefined ? { data } : { path }) };
}

/** Writes a copy of the flash back, as `flashBoard` made it; what is there already is left. */
export async function restoreBoard(
  board: Board,
  copies: readonly Copy[],
  options: LoaderJobOptions & Pick<FlashWish, 'partition' | 'force' | 'watch'>,
): Promise<FlashJobResult> {
  const { partition, force, ...rest } = options;
  const source: FlashSource = (target) => Promise.resolve(placeCopies(copies, target, { partition, force }));
  return flashBoard(board, source, { ...rest, erase: 'needed' });
}

/** `verified`: the flash was seen to be blank; a chip that hides it cannot tell. */
export type Erased = BoardFacts & Range & { verified: boolean };

/** Erases all of the flash, or whole sectors of it. Throws `EspError` 'not-erased' where something stays. */
export async function eraseBoard(
  board: Board,
  range: Range,
  options: LoaderJobOptions & { force?: boolean },
): Promise<Erased> {
  return withLoader(board, options, async (session) => {
    const { loader, facts, security } = session;
    const reach = reachOf(session);
    guardErase(session, range.size === undefined, options);
    const { offset, size } = rangeIn(range, reach);
    options.onEvent({ kind: 'erasing' });
    if (size === reach) await eraseChip(loader, reach);
    else await eraseRegion(loader, offset, size);
    const verified = !security?.secureDownload;
    if (verified) {
      options.onEvent({ kind: 'verifying' });
      await checkErased(loader, offset, size);
    }
    return { ...facts, offset, size, verified };
  });
}

/**
 * Compares the flash with firmware, but for padding where the board keeps data. Throws `EspError` 'verify-failed'
 * where it differs.
 */
export async function verifyBoard(
  board: Board,
  source: FlashSource,
  options: LoaderJobOptions & PlaceWish,
): Promise<BoardFacts & { offset: number; bytes: number }> {
  return withLoader(board, options, async (session) => {
    guardRead(session);
    // What is only compared needs no consent.
    const { placed, partitions } = await placeOn(session, source, options, 'compare');
    options.onEvent({ kind: 'verifying' });
    const regions = withoutPadding(placed, partitions);
    for (const region of regions) await verifyRegion(session.loader, region, false);
    return { ...session.facts, ...extentOf(placed) };
  });
}

/** Reads a range of the flash, checked by the MD5 the chip sends with it. */
export async function readBoard(board: Board, range: Range, options: LoaderJobOptions): Promise<Uint8Array> {
  const copy = new RangeCopy(options);
  return withLoader(
    board,
    options,
    (session) => copy.goOn(session, rangeIn(range, reachOf(session))),
    () => copy.left,
  );
}

/** The same into a file, whole or not at all. Throws also `FirmwareError` 'backup-not-written', before it reads. */
export async function readBoardTo(
  board: Board,
  range: Range,
  path: string,
  options: LoaderJobOptions,
): Promise<BoardFacts & WrittenFile & { offset: number }> {
  const copy = new RangeCopy(options);
  const work = async (session: Session): Promise<BoardFacts & WrittenFile & { offset: number }> => {
    const within = rangeIn(range, reachOf(session));
    const file = await writeWhole(path, () => copy.goOn(session, within));
    return { ...session.facts, offset: within.offset, ...file };
  };
  return withLoader(board, options, work, () => copy.left);
}

/** A range that is read in as many sessions as it takes. */
class RangeCopy {
  readonly #onEvent: LoaderJobOptions['onEvent'];
  #copying: Copying | undefined;

  constructor({ onEvent }: LoaderJobOptions) {
    this.#onEvent = onEvent;
  }

  /** Bytes that are still to be read. */
  get left(): number {
    return this.#copying ? this.#copying.bytes.length - this.#copying.done : Infinity;
  }

  async goOn(session: Session, { offset, size }: { offset: number; size: number }): Promise<Uint8Array> {
    guardRead(session);
    this.#copying ??= { bytes: new Uint8Array(size), done: 0 };
    const onProgress = (progress: WriteProgress): void => this.#onEvent({ kind: 'reading', ...progress });
    return readOn(session.loader, offset, this.#copying, onProgress);
  }
}

/** What the board is, and what is on it. */
export async function inspectBoard(board: Board, options: LoaderJobOptions): Promise<BoardInfo> {
  return withLoader(board, options, boardInfo);
}

/** `started` is absent in the loader. `bootMode`: the straps as the chip printed them, where it did. */
export type ResetResult = BoardFacts & Partial<Started> & { bootMode?: string };

/**
 * Restarts the board and checks by what it says that it did: into its program (its boot is read), or into the mask
 * ROM's loader at its own rate, where it stays for other tools. Throws also `MicroPythonError` 'boot-failed'.
 */
export async function resetBoard(
  board: Board,
  into: 'run' | 'loader',
  options: LoaderJobOptions,
): Promise<ResetResult> {
  return runInLoader(board, options, async (session, lease) => {
    const stay = into === 'loader';
    const after = { ...session.after, stay };
    // Nothing is sent for which another rate would be worth it, or the stub.
    const wish: JobSession = { ...session, after, stub: 'avoid', baudRate: SYNC_BAUD };
    const { result, reset } = await withSession(lease.transport, wish, ({ facts, loader }) =>
      Promise.resolve({ ...facts, log: loader.log }),
    );
    const { log, ...facts } = result;
    if (stay) return { ...facts, ...modeIn(log) };
    if (!reset) return { ...facts, started: 'press-en' };
    options.onEvent({ kind: 'starting' });
    let printed = '';
    const listening = {
      ...lease,
      printed: (bytes: Uint8Array) => {
        printed += text(bytes);
        lease.printed(bytes);
      },
    };
    const start = await watchStart(listening, wish, 'anything');
    return { ...facts, ...start, ...modeIn(printed) };
  });
}

function modeIn(log: string): { bootMode?: string } {
  const mode = bootMode(log);
  return mode ? { bootMode: mode.value } : {};
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
