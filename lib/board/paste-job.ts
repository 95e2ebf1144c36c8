/** Several lines typed into MicroPython's paste mode, as fast as the board echoes them, so that none is lost. */
import { MicroPythonError } from '../micropython/errors.ts';
import { within } from '../transport/wait.ts';
import { jobOptions } from './board.ts';
import type { Board, JobOptions } from './board.ts';

const PASTE = Buffer.from([5]);
const RUN = Buffer.from([4]);
const CANCEL = Buffer.from([3]);
const BEGUN = 'paste mode; Ctrl-C to cancel, Ctrl-D to finish';

/** A board's input ring takes 260 bytes; half of it, so that the next piece is there before the last is used up. */
const PIECE = 128;
/** From typing to the echo: a line on the wire, and a moment for garbage collection. */
const ECHO_MS = 2000;

/**
 * Returns when all is typed and the board runs it; nothing is interrupted. Throws `MicroPythonError` 'no-prompt' where
 * no prompt answers or the echo stops (what was pasted by then is not run), and as `Board.run`.
 */
export async function pasteText(board: Board, text: string, options: JobOptions = {}): Promise<void> {
  // As a terminal sends them; control characters would end the paste mode.
  const lines = text.replaceAll(/\r\n?|\n/g, '\r').replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '');
  const bytes = Buffer.from(lines, 'utf8');
  await board.run({
    kind: 'line',
    ...jobOptions(options),
    run: async ({ transport, signal }) => {
      const echo = new Echo(board, signal);
      try {
        await transport.write(PASTE, signal);
        await echo.until((heard) => heard.includes(BEGUN));
        echo.forget();
        for (let at = 0; at < bytes.length; at += PIECE) {
          await transport.write(bytes.subarray(at, at + PIECE), signal);
          const wanted = Math.min(at + PIECE, bytes.length);
          await echo.until((heard) => heard.length >= wanted);
        }
        await transport.write(RUN, signal);
      } catch (error) {
        if (!signal.aborted) await transport.write(CANCEL, signal).catch(() => undefined);
        throw error;
      } finally {
        echo.end();
      }
    },
  });
}

/** What the board says meanwhile; one character a byte. It echoes every one, and its own prompts besides. */
class Echo {
  readonly #signal: AbortSignal;
  readonly #end: () => void;
  #heard = '';
  #look = (): void => undefined;

  constructor(board: Board, signal: AbortSignal) {
    this.#signal = signal;
    const subscription = board.stream({
      data: (bytes) => {
        this.#heard += Buffer.from(bytes).toString('latin1');
        this.#look();
      },
    });
    this.#end = () => subscription.close();
  }

  forget(): void {
    this.#heard = '';
  }

  async until(isThere: (heard: string) => boolean): Promise<void> {
    const arrived = new Promise<void>((resolve) => {
      this.#look = () => {
        if (isThere(this.#heard)) resolve();
      };
      this.#look();
    });
    await within(arrived, { timeoutMs: ECHO_MS, signal: this.#signal, onTimeout: () => this.#silent() });
  }

  end(): void {
    this.#end();
  }

  #silent(): MicroPythonError {
    const facts = { heard: this.#heard === '' ? 'nothing' : 'text', tail: this.#heard.slice(-200) };
    return new MicroPythonError('no-prompt', 'no prompt takes what is pasted', facts);
  }
}
