/** A board's REPL on a screen, for as long as someone looks: what comes is shown, what is typed is sent. */
import { openScreen } from './screen.ts';
import type { Screen } from './screen.ts';
import { TerminalFeed } from './terminal-feed.ts';
import type { FeedListener } from './terminal-feed.ts';
import { Typist } from './typist.ts';

export class LiveTerminal {
  readonly #place: HTMLElement;
  readonly #isReadOnly: boolean;
  readonly #on: Pick<FeedListener, 'state' | 'failed'>;
  #screen: Promise<Screen> | undefined;
  #feed: TerminalFeed | undefined;
  #typist: Typist | undefined;
  #board: string | undefined;

  constructor(place: HTMLElement, isReadOnly: boolean, on: Pick<FeedListener, 'state' | 'failed'>) {
    this.#place = place;
    this.#isReadOnly = isReadOnly;
    this.#on = on;
  }

  /** Shows this board from now on. */
  async watch(board: string): Promise<void> {
    if (board === this.#board) return;
    this.stop();
    this.#board = board;
    const screen = await (this.#screen ??= this.#open());
    // Somebody may have looked elsewhere meanwhile.
    if (board !== this.#board || this.#feed) return;
    const { state, failed } = this.#on;
    this.#typist = new Typist(board, failed);
    this.#feed = new TerminalFeed(board, { text: screen.write, begin: screen.reset, state, failed });
    screen.fit();
  }

  stop(): void {
    this.#feed?.stop();
    this.#feed = undefined;
    this.#board = undefined;
  }

  async clear(): Promise<void> {
    (await this.#screen)?.clear();
  }

  async focus(): Promise<void> {
    (await this.#screen)?.focus();
  }

  #open(): Promise<Screen> {
    return openScreen(this.#place, {
      isReadOnly: this.#isReadOnly,
      onType: (text) => this.#typist?.type(text),
      onPaste: (text) => this.#typist?.paste(text),
    });
  }
}
