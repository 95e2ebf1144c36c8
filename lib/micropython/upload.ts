/**
 * Puts files on the board, each whole or not at all: it is written beside, read back and hashed on the board, and
 * renamed over the old one only when the hash is right.
 */
import { sha256Of } from '../bytes/sha256.ts';
import { isLost } from '../transport/errors.ts';
import type { PortErrorCode } from '../transport/errors.ts';
import { CodedError } from '../errors/coded-error.ts';
import { boardPath } from './board-path.ts';
import { Delivery } from './delivery.ts';
import { MicroPythonError } from './errors.ts';
import type { MicroPythonErrorCode } from './errors.ts';
import { statFile } from './files.ts';
import type { OutgoingFile } from './outgoing.ts';
import type { RawRepl } from './raw-repl.ts';
import type { UploadWay } from './link.ts';
import { PieceUpload } from './upload-pieces.ts';

export type { OutgoingFile };

export interface UploadResult {
  /** Absolute path on the board. */
  path: string;
  bytes: number;
  /** Hex, of what the board has read back from its disk. */
  sha256: string;
}

/** Bytes of all files together. */
export interface UploadProgress {
  done: number;
  total: number;
}

export interface UploadOptions {
  onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Raises the rate of the line meanwhile, on the boards of `turbo.ts`; others go on as they are. */
  turbo?: boolean | undefined;
  /** Where memory is short, the interpreter may start anew: what programs have defined is lost, and boot.py runs. */
  mayRestart?: boolean | undefined;
  /** Hears of each file when it is on the board, in order. */
  onFile?: ((result: UploadResult) => void) | undefined;
}

/**
 * What the board has under the path of a file that failed: `old` is what was there before, which may be nothing.
 * `either`: the board was lost in the very moment in which one took the place of the other.
 */
export type Kept = 'old' | 'new' | 'either';

/** Milliseconds for the board to end its script after a cancel, and to tell what it has. */
const LEAVE_MS = 15_000;
/** boot.py, of an interpreter that starts anew to have memory. */
const RESTART_MS = 10_000;
/** So often what is left is begun anew when the line, and not the board, is at fault. */
const ATTEMPTS = 5;
/** So often the board is asked what it has; the line may be at fault here, too. */
const LOOKS = 6;
/** The line was at fault: what was said may not have been heard. */
const LINE_ERRORS: readonly string[] = [
  'file-damaged',
  'python-error',
  'read-timeout',
  'repl-confused',
  'no-prompt',
] satisfies (MicroPythonErrorCode | PortErrorCode)[];

const SILENCES: readonly string[] = ['read-timeout', 'no-prompt'] satisfies (
  MicroPythonErrorCode | PortErrorCode
)[];

/**
 * Puts files on the board in their order; the first that fails ends it. Throws `MicroPythonError` 'disk-full' (facts
 * `bytes`, `free`), 'is-a-folder' and others of the file system, 'bad-file-name', 'file-damaged', and what a run may
 * throw. Facts: `path`, the file that failed; `kept`, see `Kept`; `done`, the paths that are on the board.
 */
export async function uploadFiles(
  repl: RawRepl,
  files: readonly OutgoingFile[],
  options: UploadOptions = {},
): Promise<UploadResult[]> {
  const upload = new Upload(
    repl,
    files.map(({ path, content }) => ({ path: boardPath(path), content })),
    options,
  );
  return upload.run();
}

class Upload {
  readonly #repl: RawRepl;
  readonly #files: readonly OutgoingFile[];
  readonly #options: UploadOptions;
  readonly #results: UploadResult[] = [];
  readonly #signal: AbortSignal;
  readonly #total: number;
  /** Whether the board's script has run in any attempt. */
  #hasBegun = false;
  /** Whether the board had no memory for the script; again, after what could be done about it. */
  #isShort = false;
  #isShortAgain = false;

  constructor(repl: RawRepl, files: readonly OutgoingFile[], options: UploadOptions) {
    this.#repl = repl;
    this.#signal = repl.signal;
    this.#files = files;
    this.#options = options;
    this.#total = bytesOf(files);
  }

  async run(): Promise<UploadResult[]> {
    for (let attempt = 1; this.#results.length < this.#files.length; attempt++) {
      if (this.#isShortAgain || this.#repl.link.uploadWay === 'pieces') {
        await this.#inPieces();
        continue;
      }
      const delivery = this.#delivery();
      try {
        await delivery.run(this.#wayOf(attempt), attempt > 1);
      } catch (error) {
        await this.#settle(error, delivery, attempt < ATTEMPTS);
      }
    }
    return this.#results;
  }

  /** A program may have covered `exec`, by which the loader of a packed script gets its own names. */
  #wayOf(attempt: number): UploadWay {
    const { uploadWay } = this.#repl.link;
    return uploadWay === 'packed' && attempt > 2 && !this.#hasBegun ? 'plain' : uploadWay;
  }

  async #inPieces(): Promise<void> {
    const pieces = new PieceUpload(this.#repl, (bytes) => this.#tell(bytes));
    try {
      for (const file of this.#files.slice(this.#results.length)) {
        await pieces.upload(file);
        this.#stored();
      }
    } catch (error) {
      throw this.#told(error, this.#next, pieces.isReplacing ? 'either' : 'old');
    }
    await pieces.end();
  }

