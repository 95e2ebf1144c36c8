/** One line typed at the friendly prompt or to a running program, and what comes back. Nothing is interrupted. */
import { within } from '../transport/wait.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions } from './board.ts';
import type { Subscription } from './stream.ts';

export interface LineOptions extends JobOptions {
  /** The reply ends when nothing more came for so long. */
  quietMs: number;
  /** It ends at once when it has this in it. */
  until?: string | RegExp | undefined;
  /** It ends after so long in any case. */
  timeoutMs: number;
}

/** What came back: without the echo of the line, and without the prompt behind it. */
export interface Reply {
  text: string;
  /** Whether the line came back first, as prompts and `input()` do; a program that reads otherwise may not. */
  echoed: boolean;
  /** Whether `until` was found; absent where none was given. */
  found?: boolean;
}

/** A program may think before it says its first word. */
const FIRST_MS = 300;
/** And a board that has just been reset starts Python. */
const BOOT_MS = 3000;

/** Types a line and gathers the reply. Throws as `Board.run`. */
export async function typeLine(board: Board, line: string, options: LineOptions): Promise<Reply> {
  const { quietMs, until, timeoutMs } = options;
  // A tab is a key: it completes a name.
  const typed = line.replaceAll('\t', '    ');
  return board.run({
    kind: 'line',
    ...jobOptions(options),
    run: async ({ transport, signal, link }) => {
      const said = new Gathered(board, () => (link.isStarting ? BOOT_MS : quietMs));
      const isFound = (text: string): boolean => until !== undefined && has(text, until);
      try {
        await transport.write(Buffer.from(`${typed}\r`, 'utf8'), signal);
        const firstMs = link.isStarting ? BOOT_MS : Math.max(quietMs, FIRST_MS);
        await said.until(isFound, { firstMs, timeoutMs, signal });
      } finally {
        said.end();
      }
      const reply = replyIn(said.text, typed, link.prompt);
      return until === undefined ? reply : { ...reply, found: isFound(said.text) };
    },
  });
}

/** What the board prints from now on. */
class Gathered {
  text = '';
  readonly #subscription: Subscription;
  #quietAt = Infinity;
  #wake = (): void => undefined;

  /** `quietMs`: how long nothing more must come for the board to have said all. */
  constructor(board: Board, quietMs: () => number) {
    const decoder = new TextDecoder();
    this.#subscription = board.stream({
      data: (bytes) => {
        this.text += decoder.decode(bytes, { stream: true });
        this.#quietAt = performance.now() + quietMs();
        this.#wake();
      },
    });
  }

  /** Resolves when the text is found, when the board has said all, or when the time is over. */
  async until(
    isFound: (text: string) => boolean,
    { firstMs, timeoutMs, signal }: { firstMs: number; timeoutMs: number; signal: AbortSignal },
  ): Promise<void> {
    const end = performance.now() + timeoutMs;
    this.#quietAt = performance.now() + firstMs;
    while (!isFound(this.text)) {
      const leftMs = Math.min(end, this.#quietAt) - performance.now();
      if (leftMs <= 0) return;
      await this.#next(leftMs, signal);
    }
  }

  end(): void {
    this.#subscription.close();
  }

  /** Resolves when more comes or the time is over. */
  async #next(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const more = new Promise<void>((resolve) => (this.#wake = resolve));
    const over = new Error('nothing more came');
    await within(more, { timeoutMs, signal, onTimeout: () => over }).catch((error: unknown) => {
      if (error !== over) throw error;
    });
  }
}

function has(text: string, what: string | RegExp): boolean {
  return typeof what === 'string' ? text.includes(what) : text.search(what) >= 0;
}

/** `typed`: as it was typed; the prompt's line editor takes and echoes ASCII only. */
function replyIn(text: string, typed: string, prompt: string): Reply {
  // A line end at the begin is left over from the reply before, which was taken for complete too soon.
  const lines = text.replaceAll('\r\n', '\n').replace(/^\n/, '');
  const echo = [typed, typed.replace(/[^ -~]/g, '')].find((each) => lines.startsWith(`${each}\n`));
  const reply = echo === undefined ? lines : lines.slice(echo.length + 1);
  const end = [prompt, '>>> '].find((each) => reply.endsWith(each)) ?? '';
  return {
    text: reply.slice(0, reply.length - end.length).replace(end === '' ? /$/ : /\n$/, ''),
    echoed: echo !== undefined,
  };
}
