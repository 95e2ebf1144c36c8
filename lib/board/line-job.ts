/** One line typed at the friendly prompt or to a running program, and what comes back. Nothing is interrupted. */
import { jobOptions } from './board.ts';
import type { Board, JobOptions } from './board.ts';
import { pauseFor } from '../transport/wait.ts';

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

/** Types a line and gathers the reply. Throws as `Board.run`. */
export async function typeLine(board: Board, line: string, options: LineOptions): Promise<Reply> {
  const { quietMs, until, timeoutMs } = options;
  return board.run({
    kind: 'line',
    ...jobOptions(options),
    run: async ({ transport, signal, link }) => {
      const decoder = new TextDecoder();
      let text = '';
      let quietAt = Infinity;
      const wake = { call: (): void => undefined };
      const heard = board.stream({
        data: (bytes) => {
          text += decoder.decode(bytes, { stream: true });
          quietAt = performance.now() + (link.isStarting ? BOOT_MS : quietMs);
          wake.call();
        },
      });
      const isFound = (): boolean => until !== undefined && has(text, until);
      try {
        // A tab is a key: it completes a name.
        await transport.write(Buffer.from(`${line.replaceAll('\t', '    ')}\r`, 'utf8'), signal);
        const end = performance.now() + timeoutMs;
        quietAt = performance.now() + (link.isStarting ? BOOT_MS : Math.max(quietMs, FIRST_MS));
        while (!isFound() && performance.now() < Math.min(end, quietAt)) {
          // Whatever comes ends the pause, so that its end is looked for anew.
          const something = new Promise<void>((resolve) => (wake.call = resolve));
          const pause = new AbortController();
          const quiet = pauseFor(
            Math.min(end, quietAt) - performance.now(),
            AbortSignal.any([pause.signal, signal]),
          );
          quiet.catch(() => undefined);
          await Promise.race([something, quiet]);
          pause.abort();
        }
      } finally {
        heard.close();
      }
      const reply = replyIn(text, line, link.prompt);
      return until === undefined ? reply : { ...reply, found: isFound() };
    },
  });
}

/** A program may think before it says its first word. */
const FIRST_MS = 300;
/** And a board that has just been reset starts Python. */
const BOOT_MS = 3000;

function has(text: string, what: string | RegExp): boolean {
  return typeof what === 'string' ? text.includes(what) : text.search(what) >= 0;
}

/** The prompt's line editor takes and echoes ASCII only. */
function replyIn(text: string, line: string, prompt: string): Reply {
  // The end of a line before, of which the reply had ended sooner.
  const lines = text.replaceAll('\r\n', '\n').replace(/^\n/, '');
  const typed = line.replaceAll('\t', '    ');
  const echo = [typed, typed.replace(/[^ -~]/g, '')].find((each) => lines.startsWith(`${each}\n`));
  const reply = echo === undefined ? lines : lines.slice(echo.length + 1);
  const end = [prompt, '>>> '].find((each) => reply.endsWith(each)) ?? '';
  return {
    text: reply.slice(0, reply.length - end.length).replace(end === '' ? /$/ : /\n$/, ''),
    echoed: echo !== undefined,
  };
}
