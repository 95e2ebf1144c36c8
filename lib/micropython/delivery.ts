/**
 * One session with `board/receive.py`: the board invites packets, and tells of each file that is in its place.
 */
import { BoardLines } from './board-lines.ts';
import type { BoardLine } from './board-lines.ts';
import { boardScript, packedScript } from './board-script.ts';
import { MicroPythonError, throwRaised } from './errors.ts';
import { fileError } from './file-error.ts';
import { ignoreTimeout } from './ignore-timeout.ts';
import type { UploadWay } from './link.ts';
import { Outgoing } from './outgoing.ts';
import type { Check, OutgoingFile } from './outgoing.ts';
import { Packets } from './packets.ts';
import type { RawRepl } from './raw-repl.ts';
import { RestartWatch } from './restart.ts';
import { RunEnd } from './run-end.ts';
import { Input, onBoard, paceOf, Sending, turboPace } from './sending.ts';
import type { Pace } from './sending.ts';
import { Turbo, turboArguments } from './turbo.ts';

export interface DeliveryEvents {
  /** Bytes of content of this session that the board has taken. */
  onContent: (bytes: number) => void;
  /** The next file is in its place. */
  onStored: () => void;
}

export interface DeliveryOptions {
  /** See `UploadOptions`. */
  turbo?: boolean | undefined;
  /** The board is short of memory. */
  isShort?: boolean | undefined;
}

const SCRIPT = ['packets', 'look', 'beside', 'receive'] as const;
const TURBO_SCRIPT = ['packets', 'turbo', 'look', 'beside', 'receive'] as const;
/** The board takes a silence of so many milliseconds for an end. A host that is busy is asked again, no more. */
const PATIENCE_MS = 250;
/** The loader begins, and the next piece of the script is read. */
const LOAD_MS = 2500;
/** The whole of it is compiled, which a slow board takes its time over. */
const HELLO_MS = 10_000;
/** The board hashes a large file, or littlefs tidies up a folder of many, and it says nothing meanwhile. */
const STALL_MS = 120_000;
/** From the last file to the end of the script, which tidies up. */
const FINISH_MS = 10_000;
/** Bytes of a packet, for which the board makes buffers; small ones where it has no memory in one piece. */
const BLOCK = 8192;
const SMALL_BLOCK = 1024;
/** No packet is longer on the wire: so much is lost with a damaged one. */
const PACKET_MS = 750;
const SMALLEST_BLOCK = 1024;
/** Invitations anew without any packet that came through between. */
const MOST_DAMAGED = 40;
/** Amid a packet, once: the board has to find the line silent after it. */
const NUDGE_MS = 120;
/** Behind it the board may write to its disk, and a nudge would be taken for the next one. */
const LATE_NUDGE_MS = 2000;
/** As much as it reads in one piece, see `board/turbo.py`. */
const NUDGE = new Uint8Array(32);
/** Where a packet is due: less than the begin of one. */
const CTRL_C = '\x03'.repeat(3);
/** Amid a packet: more than a read of the board's waits for in one piece. */
const CTRL_C_AMID = '\x03'.repeat(64);
/** From Ctrl-C to the end of the script it takes half a second; a board that writes to its disk hears it later. */
const ASK_AGAIN_MS = 800;
const LEAVE_MS = 10_000;
const TIMED_OUT = 110;
const NOT_WHOLE = 5;

export class Delivery {
  readonly #repl: RawRepl;
  readonly #files: readonly OutgoingFile[];
  readonly #events: DeliveryEvents;
  /** Where the rate may be raised, and can. */
  readonly #turbo: Turbo | undefined;
  readonly #block: number;
  #pace: Pace;
  readonly #end: RunEnd;
  readonly #restart = new RestartWatch();
  /** What the loader of the packed script reads. */
  #script: Input | undefined;
  /** Both known since the board's hello. */
  #outgoing: Outgoing | undefined;
  #sending: Sending | undefined;
  #refusal: MicroPythonError | undefined;
  /** How often the board has said that it waits for a packet. */
  #invitations = 0;
  #stored = 0;
  #told = 0;

