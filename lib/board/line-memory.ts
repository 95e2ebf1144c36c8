/**
 * How fast the line to each board can be, by the board's MAC address: one that did not bear the wanted rate begins on
 * a lower rung of the ladder (`../esp/ladder.ts`) the next time, and after some clean jobs one rung higher again.
 */

/** After so many jobs in a row without a fault a faster rate is tried. */
const CLEAN_JOBS = 5;

/** How a job went well. */
export interface WentWell {
  /** The rung it ended on; `undefined` where that says nothing of the line. */
  rung: number | undefined;
  /** The rung it began on. */
  first: number;
  /** Whether so much was sent that the line is shown to be good. */
  much: boolean;
}

export class LineMemory {
  readonly #slow = new Map<string, { rung: number; clean: number }>();
  #mac: string | undefined;

  /** The rung to begin on: that of the board which was on the port last, 0 for the wanted rate. */
  get rung(): number {
    return this.#slow.get(this.#mac ?? '')?.rung ?? 0;
  }

  /** This board is on the port now. */
  meet(mac: string | undefined): void {
    this.#mac = mac;
  }

  /**
   * A job on this board went well. Where it began slowly because of the board before, as on a line where each is
   * another, that tells nothing of this one: else one bad board would make all slow that come after it.
   */
  wentWell({ rung, first, much }: WentWell): void {
    if (rung === undefined || this.#mac === undefined) return;
    const before = this.#slow.get(this.#mac);
    if (rung > first) this.#slow.set(this.#mac, { rung, clean: 0 });
    else if (before && much && rung <= before.rung) this.#wasClean(this.#mac, rung, before);
  }

  #wasClean(mac: string, rung: number, before: { rung: number; clean: number }): void {
    const clean = before.rung === rung ? before.clean + 1 : 1;
    if (rung === 0) this.#slow.delete(mac);
    else if (clean < CLEAN_JOBS) this.#slow.set(mac, { rung, clean });
    else this.#slow.set(mac, { rung: rung - 1, clean: 0 });
  }
}
