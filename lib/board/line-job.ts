/** One line typed at the friendly prompt or to a running program, and what comes back. Nothing is interrupted. */
import { jobOptions } from './board.ts';
import type { Board, JobOptions } from './board.ts';
import { pauseFor } from '../transport/wait.ts';

export interface LineOptions extends JobOptions {
  /** The reply ends when nothing more came for so long. */
  quietMs: number;
  /** It ends at once when it has this text in it. */
  until?: string | undefined;
  /** It ends after so long in any case. */
  timeoutMs: number;
}

/** What came back: without the echo of the line, and without the prompt behind it. */
export interface Reply {
  text: string;
  /** Whether `until` was found; absent where none was given. */
  found?: boolean;
}

/** Types a line and gathers the reply. Throws as `Board.run`. */
export async function typeLine(board: Board, line: string, options: LineOptions): Promise<Reply> {
  const { quietMs, until, timeoutMs } = options;
  return board.run({
    kind: 'line',
    ...jobOptions(options),
    run: async ({ transport, signal }) => {
      const decoder = new TextDecoder();
      let text = '';
      let quietAt = Infinity;
      const wake = { call: (): void => undefined };
      const heard = board.stream({
        data: (bytes) => {
          text += decoder.decode(bytes, { stream: true });
          quietAt = performance.now() + quietMs;
          wake.call();
        },
      });
      const isFound = (): boolean => until !== undefined && text.includes(until);
      try {
        await transport.write(Buffer.from(`${line}\r`, 'utf8'), signal);
        const end = performance.now() + timeoutMs;
        quietAt = performance.now() + Math.max(quietMs, FIRST_MS);
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
      const reply = withoutEcho(text, line);
      return until === undefined ? { text: reply } : { text: reply, found: isFound() };
    },
  });
}

/** A program may think before it says its first word. */
const FIRST_MS = 300;

function withoutEcho(text: string, line: string): string {
  const lines = text.replaceAll('\r\n', '\n');
  const reply = lines.startsWith(`${line}\n`) ? lines.slice(line.length + 1) : lines;
  return reply.replace(/\n?>>> $/, '');
}
