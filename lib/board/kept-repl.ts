/**
 * The raw REPL between two jobs. Entering and leaving it takes longer than most questions, so it is left only
 * when nobody has asked anything for a while, or when somebody wants the friendly prompt.
 */
import type { RawRepl } from '../micropython/raw-repl.ts';
import { saysRestart } from '../micropython/boot.ts';

/** Questions that follow each other faster share one raw REPL. */
const KEPT_MS = 1000;
const LEAVE_TIMEOUT_MS = 6000;

export class KeptRepl {
  readonly #leaveSoon: () => void;
  #repl: RawRepl | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What came since: the board may no longer be where it was. */
  #heard = '';

  /** `leaveSoon` is called when the time is over; it has to take the port and call `leave`. */
  constructor(leaveSoon: () => void) {
    this.#leaveSoon = leaveSoon;
  }

  keep(repl: RawRepl): void {
    this.forget();
    this.#repl = repl;
    this.#timer = setTimeout(this.#leaveSoon, KEPT_MS);
  }

  /** The raw REPL, if the board surely still is in it; whoever takes it keeps it again or leaves it. */
  take(): RawRepl | undefined {
    const repl = this.#heard === '' ? this.#repl : undefined;
    this.forget();
    return repl;
  }

  forget(): void {
    clearTimeout(this.#timer);
    this.#repl = undefined;
    this.#heard = '';
  }

  hear(bytes: Uint8Array): void {
    if (this.#repl) this.#heard = (this.#heard + Buffer.from(bytes).toString('latin1')).slice(-2000);
  }

  /**
   * Back to the friendly prompt, or to the program that has to go on; returns what the board prints there. A board that
   * has restarted is not in the raw REPL any more, and typing would be input to its program.
   */
  async leave(): Promise<Uint8Array> {
    const [repl, heard] = [this.#repl, this.#heard];
    this.forget();
    if (!repl || saysRestart(heard)) return new Uint8Array();
    repl.resume(AbortSignal.timeout(LEAVE_TIMEOUT_MS));
    return repl.hasToGoOn ? repl.restart() : repl.leave();
  }
}
