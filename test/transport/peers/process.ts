import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { Inbox } from '../../../lib/transport/inbox.ts';
import type { Source } from '../../../lib/transport/inbox.ts';
import { programPath } from '../../support/needs.ts';

/** A stream as something an inbox reads from. */
export function sourceOf(name: string, stream: NodeJS.ReadableStream): Source {
  return {
    port: name,
    listen: (listener) => {
      stream.on('data', (bytes: Buffer) => listener.data(bytes));
      stream.on('close', () => listener.closed());
    },
  };
}

/** A program that runs for a test: its output can be waited for, and it is gone after `stop`. */
export class Peer {
  readonly child: ChildProcessWithoutNullStreams;
  readonly output: Inbox;
  readonly messages: Inbox;

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(programPath(program) ?? program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    // A peer that ends while a test writes to it is what some tests are about.
    this.child.stdin.on('error', () => undefined);
    this.output = new Inbox(sourceOf(`${program} output`, this.child.stdout));
    this.messages = new Inbox(sourceOf(`${program} messages`, this.child.stderr));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
