/** What a board prints, for the terminals of all editors that show it: a few messages a second, as text. */
import type { Board } from '../../board/board.ts';
import type { StreamState, Subscription } from '../../board/stream.ts';
import type { TerminalNews, TerminalNow, TerminalState } from '../../editor/wire.ts';
import { failureOf } from '../diagnosis.ts';

/** Every message goes to every editor that is open. */
const TELL_EVERY_MS = 50;
/** Most characters a message; a board on its own USB prints more than anyone reads. */
const MAX_TEXT = 16 * 1024;
/** What an editor that opens later still gets to see. */
const KEPT = 32 * 1024;
/** Editors say every 15 s that they still look. */
const WATCHED_MS = 40_000;

export class Terminal {
  readonly #board: Board;
  readonly #tell: (news: TerminalNews) => void;
  readonly #onEnd: () => void;
  #subscription: Subscription | undefined;
  #decoder = new TextDecoder();
  #state: TerminalState = { kind: 'opening' };
  #count = 0;
  #kept = '';
  #pending = '';
  #skipped = 0;
  #soon: NodeJS.Timeout | undefined;
  #watched: NodeJS.Timeout | undefined;

  /** `onEnd`: nobody watches any more. */
  constructor(board: Board, tell: (news: TerminalNews) => void, onEnd: () => void) {
    this.#board = board;
    this.#tell = tell;
    this.#onEnd = onEnd;
  }

  /** Begins to listen, or goes on. Returns what there is to see. */
  watch(): TerminalNow {
    clearTimeout(this.#watched);
    this.#watched = setTimeout(() => this.end(), WATCHED_MS);
    this.#subscription ??= this.#board.stream({
      data: (bytes) => this.#heard(this.#decoder.decode(bytes, { stream: true })),
      state: (state) => this.#became(state),
    });
    this.#flush();
    return { count: this.#count, text: this.#kept, state: this.#state };
  }

  /** Stops listening; the port stays open, as after any job. */
  end(): void {
    clearTimeout(this.#watched);
    this.#subscription?.close();
    this.#flush();
    this.#news({ state: { kind: 'ended' } });
    this.#onEnd();
  }

  #heard(text: string): void {
    this.#pending += text;
    const over = this.#pending.length - MAX_TEXT;
    if (over > 0) {
      this.#skipped += over;
      this.#pending = this.#pending.slice(over);
    }
    this.#soon ??= setTimeout(() => this.#flush(), TELL_EVERY_MS);
  }

  #flush(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const [text, skipped] = [this.#pending, this.#skipped];
    this.#pending = '';
    this.#skipped = 0;
    if (text === '') return;
    this.#kept = (this.#kept + text).slice(-KEPT);
    this.#news({ text, ...(skipped > 0 ? { skipped } : {}) });
  }

  #became(state: StreamState): void {
    this.#flush();
    // Bytes after a gap are no continuation of a character before it.
    if (state.kind === 'gone') this.#decoder = new TextDecoder();
    this.#state = state.kind === 'gone' ? { kind: 'gone', failure: failureOf(state.error) } : { ...state };
    this.#news({ state: this.#state });
  }

  #news(news: Omit<TerminalNews, 'count'>): void {
    this.#count++;
    this.#tell({ count: this.#count, ...news });
  }
}
