/** Slower and in smaller pieces when the line is bad: by evidence, not by guess. */
import { EspError } from './errors.ts';
import type { EspErrorCode } from './errors.ts';

const RATES = [921600, 460800, 230400, 115200];
/** Bytes of a block by attempt: on a bad line a long one hardly ever arrives whole. */
const BLOCKS = [0x4000, 0x1000, 0x400];
const SMALLEST_BLOCK = 0x400;

/** How the line is used on one attempt. */
export interface Rung {
  baudRate: number;
  /** Bytes of flash data in one block at most. */
  flashBlock: number;
}

/**
 * The attempts to make, the wanted rate first; at least one more with small blocks. `hasRate` false: the far end keeps
 * the rate it has, and only the blocks get smaller.
 */
export function rungsFrom(wanted: number, hasRate = true): Rung[] {
  const slower = RATES.filter((rate) => rate < wanted);
  const rates = hasRate ? [wanted, ...(slower.length > 0 ? slower : [wanted])] : BLOCKS.map(() => wanted);
  return rates.map((baudRate, i) => ({ baudRate, flashBlock: BLOCKS[i] ?? SMALLEST_BLOCK }));
}

const LINE_FAULTS: ReadonlySet<EspErrorCode> = new Set([
  'command-timeout',
  'bad-answer',
  'stub-silent',
  'verify-failed',
]);

/**
 * Questions and answers carry no checksum, so a damaged one can look like these errors. They count as faults of the
 * line only once it has shown that it is bad; before that they are believed.
 */
const DOUBTFUL: ReadonlySet<EspErrorCode> = new Set([
  'unknown-chip',
  'flash-not-found',
  'command-failed',
  'command-unsupported',
  'not-erased',
]);

/**
 * So can the answer to what is only compared: other firmware is the likelier reason. And a chip that has not erased all
 * of its flash in minutes, and says nothing of a restart, is slow or worn out: it would take as long again.
 */
function isDoubtful({ code, facts }: EspError): boolean {
  const isSlow = facts['operation'] === 'ERASE_FLASH' && facts['heard'] === undefined;
  return DOUBTFUL.has(code) || facts['case'] === 'compared' || isSlow;
}

/** Reasons of a refusal that damaged bytes bring about: checksum, length, inflate, not enough, too much. */
const LINE_REASONS: ReadonlySet<unknown> = new Set([
  0x05, 0x07, 0x0b, 0x0c, 0xc0, 0xc1, 0xc2, 0xc3, 0xc7, 0xc8, 0xc9,
]);

/** Whether a slower line may help. `isBad`: this one has shown that it is. */
export function isLineFault(error: unknown, isBad = false): error is EspError {
  if (!(error instanceof EspError)) return false;
  if (isDoubtful(error) && isBad) return true;
  return (
    (LINE_FAULTS.has(error.code) && !isDoubtful(error)) ||
    (error.code === 'command-failed' && LINE_REASONS.has(error.facts['reason']))
  );
}
