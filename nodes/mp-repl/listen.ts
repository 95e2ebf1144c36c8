/** The mode Listen: every line the board prints, from the moment the port opens, with no message coming in. */
import type { Node, NodeAPI } from 'node-red';
import type { StreamState } from '../../lib/board/stream.ts';
import { diagnose } from '../../lib/runtime/diagnosis.ts';
import type { BoardNode } from '../../lib/runtime/job-node.ts';
import { Lines } from '../../lib/runtime/lines.ts';

/** Jobs whose own talk is long; during the others only moments are missed, and what programs print is heard. */
const LONG_JOBS: readonly string[] = ['flash', 'upload'];

/** Listens until the function handed back is called. */
export function listen(RED: NodeAPI, node: Node, board: BoardNode, format: 'lines' | 'json'): () => void {
  const words = (key: string, facts?: Record<string, unknown>): string =>
    RED._(key, facts as Record<string, string>);
  const status = (key: string): string => words(`mp-repl.status.${key}`);
  const lines = new Lines((line) => {
    const value = format === 'json' ? jsonOf(line) : line;
    node.send(
      value === undefined
        ? [null, { topic: 'console', payload: line }]
        : [{ topic: 'line', payload: value }, null],
    );
  });
  let told = '';
  const tell = (state: StreamState): void => {
    const shown = shownOf(state);
    // Short jobs come and go many times a second.
    if (shown === told) return;
    told = shown;
    if (state.kind !== 'live') lines.cut();
    if (state.kind === 'gone') {
      const diagnosis = diagnose(state.error, words);
      node.status({ fill: 'red', shape: 'ring', text: diagnosis.short });
      node.send([null, { topic: 'state', payload: { state: 'gone', ...diagnosis } }]);
      return;
    }
    const isPaused = shown !== 'live';
    node.status({
      fill: isPaused ? 'yellow' : 'green',
      shape: isPaused ? 'ring' : 'dot',
      text: status(isPaused ? `paused-${shown}` : 'listening'),
    });
    const payload = isPaused ? { state: 'paused', job: shown } : { state: 'live' };
    node.send([null, { topic: 'state', payload }]);
  };
  node.status({ fill: 'yellow', shape: 'ring', text: status('opening') });
  const subscription = board.device.stream({ data: (bytes) => lines.push(bytes), state: tell });
  return () => subscription.close();
}

function shownOf(state: StreamState): string {
  if (state.kind === 'gone') return `gone ${String((state.error as { code?: unknown }).code)}`;
  return state.kind === 'paused' && LONG_JOBS.includes(state.job) ? state.job : 'live';
}

/** `undefined` for a line that is no JSON: a boot message, a traceback. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
