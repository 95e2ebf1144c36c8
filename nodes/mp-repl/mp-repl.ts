/** The `mp repl` node: Python in, its value or its output out. */
import type { NodeAPI } from 'node-red';
import { evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { registerJobNode } from '../../lib/runtime/job-node.ts';
import type { JobNodeDef } from '../../lib/runtime/job-node.ts';
import { numberOr, oneOf, requiredText } from '../../lib/runtime/properties.ts';

interface ReplDef extends JobNodeDef {
  mode: string;
  /** Seconds. */
  timeout: string;
}

interface Request {
  mode: 'evaluate' | 'run';
  source: string;
  timeoutMs: number;
}

export default function register(RED: NodeAPI): void {
  registerJobNode<ReplDef, Request, unknown>(RED, {
    type: 'mp-repl',
    read: (_api, _node, def, msg) => ({
      mode: oneOf(msg['mode'] ?? def.mode, ['evaluate', 'run'], 'evaluate', 'mode'),
      source: requiredText(msg.payload, 'payload'),
      timeoutMs: numberOr(msg['timeout'] ?? def.timeout, 10) * 1000,
    }),
    run: async ({ mode, source, timeoutMs }, { device, signal, onWait, phase, console }) => {
      phase('running');
      if (mode === 'evaluate') {
        return evaluatePython(device, source, { timeoutMs, signal, onWait, onOutput: console });
      }
      const printed: Uint8Array[] = [];
      const onOutput = (bytes: Uint8Array): void => {
        printed.push(bytes);
        console(bytes);
      };
      await runPython(device, source, { timeoutMs, signal, onWait, onOutput });
      return { stdout: Buffer.concat(printed).toString('utf8').replaceAll('\r\n', '\n') };
    },
    finish: (result, msg) => {
      msg.payload = result;
      return { key: 'done' };
    },
  });
}
