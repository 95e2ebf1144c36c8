/** What a person types, in order: one request at a time, with all that was typed while the one before was underway. */
import { failureOf, post } from '../api.ts';
import type { Failure } from '../wire.ts';

export class Typist {
  readonly #path: string;
  readonly #failed: (failure: Failure) => void;
  #pending: { kind: 'input' | 'paste'; text: string }[] = [];
  #isBusy = false;

  constructor(board: string, failed: (failure: Failure) => void) {
    this.#path = `${board}/terminal`;
    this.#failed = failed;
  }

  type(text: string): void {
    const last = this.#pending.at(-1);
    if (last?.kind === 'input') last.text += text;
    else this.#pending.push({ kind: 'input', text });
    void this.#send();
  }

  /** Several lines are given to the board's paste mode, so that it neither indents nor runs them one by one. */
  paste(text: string): void {
    if (/[\r\n]/.test(text.trimEnd())) this.#pending.push({ kind: 'paste', text });
    else this.type(text);
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#pending.shift(); next; next = this.#pending.shift()) {
        await post(`${this.#path}/${next.kind}`, { text: next.text });
      }
    } catch (error) {
      // What was typed after it makes no sense without it.
      this.#pending = [];
      this.#failed(failureOf(error));
    } finally {
      this.#isBusy = false;
    }
  }
}
