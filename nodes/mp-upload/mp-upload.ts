/** The `mp upload` node: content in, a file on the board out. */
import type { NodeAPI } from 'node-red';
import { uploadToBoard } from '../../lib/board/upload-jobs.ts';
import type { UploadJobResult } from '../../lib/board/upload-jobs.ts';
import { registerJobNode } from '../../lib/runtime/job-node.ts';
import type { JobNodeDef } from '../../lib/runtime/job-node.ts';
import { contentBytes, oneOf, requiredText } from '../../lib/runtime/properties.ts';

interface UploadDef extends JobNodeDef {
  /** Path on the board; `msg.filename` wins. */
  filename: string;
  after: string;
}

interface Request {
  path: string;
  content: Uint8Array;
  after: 'nothing' | 'soft-reset';
}

export default function register(RED: NodeAPI): void {
  registerJobNode<UploadDef, Request, UploadJobResult>(RED, {
    type: 'mp-upload',
    read: (_api, _node, def, msg) => ({
      path: requiredText(msg['filename'] ?? def.filename, 'filename'),
      content: contentBytes(msg.payload),
      after: oneOf(msg['after'] ?? def.after, ['nothing', 'soft-reset'], 'nothing', 'after'),
    }),
    run: ({ path, content, after }, { device, signal, onWait, progress, phase, console }) => {
      phase('connecting');
      return uploadToBoard(device, path, content, {
        signal,
        onWait,
        onProgress: ({ done, total }) => progress({ phase: 'writing', done, total }),
        softReset: after === 'soft-reset',
        onOutput: console,
      });
    },
    finish: (result, msg) => {
      msg.payload = result;
      return { key: 'done', facts: { path: result.path } };
    },
  });
}
