/** A virtual board that runs MicroPython, its port, and ways to talk to it. */
import { RawRepl } from '../../lib/micropython/raw-repl.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { Transport } from '../../lib/transport/transport.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';

export class MicroPythonBoard {
  readonly board: VirtualBoard;
  transport: Transport;

  readonly #options: LaunchOptions;

  private constructor(board: VirtualBoard, transport: Transport, options: LaunchOptions) {
    this.board = board;
    this.transport = transport;
    this.#options = options;
  }

  static async start(options: LaunchOptions = {}): Promise<MicroPythonBoard> {
    const board = await launchBoard({ timing: 'none', bootMs: 0, ...options });
    return new MicroPythonBoard(board, await openDoor(board, options), options);
  }

  /** A new raw REPL, entered. */
  async repl(signal: AbortSignal = new AbortController().signal): Promise<RawRepl> {
    const repl = new RawRepl(this.transport, signal);
    await repl.enter();
    return repl;
  }

  /** What a program prints, run in a raw REPL of its own. */
  async output(source: string): Promise<string> {
    return printed(await this.repl(), source);
  }

  /** Opens the port anew, after the board was away. */
  async reopen(): Promise<void> {
    await this.transport.close();
    this.transport = await openDoor(this.board, this.#options);
  }

  async close(): Promise<void> {
    await this.transport.close();
    await this.board.close();
  }
}

function openDoor(board: VirtualBoard, { pty = false, replBaud }: LaunchOptions): Promise<Transport> {
  return openTransport(pty ? board.pty : board.rfc2217, { baudRate: replBaud ?? 115_200 });
}

/** What a program prints. */
export async function printed(repl: RawRepl, source: string, timeoutMs = 10_000): Promise<string> {
  const pieces: Uint8Array[] = [];
  await repl.run(source, { timeoutMs, onOutput: (bytes) => void pieces.push(bytes) });
  return Buffer.concat(pieces).toString('utf8');
}
