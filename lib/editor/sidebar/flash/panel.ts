/** Flashing in three steps: which firmware, what will happen, and how far it is. */
import { failureOf, get, post, postBytes } from '../../api.ts';
import { confirm } from '../../ask.ts';
import { diagnosisBox } from '../../diagnosis.ts';
import { button, fill, h } from '../../dom.ts';
import type { DeployedBoard, FlashMap, FlashRequest, FlashState } from '../../wire.ts';
import { wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';
import type { Panel } from '../panel.ts';
import { firmwareChoice } from './firmware.ts';
import { flashMapView } from './map.ts';
import { actions, outcome, stepView, summary } from './views.ts';

const words = wordsOf('esp32-sidebar');

/** `openTerminal`: what was flashed is talked to there. */
export function flashPanel(openTerminal: () => void): Panel {
  const isAllowed = mayAct();
  let board: DeployedBoard | undefined;
  let state: FlashState = { phase: 'idle' };
  let topic: string | undefined;
  const heard = (_: string, data: unknown): void => show(data as FlashState);

  const plan = button(
    { label: words('flash.plan'), symbol: 'map-o', isSmall: false, className: 'primary', id: 'esp32-plan' },
    () =>
      void ask(async () => {
        const { request, file } = firmware;
        if (!request || !board) return;
        if (file) await postBytes(`${board.id}/flash/file`, { name: file.name }, file);
        show(await post<FlashState>(`${board.id}/flash/plan`, request));
      }),
  );
  const firmware = firmwareChoice(() => {
    plan.disabled = !isAllowed || !firmware.request;
  });
  const choice = h('div', { className: 'esp32-step' }, firmware.element, plan);
  const progress = h('div', { className: 'esp32-step' });

  const ask = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      show({ phase: 'failed', failure: failureOf(error) });
    }
  };
  const start = async (request: FlashRequest, { losses }: FlashMap): Promise<void> => {
    if (!board) return;
    const names = losses.map(({ label }) => label).join(', ');
    if (names !== '' && !(await confirm(words('flash.confirm-loss', { names }), words('flash.start'))))
      return;
    show(await post<FlashState>(`${board.id}/flash/start`, request));
  };
  const cancel = (): Promise<void> => ask(() => post(`${board?.id ?? ''}/flash/cancel`));

  const show = (next: FlashState): void => {
    state = next;
    const isChoosing = state.phase === 'idle' || state.phase === 'failed';
    choice.hidden = !isChoosing;
    progress.dataset['phase'] = state.phase;
    fill(progress, content());
    plan.disabled = !isAllowed || !firmware.request;
  };

  const content = (): (HTMLElement | false | undefined)[] => {
    const { phase, map, failure, firmware: name, chip } = state;
    if (phase === 'idle') return [];
    const title = h('h4', { className: 'esp32-title' }, [name, chip].filter(Boolean).join(' → '));
    const done = phase === 'done' ? Infinity : phase === 'flashing' ? (state.step?.done ?? 0) : 0;
    const drawn = map && flashMapView(map, done);
    return [
      failure && diagnosisBox(failure),
      phase !== 'failed' && title,
      (phase === 'planning' || phase === 'flashing') && stepView(state.step),
      phase === 'planned' && map && summary(map),
      phase === 'done' && outcome(state.result),
      drawn,
      actions(state, isAllowed, onAction),
    ];
  };

  const onAction = {
    cancel: () => void cancel(),
    start: () =>
      void ask(async () => {
        if (state.request && state.map) await start(state.request, state.map);
      }),
    openTerminal,
  };

  const follow = (next: DeployedBoard | undefined): void => {
    if (topic !== undefined) RED.comms.unsubscribe(topic, heard);
    topic = next && `esp32-flash/${next.id}`;
    show({ phase: 'idle' });
    if (!next || topic === undefined) return;
    RED.comms.subscribe(topic, heard);
    const { id } = next;
    get<FlashState>(`${id}/flash`).then(
      (now) => {
        if (board?.id === id) show(now);
      },
      () => undefined,
    );
  };

  show(state);
  return {
    element: h(
      'div',
      { className: 'esp32-flash' },
      !isAllowed && h('p', { className: 'esp32-quiet esp32-note' }, words('read-only')),
      choice,
      progress,
    ),
    show: (next) => {
      if (next?.id === board?.id) return;
      board = next;
      follow(next);
    },
  };
}
