/** What is done with a board's files, one after the other; what goes wrong is told. */
import { failureOf } from '../../api.ts';
import { fill } from '../../dom.ts';
import type { Failure } from '../../wire.ts';

export type Work = () => Promise<void>;

export class Queue {
  readonly #notes: HTMLElement;
  readonly #changed: () => void;
  readonly #told: (failure: Failure, work: Work) => HTMLElement;
  #last = Promise.resolve();
  #waiting = 0;

  /** `changed`: something begins or ends. `told`: what `notes` shows of a failure, and of the work that failed. */
  constructor(notes: HTMLElement, changed: () => void, told: (failure: Failure, work: Work) => HTMLElement) {
    this.#notes = notes;
    this.#changed = changed;
    this.#told = told;
  }

  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Does it when all before it is done. */
  add(work: Work): void {
    this.#waiting += 1;
    this.#changed();
    this.#last = this.#last.then(async () => {
      fill(this.#notes);
      try {
        await work();
      } catch (error) {
        fill(this.#notes, this.#told(failureOf(error), work));
      }
      this.#waiting -= 1;
      this.#changed();
    });
  }
}
