/** What follows an error of flashing: another attempt, on what line, or none. */
import { isLost, isRateRefused } from '../transport/errors.ts';
import { isLineFault, rungsFrom } from './ladder.ts';
import type { Rung } from './ladder.ts';

/** How often a board that was pulled is waited for. */
const RETURNS = 3;
/** Further attempts on the slowest line. */
const REPEATS = 2;

/** Why there is another attempt. */
export type Again =
  /** The board is gone, and waited for. */
  | { kind: 'coming-back' }
  /** The line was too bad at this rate, or the port has no such rate; what is written already stays written. */
  | { kind: 'slower'; baudRate: number; because: string };

export class Attempts {
  readonly #rungs: readonly Rung[];
  readonly #first: number;
  readonly #canComeBack: boolean;
  #at: number;
  #returns = 0;
  #repeats = 0;
  #leftBefore = Infinity;

  /**
   * `baudRate`: of rung 0. `first`: the rung to begin on. `canComeBack`: the port can follow a board that leaves.
   * `hasRate`: it can set another rate.
   */
  constructor(baudRate: number, first: number, canComeBack: boolean, hasRate = true) {
    this.#rungs = rungsFrom(baudRate, hasRate);
    this.#first = Math.min(first, this.#rungs.length - 1);
    this.#at = this.#first;
    this.#canComeBack = canComeBack;
  }

  /** Which rung it stands on; 0 is the fastest. */
  get at(): number {
    return this.#at;
  }

  get rung(): Rung {
    return this.#rungs[this.#at] as Rung;
  }

  /** What follows `error`, of an attempt that had `left` bytes to write; nothing where it is to be thrown. */
  after(error: unknown, left: number): Again | undefined {
    if (isLost(error) && this.#canComeBack && this.#returns < RETURNS) {
      this.#returns++;
      return { kind: 'coming-back' };
    }
    // A port that knows no such rate knows it no better the next time.
    const isRefused = isRateRefused(error);
    if (!isRefused && !isLineFault(error, this.#at > this.#first)) return undefined;
    if (!this.#stepDown() && (isRefused || !this.#mayRepeat(left))) return undefined;
    this.#leftBefore = left;
    return { kind: 'slower', baudRate: this.rung.baudRate, because: error.code };
  }

  #stepDown(): boolean {
    if (this.#at === this.#rungs.length - 1) return false;
    this.#at++;
    return true;
  }

  /** On the slowest rung it tries again, as long as each attempt had less to write than the one before. */
  #mayRepeat(left: number): boolean {
    return left < this.#leftBefore && ++this.#repeats <= REPEATS;
  }
}
