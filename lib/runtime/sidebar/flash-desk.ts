/** Flashing one board from the sidebar: it goes on when the page is closed, and every page sees how far it is. */
import { BoardError } from '../../board/errors.ts';
import { flashMap } from '../../board/flash-map.ts';
import { flashBoard } from '../../board/loader-jobs.ts';
import type { FlashSource, LoaderJobEvent, Plan } from '../../board/loader-jobs.ts';
import type { FlashMap, FlashRequest, FlashState } from '../../editor/wire.ts';
import { failureOf } from '../diagnosis.ts';
import type { BoardNode, Reading } from '../job-node.ts';
import { ProgressMeter } from '../progress.ts';

/** A file that was sent and is not flashed is not kept for ever. */
const KEPT_MS = 15 * 60_000;

export interface SentFile {
  name: string;
  bytes: Buffer;
}

export interface FlashDeskHost {
  tell: (state: FlashState) => void;
  /** Reads and checks the firmware of a request. */
  read: (request: FlashRequest, file: SentFile | undefined, reading: Reading) => Promise<FlashSource>;
}

export class FlashDesk {
  readonly #board: BoardNode;
  readonly #host: FlashDeskHost;
  #state: FlashState = { phase: 'idle' };
  #file: SentFile | undefined;
  #kept: NodeJS.Timeout | undefined;
  #job: AbortController | undefined;
  #flashSize = 0;

  constructor(board: BoardNode, host: FlashDeskHost) {
    this.#board = board;
    this.#host = host;
  }

  get board(): BoardNode {
    return this.#board;
  }

  get state(): FlashState {
    return this.#state;
  }

  /** Takes the file that the next request means. */
  take(file: SentFile): void {
    clearTimeout(this.#kept);
    this.#file = file;
    this.#kept = setTimeout(() => (this.#file = undefined), KEPT_MS).unref();
  }

  /** Begins to make the plan, or to carry it out. What runs already goes on. */
  begin(request: FlashRequest, isDryRun: boolean): FlashState {
    if (!this.#job) {
      this.#job = new AbortController();
      void this.#run(request, isDryRun, this.#job.signal).finally(() => (this.#job = undefined));
    }
    return this.#state;
  }

  cancel(): void {
    this.#job?.abort(new BoardError('cancelled', 'cancelled in the sidebar'));
    if (!this.#job) this.#become({ phase: 'idle' });
  }

  async #run(request: FlashRequest, isDryRun: boolean, signal: AbortSignal): Promise<void> {
    const began = performance.now();
    const { map, chip } = this.#state;
    this.#become({
      phase: isDryRun ? 'planning' : 'flashing',
      request,
      firmware: nameOf(request, this.#file),
      ...(isDryRun ? {} : { ...(map ? { map } : {}), ...(chip ? { chip } : {}) }),
    });
    const meter = new ProgressMeter((step) => this.#become({ ...this.#state, step }));
    const reading: Reading = {
      signal,
      progress: (step) => meter.step(step),
      phase: (phase, facts = {}) => this.#become({ ...this.#state, step: { phase, facts } }),
    };
    try {
      const source = await this.#host.read(request, this.#file, reading);
      const { device, flashBaudRate, connectTimeoutMs } = this.#board;
      const result = await flashBoard(device, source, {
        erase: request.erase,
        dryRun: isDryRun,
        watch: isDryRun ? 'never' : 'auto',
        baudRate: flashBaudRate,
        connectTimeoutMs,
        signal,
        onWait: (ahead) => reading.phase('waiting', { ahead }),
        onEvent: (event) => this.#heard(event, reading),
      });
      const { step: _, ...rest } = this.#state;
      const seconds = Math.round((performance.now() - began) / 100) / 10;
      const version = result.micropython?.version;
      this.#become({
        ...rest,
        phase: isDryRun ? 'planned' : 'done',
        result: {
          started: result.started,
          written: result.written,
          verified: result.verified,
          seconds,
          ...(version === undefined ? {} : { version }),
        },
      });
    } catch (error) {
      const isWanted = error instanceof BoardError && error.code === 'cancelled';
      if (isWanted) this.#become({ phase: 'idle' });
      else this.#become({ ...this.#state, phase: 'failed', failure: failureOf(error) });
    }
  }

  #heard(event: LoaderJobEvent, { progress, phase }: Reading): void {
    const { kind, ...facts } = event;
    if (event.kind === 'board') {
      const { chip, flashSize } = event;
      this.#flashSize = flashSize ?? 0;
      this.#become({ ...this.#state, chip });
    }
    if (event.kind === 'plan') this.#become({ ...this.#state, map: mapOf(event, this.#flashSize) });
    else if (event.kind === 'writing') progress({ phase: kind, done: event.done, total: event.total });
    else phase(kind, { ...facts });
  }

  #become(state: FlashState): void {
    this.#state = state;
    this.#host.tell(state);
  }
}

function mapOf(plan: Plan, flashSize: number): FlashMap {
  const { parts, total, write, losses, boardRead } = plan;
  return { flashSize, regions: flashMap(flashSize, plan), parts, total, write, losses, boardRead };
}

function nameOf({ source, version, url }: FlashRequest, file: SentFile | undefined): string {
  if (source === 'file') return file?.name ?? '';
  if (source === 'url') return url ?? '';
  return ['MicroPython', version].filter(Boolean).join(' ');
}
