import { within } from './wait.ts';

/** Work that must not overlap, done in the order it was asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #busy = 0;

  get idle(): boolean {
    return this.#busy === 0;
  }

  /**
   * Runs `work` once everything asked for earlier has ended, well or not. Who waits in line can leave it
   * through the signal (whose reason is thrown); how long each work takes is its own affair to bound.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    this.#busy++;
    const before = this.#last;
    let left = false;
    const mine = before.then(() => {
      if (left) throw new Error('left the line');
      return work();
    });
    const ended = mine.then(
      () => this.#busy--,
      () => this.#busy--,
    );
    this.#last = ended;
    if (signal !== undefined) {
      await untilAborted(before, signal).catch((error: unknown) => {
        left = true;
        throw error;
      });
    }
    return await mine;
  }
}

async function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  // The longest time a timer takes: the line itself is bounded by the work in it.
  await within(promise, { timeoutMs: 2 ** 31 - 1, signal, onTimeout: () => new Error('never') });
}
