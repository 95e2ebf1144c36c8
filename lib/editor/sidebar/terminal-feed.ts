/** What one board prints, from now on, in order and without gaps, as long as someone looks. */
import { failureOf, post } from '../api.ts';
import type { Failure, TerminalNews, TerminalNow, TerminalState } from '../wire.ts';
import { wordsOf } from '../words.ts';

const words = wordsOf('esp32-sidebar');
/** The runtime stops listening to a board 40 s after the last word. */
const WATCH_EVERY_MS = 15_000;
/** News that are on their way when the runtime answers arrive within. */
const UNDERWAY_MS = 500;
const AGAIN_MS = 1000;

export interface FeedListener {
  /** All that was shown before is void; this is what there is. */
  begin: (text: string) => void;
  text: (text: string) => void;
  state: (state: TerminalState) => void;
  failed: (failure: Failure) => void;
}

export class TerminalFeed {
  readonly #id: string;
  readonly #on: FeedListener;
  /** The news that was shown last; absent until the runtime has said where to begin. */
  #count: number | undefined;
  /** What came before it had. */
  #early: TerminalNews[] = [];
  #timer: number | undefined;
  #isStopped = false;
  readonly #heard = (_: string, data: unknown): void => this.#news(data as TerminalNews);

  constructor(id: string, on: FeedListener) {
    this.#id = id;
    this.#on = on;
    RED.comms.subscribe(`esp32-terminal/${id}`, this.#heard);
    void this.#watch();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    RED.comms.unsubscribe(`esp32-terminal/${this.#id}`, this.#heard);
  }

  async #watch(): Promise<void> {
    let again = WATCH_EVERY_MS;
    try {
      const now = await post<TerminalNow>(`${this.#id}/terminal/watch`);
      if (this.#isStopped) return;
      if (this.#count === undefined) this.#begin(now);
      else setTimeout(() => this.#catchUp(now), UNDERWAY_MS);
    } catch (error) {
      if (this.#isStopped) return;
      this.#on.failed(failureOf(error));
      again = AGAIN_MS;
    }
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#watch(), again);
  }

  #begin({ count, text, state }: TerminalNow): void {
    this.#count = count;
    this.#on.begin(text);
    this.#on.state(state);
    for (const news of this.#early.splice(0)) this.#news(news);
  }

  /** The connection was down, or the runtime has begun anew. */
  #catchUp(now: TerminalNow): void {
    if (!this.#isStopped && (this.#count ?? 0) < now.count) this.#begin(now);
  }

  #news(news: TerminalNews): void {
    if (this.#count === undefined) {
      this.#early.push(news);
      return;
    }
    if (news.state?.kind === 'ended') {
      this.#restart();
      return;
    }
    if (news.count <= this.#count) return;
    this.#count = news.count;
    if (news.skipped) this.#on.text(`\r\n… ${words('terminal.skipped', { count: news.skipped })} …\r\n`);
    if (news.text) this.#on.text(news.text);
    if (news.state) this.#on.state(news.state);
  }

  /** The board was redeployed: it is there again in a moment. */
  #restart(): void {
    this.#count = undefined;
    this.#early = [];
    this.#on.state({ kind: 'opening' });
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#watch(), AGAIN_MS);
  }
}
