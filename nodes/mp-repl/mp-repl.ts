/** The `mp repl` node: Python in, its value or its output out; and the board's own voice. */
import type { NodeAPI } from 'node-red';
import { registerJobNode } from '../../lib/runtime/job-node.ts';
import { oneOf } from '../../lib/runtime/properties.ts';
import { listen } from './listen.ts';
import { readRequest } from './modes.ts';
import type { ReplDef, Request } from './request.ts';

export default function register(RED: NodeAPI): void {
  registerJobNode<ReplDef, Request, Awaited<ReturnType<Request['run']>>>(RED, {
    type: 'mp-repl',
    start: (node, def, board) =>
      def.mode === 'listen'
        ? listen(RED, node, board, oneOf(def.format, ['lines', 'json'], 'lines', 'format'))
        : undefined,
    read: readRequest,
    run: (request, context) => request.run(context),
    finish: ({ payload, shown }, msg) => {
      msg.payload = payload;
      return shown;
    },
  });
}
