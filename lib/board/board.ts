/**
 * One physical board and the port it hangs on. Whoever wants the port runs a job; one job holds the port at
 * a time, so nothing interleaves on the wire. The port opens with the first job and stays open until the
 * board is closed; a port that is lost is opened anew by the next job. Whoever only wants to hear the board
 * subscribes to its stream, see `stream.ts`.
 */
import type { ModemLines, Transport, TransportKind, TransportWarning } from '../transport/transport.ts';
import { Link } from '../micropython/link.ts';
import type { RawRepl } from '../micropython/raw-repl.ts';
import { PortError } from '../transport/errors.ts';
import { pauseFor, underAny } from '../transport/wait.ts';
import { BoardError } from './errors.ts';
import { PortFollower } from './follow.ts';
import type { Ports } from './follow.ts';
import { KeptRepl } from './kept-repl.ts';
import { LineMemory } from './line-memory.ts';
import { BoardStream } from './stream.ts';
import type { StreamListener, Subscription } from './stream.ts';

export interface BoardOptions {
  /** As the user writes it, see `openTransport`. */
  port: string;
  /** `usb:<serial or location>`: the device to look for, whatever its port is called; see `presentPath`. */
  device?: string | undefined;
  /** Bits per second of the program on the board. */
  baudRate: number;
  /** Lines while nothing is reset; default what suits the kind of port, see `OpenOptions`. */
  idleLines?: ModemLines | undefined;
  /** How the loader is reached, see `parseSequence`; absent: what suits the port. */
  resetSequence?: string | undefined;
  /** Told what is odd but no failure, e.g. a port without modem lines. */
  onWarning?: ((warning: TransportWarning) => void) | undefined;
  /** The ports of this machine; tests replace them. */
  ports?: Ports | undefined;
}

/** Lower numbers go first; equal ones in the order they came. */
export const PRIORITY = { flash: 0, upload: 1, run: 2, line: 3, stream: 4 } as const;

/** Jobs that let the stream go on: they type to the running program or friendly prompt, and read nothing. */
const LIVE: readonly Job<never>['kind'][] = ['line', 'stream'];

export interface Job<T> {
  kind: keyof typeof PRIORITY;
  /** Aborts the job, waiting or running. */
  signal?: AbortSignal;
  /** Called when the job has to wait, with the number of jobs before it. */
  onWait?: (ahead: number) => void;
  /** Called with the name of each step by which a busy board is got hold of: 'interrupt', …, 'hard-reset'. */
  onStep?: (step: string) => void;
  run: (lease: Lease) => Promise<T>;
}

/** What the caller of any job may say: cancel it, hear that it waits, hear how the board is got hold of. */
export type JobOptions = Pick<Job<never>, 'signal' | 'onWait' | 'onStep'>;

/** These out of more options, for `Board.run`. */
export function jobOptions({ signal, onWait, onStep }: JobOptions): JobOptions {
  return { ...(signal ? { signal } : {}), ...(onWait ? { onWait } : {}), ...(onStep ? { onStep } : {}) };
}

/** The port, as long as the job runs. */
export interface Lease {
  transport: Transport;
  /** Aborted by the job's own signal and when the board is closed. */
  signal: AbortSignal;
  /** As the job has it. */
  onStep: ((step: string) => void) | undefined;
  /** The rate and the lines to which a job returns the port. */
  baudRate: number;
  idleLines: ModemLines | undefined;
  resetSequence: string | undefined;
  /** The raw REPL in which the job before has left the board; the job leaves or keeps it, or resets the board. */
  repl: RawRepl | undefined;
  /** What is known of the interpreter since the port was opened. */
  link: Link;
  /** Leaves the board in a raw REPL for the next job; it goes back to its prompt when none comes soon. */
  keep: (repl: RawRepl) => void;
  /** Tells the stream's listeners what the job finds to be a program's output. */
  printed: (bytes: Uint8Array) => void;
}

/** A local port goes back to both asserted, as native USB needs it; servers of remote ports want both released. */
const IDLE_LINES: Readonly<Record<TransportKind, ModemLines | undefined>> = {
  serial: { dtr: true, rts: true },
  rfc2217: undefined,
  tcp: undefined,
};

/** What worked, so that it is tried first the next time. */
export interface BoardMemory {
  /** How fast the boards on this port can be flashed. */
  readonly lines: LineMemory;
  /** Name of the reset strategy that reached the loader. */
  strategy?: string;
}

interface Waiting {
  priority: number;
  start: () => void;
}

