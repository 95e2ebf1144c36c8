/**
 * All boards in use: one `Board` a port, however many config nodes and messages name it. Whoever names a port
 * holds its board; the last to let go closes it.
 */
import { realpath } from 'node:fs/promises';
import { presentPath } from '../transport/identity.ts';
import { parsePortName } from '../transport/port-name.ts';
import { Board } from './board.ts';
import type { BoardOptions } from './board.ts';

interface Held {
  board: Board;
  options: BoardOptions;
  holders: Set<object>;
}

export class Boards {
  readonly #held = new Map<string, Held>();
  /** A redeploy does not always wait for them: the way back of a lost board is long. */
  readonly #closing = new Map<string, Promise<void>>();
  readonly #presentPath: typeof presentPath;

  /** `path`: where a port is now, by this machine's list of ports; tests replace it. */
  constructor(path: typeof presentPath = presentPath) {
    this.#presentPath = path;
  }

  /**
   * The board at `options.port`, made with these options where no one holds it yet. `shared` says that it is
   * held with other settings, which stay.
   */
  hold(options: BoardOptions, holder: object): { board: Board; shared: boolean } {
    const key = keyOf(options);
    const held = this.#held.get(key);
    if (held) {
      held.holders.add(holder);
      return { board: held.board, shared: settingsOf(held.options) !== settingsOf(options) };
    }
    const board = new Board(options, this.#closing.get(key));
    this.#held.set(key, { board, options, holders: new Set([holder]) });
    return { board, shared: false };
  }

  /**
   * As `hold`, for a port that may be another name of one that is held: a device and its path, a link.
   * Throws what `presentPath` throws.
   */
  async find(options: BoardOptions, holder: object): Promise<Board> {
    const same = this.#held.get(keyOf(options)) ?? (await this.#samePath(options));
    if (!same) return this.hold(options, holder).board;
    same.holders.add(holder);
    return same.board;
  }

  /** Closes the boards that no one else holds: their jobs are cancelled and their ports free after. */
  async release(holder: object): Promise<void> {
    const closing: Promise<void>[] = [];
    for (const [key, { board, holders }] of this.#held) {
      if (!holders.delete(holder) || holders.size > 0) continue;
      this.#held.delete(key);
      closing.push(this.#close(key, board));
    }
    await Promise.all(closing);
  }

  async #close(key: string, board: Board): Promise<void> {
    const closed = board.close();
    this.#closing.set(key, closed);
    try {
      await closed;
    } finally {
      if (this.#closing.get(key) === closed) this.#closing.delete(key);
    }
  }

  async #samePath(options: BoardOptions): Promise<Held | undefined> {
    const wanted = await this.#presentKey(options);
    for (const held of this.#held.values()) {
      if ((await this.#presentKey(held.options).catch(() => undefined)) === wanted) return held;
    }
    return undefined;
  }

  /** The key of where the port is now, links such as those of /dev/serial/by-id followed. */
  async #presentKey(options: BoardOptions): Promise<string> {
    const path = await this.#presentPath(options);
    return keyOf({ port: await realpath(path).catch(() => path) });
  }
}

/** Two ways to write the same port are one port; what is none stays as it is, for the job to refuse. */
function keyOf({ device, port }: Pick<BoardOptions, 'device' | 'port'>): string {
  try {
    return JSON.stringify(parsePortName(device || port));
  } catch {
    return port;
  }
}

function settingsOf({ baudRate, idleLines, resetSequence }: BoardOptions): string {
  return JSON.stringify([baudRate, idleLines, resetSequence]);
}
