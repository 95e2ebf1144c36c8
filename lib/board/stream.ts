/**
 * What a board prints, for everyone who wants to hear it.
 *
 *   board.stream(listener): Subscription       hear every byte; holds the port open until `close()`
 *   board.write(bytes, options?): Promise      type, without entering the raw REPL or interrupting anything
 *   interrupt, softResetBoard, hardReset       `control-jobs.ts`; into the loader: `resetBoard` of `loader-jobs.ts`
 *
 * Heard is what programs print: between jobs all that comes, during a job what the job says is program output
 * (what Python code prints, a boot after a reset). The bytes of a job's own protocol are never heard.
 */
import { underAny } from '../transport/wait.ts';
import type { Job } from './board.ts';

export type StreamState =
  /** All that comes is heard. */
  | { kind: 'live' }
  /** A job has the port: only what it says is program output is heard. */
  | { kind: 'paused'; job: Job<unknown>['kind'] }
  /** The port is lost or does not open (`PortError`); it is tried again until the subscription is closed. */
  | { kind: 'gone'; error: Error };

export interface StreamListener {
  /** Bytes in order; a character may be cut anywhere. They must not be changed: others hear the same. */
  data(bytes: Uint8Array): void;
  /** Every change, and at once what holds when the subscription begins, as far as it is known. */
  state?(state: StreamState): void;
}

export interface Subscription {
  /** Ends it. The port stays open, as after any job. */
  close(): void;
}

/** Pauses between tries to open the port: from the first to the last, each twice as long. */
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 5000;

/** What a stream needs of its board. */
export interface StreamPort {
  /** Opens the port when its turn has come, if it is not open. */
  open: (signal: AbortSignal) => Promise<unknown>;
  pause: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Aborted when the board is closed. */
  signal: AbortSignal;
}

export class BoardStream {
  readonly #port: StreamPort;
  readonly #listeners = new Set<StreamListener>();
  #state: StreamState | undefined;
  /** Stops the tries to open the port. */
  #opening: AbortController | undefined;

  constructor(port: StreamPort) {
    this.#port = port;
  }

  add(listener: StreamListener): Subscription {
    this.#listeners.add(listener);
    if (this.#state) listener.state?.(this.#state);
    if (this.#state === undefined || this.#state.kind === 'gone') this.#keepOpen();
    return {
      close: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this.#opening?.abort();
      },
    };
  }

  /** A listener may leave, or another come, while it is told. */
  hear(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    for (const listener of [...this.#listeners]) listener.data(bytes);
  }

  become(state: StreamState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener.state?.(state);
    if (state.kind === 'gone') this.#keepOpen();
  }

  #keepOpen(): void {
    if (this.#opening || this.#listeners.size === 0) return;
    const opening = new AbortController();
    this.#opening = opening;
    const signals = [opening.signal, this.#port.signal];
    void underAny(signals, (signal) => this.#tryToOpen(signal)).finally(() => {
      this.#opening = undefined;
      // Someone came after the last had left, and before the tries had ended.
      if (opening.signal.aborted && !this.#port.signal.aborted && !this.#isOpen) this.#keepOpen();
    });
  }

  get #isOpen(): boolean {
    return this.#state !== undefined && this.#state.kind !== 'gone';
  }

  async #paused(ms: number, signal: AbortSignal): Promise<boolean> {
    return this.#port.pause(ms, signal).then(
      () => true,
      () => false,
    );
  }

  /** Ends when the port is open or nobody wants it any more. */
  async #tryToOpen(signal: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      try {
        await this.#port.open(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.become({ kind: 'gone', error: error instanceof Error ? error : new Error(String(error)) });
        if (!(await this.#paused(pauseMs, signal))) return;
        pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS);
      }
    }
  }
}
