import type { TransportListener } from './transport.ts';

/** Bytes kept for a listener that has not come yet; more than a boot log, less than a leak. */
const KEPT = 256 * 1024;

/**
 * The listening side every transport has: hands on what comes, keeps what comes before anyone listens
 * (the last 256 KiB), tells the end once, also to a listener who comes after it.
 */
export class Feed {
  #listener: TransportListener | undefined;
  #kept: Uint8Array[] = [];
  #keptLength = 0;
  #end: { error: Error | undefined } | undefined;
  #dropping = 0;

  /** What has come and no one has heard. */
  get kept(): Uint8Array {
    return Buffer.concat(this.#kept);
  }

  /** A later listener takes the place of the one before. */
  listen(listener: TransportListener): void {
    this.#listener = listener;
    const kept = this.#kept;
    this.forget();
    for (const bytes of kept) listener.data(bytes);
    if (this.#end) listener.closed(this.#end.error);
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#dropping > 0 || this.#end) return;
    if (this.#listener) {
      this.#listener.data(bytes);
      return;
    }
    this.#kept.push(bytes);
    this.#keptLength += bytes.length;
    while (this.#keptLength > KEPT && this.#kept.length > 1)
      this.#keptLength -= this.#kept.shift()?.length ?? 0;
  }

  /** `error` is absent when we closed the port ourselves. */
  finish(error?: Error): void {
    if (this.#end) return;
    this.#end = { error };
    this.#listener?.closed(error);
  }

  /** Drops what is kept. */
  forget(): void {
    this.#kept = [];
    this.#keptLength = 0;
  }

  /** Drops what is kept and everything that comes, until the function handed back is called. */
  startDropping(): () => void {
    this.#dropping++;
    this.forget();
    let stopped = false;
    return () => {
      if (!stopped) this.#dropping--;
      stopped = true;
    };
  }

  /** Drops what is kept and everything that comes while `work` runs. */
  async dropDuring(work: () => Promise<void>): Promise<void> {
    const stop = this.startDropping();
    try {
      await work();
    } finally {
      stop();
    }
  }
}
