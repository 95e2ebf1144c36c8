/** The `mp files` node: what is on a board's disk, looked at, changed, fetched and installed. */
import type { NodeAPI } from 'node-red';
import { registerJobNode } from '../../lib/runtime/job-node.ts';
import { readRequest } from './operations.ts';
import type { FilesDef, Request } from './operations.ts';

export default function register(RED: NodeAPI): void {
  registerJobNode<FilesDef, Request, Awaited<ReturnType<Request['run']>>>(RED, {
    type: 'mp-files',
    read: (api, node, def, msg) => readRequest(api, node, def, msg),
    run: (request, context) => {
      context.phase('connecting');
      return request.run(context);
    },
    finish: ({ payload, shown, path }, msg) => {
      msg.payload = payload;
      if (path !== undefined) msg['path'] = path;
      return shown;
    },
  });
}
