/** `machine.Timer`: callbacks run where the program waits, as scheduled functions do. */
import type { PythonCallable } from './webassembly.ts';
import { isPythonError } from './webassembly.ts';

interface Timer {
  fire: PythonCallable;
  due: number;
  period: number;
  again: boolean;
}

export class Timers {
  readonly #timers = new Map<number, Timer>();
  readonly #report: (traceback: string) => void;
  #next = 1;
  #running = false;

  constructor(report: (traceback: string) => void) {
    this.#report = report;
  }

  start(fire: PythonCallable, ms: number, again: boolean): number {
    const handle = this.#next++;
    const period = Math.max(ms, 1);
    this.#timers.set(handle, { fire, due: performance.now() + period, period, again });
    return handle;
  }

  stop(handle: number): void {
    this.#timers.delete(handle);
  }

  clear(): void {
    this.#timers.clear();
    this.#running = false;
  }

  /** Runs what is due; the milliseconds to the next. A callback that waits does not start others. */
  run(): number | undefined {
    if (this.#running || this.#timers.size === 0) return undefined;
    const now = performance.now();
    const due = [...this.#timers].filter(([, timer]) => timer.due <= now);
    this.#running = true;
    for (const [handle, timer] of due) {
      if (timer.again) timer.due = Math.max(timer.due + timer.period, now);
      else this.#timers.delete(handle);
      try {
        timer.fire();
      } catch (error) {
        if (!isPythonError(error)) throw error;
        this.#report(error.message);
      }
    }
    this.#running = false;
    const next = Math.min(...[...this.#timers.values()].map((timer) => timer.due));
    return Number.isFinite(next) ? Math.max(next - performance.now(), 0) : undefined;
  }
}
