/**
 * Uploads to firmware that lacks what `board/receive.py` needs: each line of code carries a piece of the file, as
 * base64 where the firmware can read it, else as hex, else as Python writes bytes. Slower, with the same results: what
 * was written is read back and compared here.
 */
import { boardSource } from './board-script.ts';
import { MicroPythonError } from './errors.ts';
import { fileError } from './file-error.ts';
import type { OutgoingFile } from './outgoing.ts';
import { bytesOfLiteral, pythonBytes } from './python-bytes.ts';
import type { RawRepl } from './raw-repl.ts';

/** How bytes get into a line of code. */
interface Coding {
  /** Raises where the firmware has no such thing. */
  probe: string;
  literal: (bytes: Uint8Array) => string;
}

const CODINGS: readonly Coding[] = [
  {
    probe: 'from binascii import a2b_base64 as _upload_decode',
    literal: (bytes) => `_upload_decode('${Buffer.from(bytes).toString('base64')}')`,
  },
  {
    probe: '_upload_decode = bytes.fromhex',
    literal: (bytes) => `_upload_decode('${Buffer.from(bytes).toString('hex')}')`,
  },
  { probe: '', literal: pythonBytes },
];

/** What a board of 2018 with 16 KB of memory takes. */
const PIECE = 64;
const RUN_MS = 20_000;
/** For the board to be left in order after a cancel. */
const LEAVE_MS = 4000;

export class PieceUpload {
  readonly #repl: RawRepl;
  readonly #onContent: (bytes: number) => void;
  #coding: Coding | undefined;
  /** The new file takes the place of the old one. */
  isReplacing = false;

  /** `onContent` hears how many bytes of the file are written. */
  constructor(repl: RawRepl, onContent: (bytes: number) => void) {
    this.#repl = repl;
    this.#onContent = onContent;
  }

  /** Throws as `uploadFiles`. */
  async upload({ path, content }: OutgoingFile): Promise<void> {
    this.#coding ??= await this.#prepare();
    try {
      await this.#run(`_upload_begin(str(${pythonBytes(Buffer.from(path, 'utf8'))},'utf8'))`, path);
      await this.#write(path, content, this.#coding);
      await this.#compare(path, content);
      this.isReplacing = true;
      await this.#run('_upload_end()', path);
      this.isReplacing = false;
    } catch (error) {
      if (this.#repl.signal.aborted) {
        this.#repl.resume(AbortSignal.timeout(LEAVE_MS));
        await this.#repl.enter().catch(() => undefined);
      }
      await this.#run('_upload_drop()', path).then(
        () => (this.isReplacing = false),
        // The board is gone, or the line: what it has is not known.
        () => undefined,
      );
      throw error;
    }
  }

  /** Takes back what was defined on the board. */
  async end(): Promise<void> {
    const names = ['begin', 'put', 'read', 'end', 'drop', 'path', 'file', 'decode'].map(
      (name) => `_upload_${name}`,
    );
    await this.#run(`for n in ${JSON.stringify(names)}:globals().pop(n,0)\ngc.collect()`, '');
  }

  async #prepare(): Promise<Coding> {
    await this.#run(await boardSource('pieces'), '');
    for (const coding of CODINGS) {
      const works = await this.#run(coding.probe || 'pass', '').then(
        () => true,
        (error: unknown) => {
          if (error instanceof MicroPythonError && error.code === 'python-error') return false;
          throw error;
        },
      );
      if (works) return coding;
    }
    throw new MicroPythonError('python-error', 'no way to write bytes', { text: '' });
  }

  async #write(path: string, content: Uint8Array, coding: Coding): Promise<void> {
    for (let at = 0; at < content.length; at += PIECE) {
      const piece = content.subarray(at, at + PIECE);
      await this.#run(`_upload_put(${coding.literal(piece)})`, path);
      this.#onContent(at + piece.length);
    }
  }

  async #compare(path: string, content: Uint8Array): Promise<void> {
    for (let at = 0; at <= content.length; at += PIECE) {
      const printed = await this.#run(`_upload_read(${PIECE},${at === 0 ? 1 : 0})`, path);
      if (bytesOfLiteral(printed)?.equals(content.subarray(at, at + PIECE)) !== true) {
        throw new MicroPythonError('file-damaged', `${path} did not arrive whole`, { path });
      }
    }
  }

  async #run(source: string, path: string): Promise<string> {
    const printed: Uint8Array[] = [];
    try {
      await this.#repl.run(source, { timeoutMs: RUN_MS, onOutput: (bytes) => void printed.push(bytes) });
    } catch (error) {
      const [, errno] = /OSError: (?:\[Errno )?(\d+)/.exec((error as Error).message) ?? [];
      throw errno === undefined ? error : fileError(Number(errno), path);
    }
    return Buffer.concat(printed).toString('latin1');
  }
}