  constructor(
    repl: RawRepl,
    files: readonly OutgoingFile[],
    { turbo = false, isShort = false, ...events }: DeliveryEvents & DeliveryOptions,
  ) {
    this.#repl = repl;
    this.#files = files;
    this.#events = events;
    this.#block = isShort ? SMALL_BLOCK : BLOCK;
    if (turbo && repl.hasRate) this.#turbo = new Turbo(repl, (bytes) => this.#end.push(bytes));
    const { roundTripMs } = repl.link;
    this.#pace = paceOf({ roundTripMs, wireMs: (bytes) => repl.wireMs(bytes) });
    const lines = new BoardLines(
      (line) => this.#hear(line),
      () => {
        (this.#sending ?? this.#script)?.dot();
      },
    );
    this.#end = new RunEnd((bytes) => lines.push(bytes));
  }

  /** Whether the board's script runs: the firmware has what it needs. */
  get hasBegun(): boolean {
    return this.#sending !== undefined;
  }

  /** Whether the file that is next may be in its place without that having been heard. */
  get mayHaveStoredNext(): boolean {
    if (!this.#outgoing || !this.#sending || this.#refusal) return false;
    return this.#sending.reached >= this.#outgoing.endOf(this.#stored);
  }

  /**
   * Returns when every file is in its place. Throws what the board's file system refuses, 'file-damaged' for a line
   * that does not get better, 'python-error', 'board-restarted' and its like, and as `RawRepl.some`. The board's script
   * may still run then: `leave`.
   */
  async run(way: UploadWay, isAgain = false): Promise<void> {
    await this.#begin(way, isAgain);
    while (!this.#end.ended) {
      await this.#send();
      await this.#listen();
      await this.#turbo?.follow();
      this.#tellContent(this.#sending?.position ?? 0);
    }
    if (this.#refusal) throw this.#refusal;
    throwRaised(this.#end.raised);
    if (this.#stored < this.#files.length) throw this.#damaged('the board has ended it');
  }

  /** Ends the board's script: where it waits for a packet, it takes Ctrl-C for what it is. */
  async leave(): Promise<void> {
    if (!this.hasBegun) return;
    const until = performance.now() + LEAVE_MS;
    let isInvited = false;
    while (this.#isRunning() && performance.now() < until) {
      await this.#repl.write(isInvited ? CTRL_C : CTRL_C_AMID);
      isInvited = await this.#isInvitedSoon();
    }
    await this.#turbo?.end();
  }

  /** Whether the board asks for a packet; not, when its script ends or says nothing for a while. */
  async #isInvitedSoon(): Promise<boolean> {
    const before = this.#invitations;
    while (this.#isRunning() && this.#invitations === before) {
      const bytes = await this.#repl.some(ASK_AGAIN_MS).catch(ignoreTimeout);
      if (!bytes) return false;
      this.#end.push(bytes);
      await this.#turbo?.follow();
    }
    return this.#isRunning();
  }

  async #listen(): Promise<void> {
    const { judgedAt } = this.#restart;
    const until = judgedAt ?? performance.now() + this.#waitMs;
    const bytes = await this.#some(until, judgedAt !== undefined);
    if (bytes) {
      this.#restart.hear(bytes);
      this.#end.push(bytes);
    }
    this.#restart.judge();
  }

  /** A board that reads in steps waits for ever for the rest of one whose bytes were lost: it is given others. */
  async #some(until: number, mayBeNothing: boolean): Promise<Uint8Array | undefined> {
    for (let isFirst = true; ; isFirst = false) {
      const waitMs = Math.min(until - performance.now(), isFirst ? this.#nudgeMs : LATE_NUDGE_MS);
      const isLast = !mayBeNothing && performance.now() + waitMs >= until;
      const some = this.#repl.some(waitMs);
      const bytes = await (isLast ? some : some.catch(ignoreTimeout));
      if (bytes || performance.now() >= until) return bytes;
      await this.#repl.write(NUDGE);
    }
  }

  get #nudgeMs(): number {
    if (!this.#sending || this.#pace.window < Infinity) return Infinity;
    return this.#sending.isAmid ? NUDGE_MS : LATE_NUDGE_MS;
  }

  get #waitMs(): number {
    if (this.#stored === this.#files.length) return FINISH_MS;
    if (this.#sending) return STALL_MS;
    return this.#script?.isRead === false ? LOAD_MS : HELLO_MS;
  }

  #isRunning(): boolean {
    return this.#end.ended === undefined;
  }

  async #begin(way: UploadWay, isAgain: boolean): Promise<void> {
    const { every, dot } = this.#pace;
    const script = this.#turbo ? TURBO_SCRIPT : SCRIPT;
    const args = [this.#turboArguments(), this.#block, PATIENCE_MS, ...onBoard(this.#pace)];
    if (way === 'plain') return this.#repl.begin(await boardScript(['older_tools', ...script], args));
    const pieces = { dot: dot.length, piece: every };
    const { loader, packed } = await packedScript(['tools', ...script], args, pieces);
    // A board with a small input ring needs time, which is taken once this has failed.
    await (isAgain ? this.#repl.begin(loader) : this.#repl.beginShort(loader));
    this.#script = new Input(packed, this.#pace);
  }

  #turboArguments(): unknown[] | null {
    if (!this.#turbo) return null;
    return turboArguments(this.#repl.baudRate, onBoard(turboPace()));
  }

  async #send(): Promise<void> {
    if (this.#refusal) return;
    if (this.#sending && this.#sending.damagedInRow > MOST_DAMAGED)
      throw this.#damaged('nothing comes through');
    const bytes = (this.#sending ?? this.#script)?.take();
    if (bytes && bytes.length > 0) await this.#repl.write(bytes);
  }

  #hear({ letter, text }: BoardLine): void {
    const [number = 0, epoch = 0] = text.split(',').map(Number);
    if (letter === 'H' && !this.#sending) this.#hello(JSON.parse(text) as [number, number, Check]);
    else if ('ADS'.includes(letter)) this.#invited(letter === 'A', number, epoch);
    else if (letter === 'E') this.#refusal = this.#refused(JSON.parse(text) as unknown[]);
    else if (letter === 'T' || letter === 'B') this.#turbo?.note(letter, number);
    else if (letter === 'U') {
      this.#pace = turboPace(number > 0);
      this.#turbo?.note(letter, number);
    } else if (letter === 'F' && number === this.#stored) this.#isStored();
  }

  #invited(isNew: boolean, number: number, epoch: number): void {
    this.#invitations += 1;
    if (isNew) this.#sending?.invited(number);
    else this.#sending?.again(number, epoch);
  }

  #hello([block, windowBits, check]: [number, number, Check]): void {
    const fits = Math.floor(PACKET_MS / this.#repl.wireMs(1));
    const limits = { block: Math.min(block, Math.max(SMALLEST_BLOCK, fits)), windowBits };
    this.#outgoing = new Outgoing(this.#files, check);
    this.#sending = new Sending(new Packets(this.#outgoing.bytes, limits), this.#pace);
  }

  #isStored(): void {
    this.#tellContent(this.#outgoing?.endOf(this.#stored) ?? 0);
    this.#stored += 1;
    this.#events.onStored();
  }

  /** `at`: how far the board is in the stream. */
  #tellContent(at: number): void {
    if (at <= this.#told) return;
    this.#told = at;
    this.#events.onContent(this.#outgoing?.contentBefore(at) ?? 0);
  }

  #refused([errno, free]: unknown[]): MicroPythonError {
    if (errno === TIMED_OUT || errno === NOT_WHOLE) return this.#damaged(`error ${errno}`);
    const { path, content } = this.#files[this.#stored] ?? { path: '', content: new Uint8Array() };
    const error = fileError(Number(errno), path);
    return typeof free === 'number' ? error.tell({ bytes: content.length, free }) : error;
  }

  #damaged(why: string): MicroPythonError {
    const path = this.#files[this.#stored]?.path ?? '';
    return new MicroPythonError('file-damaged', `${path} did not arrive whole: ${why}`, { path });
  }
}
