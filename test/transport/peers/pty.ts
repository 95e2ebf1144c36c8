import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import type { Inbox } from '../../../lib/transport/inbox.ts';
import { programPath } from '../../support/needs.ts';
import { Peer } from './process.ts';

/** A pseudo terminal by socat: `path` is the port, `device` the other end of the cable. */
export interface Pty {
  path: string;
  device: { inbox: Inbox; write(bytes: Uint8Array | string): void };
  /** The rate the port is set to, as `stty` tells it. */
  rate(): number;
  /** Pulls the cable: the path vanishes. */
  unplug(): Promise<void>;
}

/** What the device does: `wire` leaves it to the test, `echo` sends everything back. */
export async function openPty(device: 'wire' | 'echo' = 'wire'): Promise<Pty> {
  const other = device === 'echo' ? 'EXEC:cat' : 'STDIO';
  const peer = new Peer('socat', ['-d', '-d', 'PTY,raw,echo=0', other]);
  const said = await peer.messages
    .until('starting data transfer loop', { timeoutMs: 5000 })
    .catch(async (error: unknown) => {
      await peer.stop();
      throw error;
    });
  const path = /PTY is (\S+)/.exec(Buffer.from(said).toString())?.[1];
  if (path === undefined) throw new Error(`socat names no pty`);

  // Without one end held open, socat would take a port that is closed for a cable that is cut.
  const held = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  let plugged = true;
  return {
    path,
    device: { inbox: peer.output, write: (bytes) => void peer.child.stdin.write(bytes) },
    rate: () => Number(spawnSync(programPath('stty') ?? 'stty', ['-F', path, 'speed']).stdout.toString()),
    unplug: async () => {
      if (plugged) closeSync(held);
      plugged = false;
      await peer.stop();
    },
  };
}
