/**
 * How fast the line to each board can be, by the board's MAC address: one that did not bear the wanted rate begins on
 * a lower rung of the ladder (`../esp/ladder.ts`) the next time, and after some clean jobs one rung higher again.
 */

/** After so many jobs in a row without a fault a faster rate is tried. */
const CLEAN_JOBS = 5;

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

  /** Little was sent on this rung: that tells nothing of a good line, but of one that did not bear a faster one. */
  endedOn(rung: number | undefined): void {
    if (rung !== undefined && rung > this.rung) this.wentWell(rung);
  }

  /** The board was flashed on this rung; `undefined` where that says nothing of the line. */
  wentWell(rung: number | undefined): void {
    if (rung === undefined || this.#mac === undefined) return;
    const before = this.#slow.get(this.#mac);
    const clean = before?.rung === rung ? before.clean + 1 : 0;
    if (rung === 0) this.#slow.delete(this.#mac);
    else if (clean < CLEAN_JOBS) this.#slow.set(this.#mac, { rung, clean });
    else this.#slow.set(this.#mac, { rung: rung - 1, clean: 0 });
  }
}
