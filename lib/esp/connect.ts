/**
 * From an open port to a loader that answers and a chip that is known.
 *
 * Every round resets the chip by the next strategy and sends SYNC a few times; what the chip prints
 * meanwhile tells why it does not answer. When the lines do not get it there, a person is asked to hold
 * BOOT and tap EN, and SYNC goes on until the deadline.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLost } from '../transport/errors.ts';
import type { Transport } from '../transport/transport.ts';
import { bootMode, looksLikeWrongBaud } from './boot-log.ts';
import { EspError } from './errors.ts';
import { Loader, romMode } from './loader.ts';
import { BY_HAND, LEAVE_BUS_MS, runReset, usbKind } from './reset.ts';
import type { ResetStrategy } from './reset.ts';
import { stubMode } from './stub.ts';

/** What happens on the way, for a person who waits. */
export type ConnectEvent =
  | { kind: 'connecting'; strategy: string }
  /** The lines did not help: hold BOOT, press and release EN. `bootMode` is what the chip booted instead. */
  | { kind: 'press-boot'; bootMode?: string }
  /** The board left the bus, as native USB does when it restarts, or was pulled: it is waited for. */
  | { kind: 'coming-back' }
  | { kind: 'connected'; strategy: string; stubRunning: boolean };

export interface ConnectOptions {
  /** Tried in order; at least one. Where a port leaves the bus by one, it is followed. */
  strategies: readonly ResetStrategy[];
  /** Milliseconds until connecting is given up. */
  timeoutMs: number;
  signal: AbortSignal;
  onEvent: (event: ConnectEvent) => void;
}

/** The mask ROM measures the host's rate on SYNC; this is the fastest it does so reliably. */
export const SYNC_BAUD = 115200;
/**
 * How often SYNC is sent: the first is lost on many chips, or comes before the ROM listens, so the next ones follow
 * soon. A later answer still counts for the next SYNC.
 */
const SYNC_EVERY_MS = 60;
const FIRST_SYNCS_MS = 20;
const FIRST_SYNCS = 3;
const FURTHER_SYNC_ANSWERS = 7;
const FURTHER_ANSWER_MS = 100;
/** Together 720 ms, which a slow boot needs. */
const SYNCS_PER_RESET = 14;
/** Rounds over all strategies before a person is asked to help. */
const ROUNDS_BY_LINES = 2;

const SYNC_PAYLOAD = Uint8Array.from([0x07, 0x07, 0x12, 0x20, ...Array<number>(32).fill(0x55)]);

/**
 * Connects to the ROM, or to a stub that still runs.
 * Throws `EspError` 'no-answer', 'wrong-boot-mode' or 'download-mode-silent'; `PortError`; an abort.
 */
export async function connect(transport: Transport, options: ConnectOptions): Promise<Loader> {
  const deadline = performance.now() + options.timeoutMs;
  let evidence = '';
  for (const strategy of attempts(transport, options.strategies)) {
    if (performance.now() >= deadline) throw noAnswer(evidence);
    options.onEvent({ kind: 'connecting', strategy: strategy.name });
    const { loader, answers } = await reached(
      transport,
      strategy,
      { syncs: SYNCS_PER_RESET, deadline },
      options,
    );
    if (answers) return connected(loader, strategy.name, options);
    evidence = plainer(evidence, loader.log);
  }
  return connectByHand(transport, evidence, deadline, options);
}

/** What to do one after the other before a person is asked to help. */
function attempts(transport: Transport, strategies: readonly ResetStrategy[]): ResetStrategy[] {
  const byLines = strategies.filter(({ steps }) => steps.length > 0);
  const others = strategies.filter(({ steps, ask }) => steps.length === 0 && ask !== undefined);
  // This is the loader itself, which a reset would only send away; or it may be, and asking it would take long.
  const mayWait = usbKind(transport) === 'usb-rom' || (byLines.length === 0 && others.length > 0);
  const waiting = mayWait ? [BY_HAND] : [];
  const rounds = Array.from({ length: ROUNDS_BY_LINES }, () => byLines).flat();
  // A program that does not know the way will not know it a second time.
  return [...waiting, ...byLines, ...others, ...rounds.slice(byLines.length)];
}

