/** Progress for people: at most four times a second, with rate and time left. */

export interface Progress {
  phase: string;
  /** Bytes, where the phase counts any. */
  done?: number;
  total?: number;
  percent?: number;
  /** Bytes per second since the phase began. */
  rate?: number;
  secondsLeft?: number;
}

export interface Step {
  phase: string;
  done?: number;
  total?: number;
}

const INTERVAL_MS = 250;

/** Passes steps on: every new phase and the end of one at once, others not more than four times a second. */
export class ProgressMeter {
  readonly #report: (progress: Progress) => void;
  readonly #now: () => number;
  #phase = '';
  #began = 0;
  #reported = 0;

  constructor(report: (progress: Progress) => void, now: () => number = () => performance.now()) {
    this.#report = report;
    this.#now = now;
  }

  step({ phase, done, total }: Step): void {
    const now = this.#now();
    const isNew = phase !== this.#phase;
    if (isNew) [this.#phase, this.#began] = [phase, now];
    const isEnd = done !== undefined && done === total;
    if (!isNew && !isEnd && now - this.#reported < INTERVAL_MS) return;
    this.#reported = now;
    if (done === undefined || total === undefined) this.#report({ phase });
    else this.#report({ phase, done, total, ...this.#measures(done, total, now) });
  }

  #measures(done: number, total: number, now: number): Partial<Progress> {
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
    const seconds = (now - this.#began) / 1000;
    if (done === 0 || seconds <= 0) return { percent };
    const rate = done / seconds;
    return { percent, rate: Math.round(rate), secondsLeft: Math.round((total - done) / rate) };
  }
}