export class Board {
  /** What was learned about this board and its line; kept until the next deploy. */
  readonly memory: BoardMemory = { lines: new LineMemory() };
  readonly #options: BoardOptions;
  readonly #closing = new AbortController();
  readonly #stream = new BoardStream({
    open: (signal) => this.run({ kind: 'stream', signal, run: () => Promise.resolve() }),
    pause: pauseFor,
    signal: this.#closing.signal,
  });
  readonly #kept = new KeptRepl(() => this.#leaveRepl());
  #transport: Transport | undefined;
  #link = new Link();
  /** Knows the board again when its port is another. */
  #follower: PortFollower | undefined;
  #waiting: Waiting[] = [];
  /** Whether a job holds the port; it is handed from job to job without a gap. */
  #held = false;
  /** Settles when the job that holds the port has returned it. */
  #running: Promise<unknown> = Promise.resolve();

  /** `before`: the board that had the port closes; no job gets its turn until that is done. */
  constructor(options: BoardOptions, before?: Promise<void>) {
    this.#options = options;
    if (!before) return;
    this.#held = true;
    this.#running = before.then(
      () => this.#next(),
      () => this.#next(),
    );
  }

  get port(): string {
    return this.#options.port;
  }

  /**
   * Runs a job when its turn has come. Throws what the job throws, `PortError` when the port cannot be
   * opened, the reason of an abort, `BoardError` 'board-closed'.
   */
  async run<T>(job: Job<T>): Promise<T> {
    const closing = this.#closing.signal;
    return underAny(job.signal ? [job.signal, closing] : [closing], (signal) => this.#run(job, signal));
  }

  /** Hears what the board prints, see `stream.ts`. Opens the port, and again whenever it is lost. */
  stream(listener: StreamListener): Subscription {
    return this.#stream.add(listener);
  }

  /**
   * Types bytes at the friendly prompt or to the running program, once no job has the port; nothing is
   * interrupted. Resolves when the port has taken them. Throws as `run`.
   */
  async write(bytes: Uint8Array, options: JobOptions = {}): Promise<void> {
    const run = ({ transport, signal }: Lease): Promise<void> => transport.write(bytes, signal);
    return this.run({ kind: 'line', ...jobOptions(options), run });
  }

  /** Cancels every job, waits until the running one has left the board in order, and frees the port. */
  async close(): Promise<void> {
    this.#closing.abort(new BoardError('board-closed', 'the board node was closed or redeployed'));
    // A job whose turn has just come has yet to find that it is cancelled.
    while (this.#held) await this.#running;
    // Nobody waits for this prompt, but the board's next program or person will want it.
    await this.#kept.leave().catch(() => undefined);
    await this.#transport?.close();
    this.#transport = undefined;
  }

  async #run<T>(job: Job<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#held) await this.#turn(job, signal);
    this.#held = true;
    const work = this.#hold(job, signal);
    this.#running = work.then(
      () => this.#next(),
      () => this.#next(),
    );
    return work;
  }

  async #turn<T>(job: Job<T>, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const priority = PRIORITY[job.kind];
      const waiting: Waiting = { priority, start: resolve };
      const at = this.#waiting.findIndex((other) => other.priority > priority);
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiting);
      job.onWait?.(1 + this.#waiting.indexOf(waiting));
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.start = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
    });
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next) next.start();
    else this.#held = false;
  }

  async #hold<T>(job: Job<T>, signal: AbortSignal): Promise<T> {
    const transport = await this.#open(signal);
    const isLive = LIVE.includes(job.kind);
    const repl = isLive ? undefined : this.#kept.take();
    if (!isLive) this.#stream.become({ kind: 'paused', job: job.kind });
    try {
      // It may have been cancelled between its turn and here.
      signal.throwIfAborted();
      if (job.kind === 'line') await this.#toFriendlyPrompt(transport);
      const { baudRate, idleLines, resetSequence } = this.#options;
      return await job.run({
        transport,
        signal,
        onStep: job.onStep,
        baudRate,
        idleLines: idleLines ?? IDLE_LINES[transport.kind],
        resetSequence,
        repl,
        link: this.#link,
        keep: (kept) => this.#kept.keep(kept),
        printed: (bytes) => this.#hear(bytes),
      });
    } finally {
      // Another firmware has other ways.
      if (job.kind === 'flash') this.#link = new Link();
      await this.#restoreRate(transport);
      if (!isLive) this.#idle(transport);
    }
  }

  /** However a job ended (in the loader of a board without lines, say): who listens wants to hear the program. */
  async #restoreRate(transport: Transport): Promise<void> {
    const { baudRate } = this.#options;
    if (transport.baudRate === baudRate) return;
    try {
      await transport.setBaudRate(baudRate);
    } catch (error) {
      // A port that is gone, or takes no rate any more, tells that to the next job; this one has had its end.
      if (!(error instanceof PortError)) throw error;
    }
  }

  /** Leaves a raw REPL that was kept and gives the stream back what the board prints then: its prompt. */
  async #toFriendlyPrompt(transport: Transport): Promise<void> {
    try {
      this.#hear(await this.#kept.leave());
    } finally {
      this.#listen(transport);
    }
  }

  #leaveRepl(): void {
    const run = ({ transport }: Lease): Promise<void> => this.#toFriendlyPrompt(transport);
    // Whatever keeps it from being left is found by the next job.
    this.run({ kind: 'stream', run }).catch(() => undefined);
  }

  async #open(signal: AbortSignal): Promise<Transport> {
    if (this.#transport) return this.#transport;
    const { device, port, baudRate, idleLines, onWarning, ports } = this.#options;
    this.#follower ??= new PortFollower({ device, port }, { baudRate, idleLines, onWarning }, ports);
    const transport = await this.#follower.open(signal);
    this.#transport = transport;
    this.#link = new Link();
    this.#idle(transport);
    return transport;
  }

  #hear(bytes: Uint8Array): void {
    this.#link.hear(bytes);
    this.#stream.hear(bytes);
  }

  /** Between jobs, and during those that only type, the bytes are the stream's. */
  #idle(transport: Transport): void {
    this.#listen(transport);
    if (this.#transport === transport) this.#stream.become({ kind: 'live' });
  }

  #listen(transport: Transport): void {
    transport.listen({
      data: (bytes) => {
        this.#kept.hear(bytes);
        this.#hear(bytes);
      },
      closed: (error) => {
        if (this.#transport !== transport) return;
        this.#transport = undefined;
        this.#kept.forget();
        if (error) this.#stream.become({ kind: 'gone', error });
      },
    });
  }
}
