/** The mode Control: what runs on the board is interrupted or restarted, and a locked-out board is got back. */
import { hardReset, interrupt, softResetBoard } from '../../lib/board/control-jobs.ts';
import type { Boot, ControlOptions } from '../../lib/board/control-jobs.ts';
import { resetBoard } from '../../lib/board/loader-jobs.ts';
import type { LoaderJobOptions } from '../../lib/board/loader-jobs.ts';
import { rescueBoard } from '../../lib/board/rescue.ts';
import type { JobContext, Shown } from '../../lib/runtime/job-node.ts';
import { flag, oneOf } from '../../lib/runtime/properties.ts';
import { stepTeller } from '../../lib/runtime/steps.ts';
import type { OnStep } from '../../lib/runtime/steps.ts';
import type { Read } from './request.ts';

const ACTIONS = ['interrupt', 'soft-reset', 'soft-reset-no-main', 'hard-reset', 'loader', 'rescue'] as const;
type Action = (typeof ACTIONS)[number];

/** How long a restart is watched for its prompt. */
const BOOT_MS = 10_000;

export const control: Read = (reader) => {
  const action = oneOf(reader.msg['action'] ?? reader.def.action, ACTIONS, 'interrupt', 'action');
  const erase = flag(reader.msg['erase'] ?? reader.def.erase);
  return Promise.resolve({
    run: async (context) => {
      context.phase(action);
      const steps: string[] = [];
      const tell = stepTeller(reader.api, context.phase, action === 'rescue' ? 'rescue' : 'getting-hold');
      const onStep: OnStep = (step, facts) => {
        steps.push(step);
        tell(step, facts);
      };
      const result = await CONTROLS[action](context, { erase, onStep });
      return { payload: { action, ...result, steps }, shown: shownOf(result) };
    },
  });
};

type Result = Partial<Pick<Boot, 'error'>> & { started?: string };

function shownOf({ started, error }: Result): Shown {
  if (error) return { key: 'raised', facts: { type: error.type }, fill: 'red' };
  // Nothing came from a board that was restarted, which proves nothing.
  return started === 'silent' ? { key: 'no-reply', fill: 'yellow' } : { key: 'done' };
}

type Control = (context: JobContext, how: { erase: boolean; onStep: OnStep }) => Promise<Result>;

const CONTROLS: Readonly<Record<Action, Control>> = {
  interrupt: async ({ device, job }, { onStep }) => {
    await interrupt(device, { ...job, onStep });
    return { started: 'prompt' };
  },
  'soft-reset': (context, { onStep }) =>
    softResetBoard(context.device, { runMain: true, ...watching(context, onStep) }),
  'soft-reset-no-main': (context, { onStep }) =>
    softResetBoard(context.device, { runMain: false, ...watching(context, onStep) }),
  'hard-reset': (context, { onStep }) => hardReset(context.device, watching(context, onStep)),
  loader: (context, { onStep }) => resetBoard(context.device, 'loader', loaderOptions(context, onStep)),
  rescue: (context, { erase, onStep }) =>
    rescueBoard(context.device, {
      ...loaderOptions(context, onStep),
      erase,
      onOutput: context.console,
      onStep,
      onBackup: (part) => context.tell('backup', part),
    }),
};

function watching({ job, console }: JobContext, onStep: OnStep): ControlOptions {
  return { ...job, onStep, timeoutMs: BOOT_MS, onOutput: console };
}

function loaderOptions({ board, job, progress }: JobContext, onStep: OnStep): LoaderJobOptions {
  return {
    ...job,
    baudRate: board.flashBaudRate,
    connectTimeoutMs: board.connectTimeoutMs,
    onEvent: (event) => {
      if (event.kind === 'reading') progress({ phase: 'backing-up', done: event.done, total: event.total });
      else onStep(event.kind);
    },
  };
}