/** One strategy carried out and so many SYNCs sent, and whether the loader answers after it. */
async function reached(
  transport: Transport,
  strategy: ResetStrategy,
  limit: { syncs: number; deadline: number },
  options: ConnectOptions,
): Promise<{ loader: Loader; answers: boolean }> {
  const { signal } = options;
  // One that goes away again was not there because of the reset: a blank chip restarts all the time.
  for (let isBack = false; ; isBack = !isBack) {
    try {
      if (!isBack) await strategy.ask?.(transport, signal);
      await transport.setBaudRate(SYNC_BAUD);
      await transport.discardInput();
      const loader = new Loader(transport, signal);
      // A board that came back did so because of the reset, and waits.
      if (!isBack) await runReset(transport, strategy, signal);
      if (!isBack && strategy.leavesBus) await loader.untilLost(LEAVE_BUS_MS);
      return { loader, answers: await syncRepeatedly(loader, limit.syncs, limit.deadline) };
    } catch (error) {
      if (!isLost(error) || !transport.reopen) throw error;
      options.onEvent({ kind: 'coming-back' });
      await transport.reopen({ timeoutMs: Math.max(0, limit.deadline - performance.now()), signal });
    }
  }
}

async function connectByHand(
  transport: Transport,
  before: string,
  deadline: number,
  options: ConnectOptions,
): Promise<Loader> {
  // A loader that waits already answers at once; only else a person is needed.
  const first = await reached(transport, BY_HAND, { syncs: SYNCS_PER_RESET, deadline }, options);
  if (first.answers) return connected(first.loader, BY_HAND.name, options);
  const evidence = plainer(before, first.loader.log);
  const mode = bootMode(evidence);
  options.onEvent({ kind: 'press-boot', ...(mode && !mode.download ? { bootMode: mode.value } : {}) });
  const { loader, answers } = await reached(transport, BY_HAND, { syncs: Infinity, deadline }, options);
  if (answers) return connected(loader, BY_HAND.name, options);
  throw noAnswer(plainer(evidence, loader.log));
}

/**
 * The more telling of two logs: the latest, unless only the one before has the mask ROM's boot line. (A program that
 * runs may print anything in answer to SYNC.)
 */
function plainer(before: string, last: string): string {
  return bootMode(before) && !bootMode(last) ? before : last || before;
}

function connected(loader: Loader, strategy: string, options: ConnectOptions): Loader {
  options.onEvent({ kind: 'connected', strategy, stubRunning: loader.mode.name === 'stub' });
  return loader;
}

/** SYNC until one is answered, the count or the time is used up, or the log shows that it is in vain. */
async function syncRepeatedly(loader: Loader, count: number, deadline: number): Promise<boolean> {
  const byHand = count === Infinity;
  for (let i = 0; i < count && performance.now() < deadline; i++) {
    const everyMs = i < FIRST_SYNCS ? FIRST_SYNCS_MS : SYNC_EVERY_MS;
    const next = performance.now() + everyMs;
    if (await sync(loader, everyMs)) return true;
    // It started its program: no SYNC will be heard before the next reset.
    if (!byHand && bootMode(loader.log)?.download === false) return false;
    // A SYNC that was answered by nonsense has returned early.
    await sleep(Math.max(0, next - performance.now()), undefined, { signal: loader.signal });
  }
  return false;
}

/**
 * One SYNC. It is answered eight times; all are read here, so that none is taken for a later answer.
 * The value field is 0 in all of them only when a stub answers.
 */
async function sync(loader: Loader, timeoutMs: number): Promise<boolean> {
  try {
    const { value } = await loader.command('SYNC', SYNC_PAYLOAD, { timeoutMs });
    const others = await loader.furtherAnswers('SYNC', FURTHER_SYNC_ANSWERS, FURTHER_ANSWER_MS);
    const isStub = [value, ...others].every((each) => each === 0);
    loader.mode = isStub ? stubMode(loader) : romMode(undefined);
    return true;
  } catch (error) {
    if (error instanceof EspError) return false;
    throw error;
  }
}

/** Why nothing answered, by what the chip printed meanwhile. */
function noAnswer(log: string): EspError {
  const mode = bootMode(log);
  const facts = { bootLog: log };
  if (mode?.download) {
    return new EspError('download-mode-silent', 'the chip is in download mode but does not answer', facts);
  }
  if (mode) {
    return new EspError('wrong-boot-mode', `the chip booted its flash (${mode.value}), not the loader`, {
      ...facts,
      bootMode: mode.value,
    });
  }
  if (looksLikeWrongBaud(log)) {
    return new EspError('no-answer', 'only unreadable bytes came', { ...facts, heard: 'garbage' });
  }
  return new EspError('no-answer', 'the chip does not answer', { ...facts, heard: log ? 'text' : 'nothing' });
}
