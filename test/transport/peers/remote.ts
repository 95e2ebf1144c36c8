import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';
import { PYTHON } from '../../support/needs.ts';
import { Peer } from './process.ts';

/** A server somebody else wrote, in front of a serial port. */
export interface RemotePort {
  url: string;
  /** What the server reports of its port, where it reports anything. */
  peer: Peer;
  stop(): Promise<void>;
}

/** Debian's ser2net with one port. */
export async function startSer2net(path: string, accepter = 'telnet(rfc2217)'): Promise<RemotePort> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'ser2net-'));
  const config = join(folder, 'ser2net.yaml');
  const connector = `serialdev,${path},115200n81,local`;
  const chain = [...(accepter === '' ? [] : [accepter]), 'tcp', '127.0.0.1', port].join(',');
  writeFileSync(config, `connection: &port\n  accepter: ${chain}\n  connector: ${connector}\n`);
  const peer = new Peer('ser2net', ['-n', '-d', '-l', '-c', config, '-P', join(folder, 'pid')]);
  const stop = async (): Promise<void> => {
    await peer.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listening(port, peer);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `${accepter === '' ? 'tcp' : 'rfc2217'}://127.0.0.1:${port}`, peer, stop };
}

/** pyserial's own RFC 2217 server parts, with a loop of ours around them. */
export async function startPyserial(path: string): Promise<RemotePort> {
  const script = join(import.meta.dirname, 'pyserial_server.py');
  const peer = new Peer(PYTHON, ['-u', script, path]);
  try {
    // The lines set while it opens its port are told first.
    await peer.output.until('{"port": ', { timeoutMs: 10_000 });
    const port = Buffer.from(await peer.output.until('}\n', { timeoutMs: 1000 }))
      .toString()
      .replace('}\n', '');
    return { url: `rfc2217://127.0.0.1:${port}`, peer, stop: () => peer.stop() };
  } catch (error) {
    await peer.stop();
    throw error;
  }
}

/** Waits until someone listens; asking by a connection would occupy the one place the server has. */
async function listening(port: number, peer: Peer): Promise<void> {
  const wanted = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ 0A `);
  for (let tries = 0; tries < 500 && peer.child.exitCode === null; tries++) {
    if (wanted.test(readFileSync('/proc/net/tcp', 'utf8'))) return;
    await sleep(10);
  }
  throw new Error(`no one listens on ${port}: ${Buffer.from(peer.messages.take()).toString()}`);
}
