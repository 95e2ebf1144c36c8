/** The `esp32 flash` node: firmware in, a board that runs it out; and all else that is done in the loader. */
import type { NodeAPI } from 'node-red';
import { registerJobNode } from '../../lib/runtime/job-node.ts';
import { readRequest } from './operations.ts';
import type { FlashDef, Request } from './operations.ts';

export default function register(RED: NodeAPI): void {
  registerJobNode<FlashDef, Request, Awaited<ReturnType<Request['run']>> & { seconds: number }>(RED, {
    type: 'esp32-flash',
    read: readRequest,
    run: async (request, context) => {
      const began = performance.now();
      const outcome = await request.run(context);
      return { ...outcome, seconds: Math.round((performance.now() - began) / 100) / 10 };
    },
    finish: ({ payload, shown, seconds }, msg) => {
      msg.payload = payload;
      msg['seconds'] = seconds;
      return shown;
    },
  });
}
