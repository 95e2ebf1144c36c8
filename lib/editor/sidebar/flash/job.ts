/** Where flashing a board stands, as the runtime tells it, and what the runtime is asked to do next. */
import { failureOf, get, post, postBytes } from '../../api.ts';
import { confirm } from '../../ask.ts';
import type { DeployedBoard, FlashMap, FlashRequest, FlashState } from '../../wire.ts';
import { wordsOf } from '../../words.ts';

const words = wordsOf('esp32-sidebar');

/** A question to the runtime about the board under `path`; its answer, if any, is where flashing stands then. */
type Question = (path: string) => Promise<FlashState | undefined>;

export class FlashJob {
  readonly #show: (state: FlashState) => void;
  readonly #heard = (_: string, data: unknown): void => this.#stand(data as FlashState);
  #board: DeployedBoard | undefined;
  #state: FlashState = { phase: 'idle' };

  constructor(show: (state: FlashState) => void) {
    this.#show = show;
  }

  get board(): DeployedBoard | undefined {
    return this.#board;
  }

  /** From now on all is about this board. */
  become(board: DeployedBoard | undefined): void {
    if (this.#board) RED.comms.unsubscribe(topicOf(this.#board), this.#heard);
    this.#board = board;
    this.#stand({ phase: 'idle' });
    if (!board) return;
    RED.comms.subscribe(topicOf(board), this.#heard);
    void this.#ask((path) => get<FlashState>(path));
  }

  /** `file`: has to be sent first. */
  plan(request: FlashRequest, file: File | undefined): Promise<void> {
    return this.#ask(async (path) => {
      if (file) await postBytes(`${path}/file`, { name: file.name }, file);
      return post<FlashState>(`${path}/plan`, request);
    });
  }

  /** Carries out the plan, once a person has agreed to what is lost. */
  start(): Promise<void> {
    const { request, map } = this.#state;
    return this.#ask(async (path) => {
      if (!request || !map || !(await isAgreed(map))) return undefined;
      return post<FlashState>(`${path}/start`, request);
    });
  }

  cancel(): Promise<void> {
    return this.#ask(async (path) => {
      await post(`${path}/cancel`);
      return undefined;
    });
  }

  async #ask(question: Question): Promise<void> {
    const board = this.#board;
    if (!board) return;
    const state = await question(`${board.id}/flash`).catch((error: unknown): FlashState => ({
      phase: 'failed',
      failure: failureOf(error),
    }));
    if (state && board.id === this.#board?.id) this.#stand(state);
  }

  #stand(state: FlashState): void {
    this.#state = state;
    this.#show(state);
  }
}

function topicOf({ id }: DeployedBoard): string {
  return `esp32-flash/${id}`;
}

async function isAgreed({ losses }: FlashMap): Promise<boolean> {
  const names = losses.map(({ label }) => label).join(', ');
  return names === '' || confirm(words('flash.confirm-loss', { names }), words('flash.start'));
}
