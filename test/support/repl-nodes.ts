/** mp repl nodes on one virtual board that runs MicroPython. */
import { NodeUnderTest, withRuntime } from './runtime.ts';
import type { FlowNode } from './runtime.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

interface ReplBench {
  readonly board: VirtualBoard;
  /** A flow with one such node in this mode, and others beside it. */
  load: (mode: string, settings?: object, others?: readonly FlowNode[]) => Promise<NodeUnderTest>;
}

/** Hooks for a describe block: a runtime and the board, which waits at its prompt, and which all tests share. */
export function withReplNodes(): ReplBench {
  let launched: VirtualBoard | undefined;
  const bench: ReplBench = {
    get board() {
      if (!launched) throw new Error('the board is not launched');
      return launched;
    },
    load: (mode, settings = {}, others = []) => {
      const all = { mode, timeout: '10', ...settings };
      return NodeUnderTest.load('mp-repl', bench.board.rfc2217, all, {}, others);
    },
  };
  withRuntime();
  before(async () => {
    launched = await launchBoard({ timing: 'none', bootMs: 0 });
    // What it prints while it boots is no part of a test.
    await (await bench.load('evaluate')).payload({ payload: 'None' });
  });
  after(() => launched?.close());
  return bench;
}
