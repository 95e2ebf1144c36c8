/** Flashing in three steps: which firmware, what will happen, and how far it is. */
import { button, fill, h } from '../../dom.ts';
import type { FlashState } from '../../wire.ts';
import { wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';
import type { Panel } from '../panel.ts';
import { FirmwareChoice } from './firmware.ts';
import { FlashJob } from './job.ts';
import { actions, stateView } from './views.ts';

const words = wordsOf('esp32-sidebar');

/** `openTerminal`: what was flashed is talked to there. */
export function flashPanel(openTerminal: () => void): Panel {
  const isAllowed = mayAct();
  const firmware = new FirmwareChoice(() => update());
  const plan = button(
    { label: words('flash.plan'), symbol: 'map-o', isSmall: false, className: 'primary', id: 'esp32-plan' },
    () => {
      if (firmware.request) void job.plan(firmware.request, firmware.file);
    },
  );
  const choice = h('div', { className: 'esp32-step' }, firmware.element, plan);
  const progress = h('div', { className: 'esp32-step' });

  const update = (): void => {
    plan.disabled = !isAllowed || !firmware.request;
  };
  const show = (state: FlashState): void => {
    choice.hidden = state.phase !== 'idle' && state.phase !== 'failed';
    progress.dataset['phase'] = state.phase;
    fill(progress, stateView(state), actions(state, isAllowed, does));
    update();
  };
  const job = new FlashJob(show);
  const does = { cancel: () => void job.cancel(), start: () => void job.start(), openTerminal };

  show({ phase: 'idle' });
  return {
    element: h(
      'div',
      { className: 'esp32-flash' },
      !isAllowed && h('p', { className: 'esp32-quiet esp32-note' }, words('read-only')),
      choice,
      progress,
    ),
    show: (board) => {
      if (board?.id !== job.board?.id) job.become(board);
    },
  };
}