  /** Bytes of the file that is next, and of those behind it. */
  #tell(bytes: number): void {
    const before = bytesOf(this.#files.slice(0, this.#results.length));
    this.#options.onProgress?.({ done: before + bytes, total: this.#total });
  }

  /** The path of the file that is next. */
  get #next(): string | undefined {
    return this.#files[this.#results.length]?.path;
  }

  #delivery(): Delivery {
    const before = bytesOf(this.#files.slice(0, this.#results.length));
    return new Delivery(this.#repl, this.#files.slice(this.#results.length), {
      onContent: (bytes) => this.#options.onProgress?.({ done: before + bytes, total: this.#total }),
      onStored: () => this.#stored(),
      turbo: this.#options.turbo,
      isShort: this.#isShort,
    });
  }

  #stored(): void {
    const { path, content } = this.#files[this.#results.length] as OutgoingFile;
    const result = { path, bytes: content.length, sha256: sha256Of(content) };
    this.#results.push(result);
    this.#options.onFile?.(result);
  }

  /** Returns when what is left may be tried again; throws with what is known of the file that failed. */
  async #settle(error: unknown, delivery: Delivery, mayTryAgain: boolean): Promise<void> {
    const [path, before] = [this.#next, this.#results.length];
    const isAborted = this.#signal.aborted;
    // The board is there still, and can be asked.
    if (isAborted) this.#repl.resume(AbortSignal.timeout(LEAVE_MS));
    this.#hasBegun ||= delivery.hasBegun;
    // The board has told that every file is in its place; that it is gone since is no matter of theirs.
    if (isLost(error) && this.#results.length === this.#files.length) return;
    let kept: Kept = delivery.mayHaveStoredNext ? 'either' : 'old';
    let isAgain = isOfLine(error) && mayTryAgain && !isAborted;
    if (isOfLine(error) || isAborted) {
      try {
        kept = await this.#look(delivery, LOOKS);
      } catch {
        // What went wrong first is thrown; this is only what could not be settled.
        isAgain = false;
      }
    }
    if (kept === 'new') this.#stored();
    // As the script was ended, the board may have told of it, too.
    if (!isAgain) throw this.#told(error, path, this.#results.length > before ? 'new' : kept);
    if (!delivery.hasBegun) {
      await this.#adapt(error).catch((trouble: unknown) => {
        throw this.#told(trouble, path, kept);
      });
    }
  }

  /** What a firmware lacks it always does; memory it may have when the next files come. */
  async #adapt(error: unknown): Promise<void> {
    const { link } = this.#repl;
    if (says(error, SHORT)) await this.#makeRoom();
    else if (says(error, SUBSTITUTED) && link.uploadWay === 'packed') link.uploadWay = 'plain';
    else if (says(error, LACKS)) link.uploadWay = 'pieces';
  }

  /** A program that was interrupted has left its objects, and what is free may be in small pieces. */
  async #makeRoom(): Promise<void> {
    const { mayRestart = false } = this.#options;
    this.#isShortAgain = this.#isShort;
    if (!this.#isShort)
      await (mayRestart ? this.#repl.softReset({ timeoutMs: RESTART_MS }) : this.#repl.tidy());
    // It was too little of a fresh heap.
    else if (mayRestart) this.#repl.link.uploadWay = 'pieces';
    this.#isShort = true;
  }

  /** The raw REPL again, and what the board has under the path of the file that came next. */
  async #look(delivery: Delivery, times: number): Promise<Kept> {
    try {
      await delivery.leave();
      await this.#repl.enter();
      const next = this.#files[this.#results.length];
      if (!next || !delivery.mayHaveStoredNext) return 'old';
      const found = await statFile(this.#repl, next.path, { hashes: true });
      return found?.sha256 === sha256Of(next.content) ? 'new' : 'old';
    } catch (error) {
      if (times === 1 || !isHarmed(error)) throw error;
      return this.#look(delivery, times - 1);
    }
  }

  #told(error: unknown, path: string | undefined, kept: Kept): unknown {
    if (!(error instanceof CodedError)) return error;
    const done = this.#results.map((result) => result.path);
    const own = error === this.#signal.reason ? (error as CodedError).copy() : (error as CodedError);
    return own.tell(path === undefined ? { done } : { path, kept, done });
  }
}

/** The line was at fault, or what it carried. */
function isOfLine(error: unknown): boolean {
  return error instanceof CodedError && LINE_ERRORS.includes(String(error.code));
}

/** What came was harmed, and asking again may help; not where the board says nothing, which has taken its time. */
function isHarmed(error: unknown): boolean {
  return isOfLine(error) && !SILENCES.includes((error as CodedError).code);
}

/** What old or small firmware says of the board's script; noise does not hit upon these names. */
const LACKS =
  /ImportError.*'(u?binascii|deflate|hashlib|u?io|json|machine|micropython|select|struct)'|AttributeError.*'(buffer|kbd_intr|ipoll|statvfs)'/;
const SHORT = /MemoryError/;
/** What `board/older_tools.py` does without. A board that lacks more has no memory for it either. */
const SUBSTITUTED = /ImportError.*'(deflate|hashlib)'/;

function says(error: unknown, what: RegExp): boolean {
  return error instanceof MicroPythonError && what.test(error.message);
}

function bytesOf(files: readonly OutgoingFile[]): number {
  return files.reduce((sum, { content }) => sum + content.length, 0);
}
