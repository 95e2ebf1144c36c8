import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { PortError } from '../../lib/transport/errors.ts';
import { Inbox } from '../../lib/transport/inbox.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { Transport } from '../../lib/transport/transport.ts';
import { needs } from '../support/needs.ts';
import { sourceOf } from './peers/process.ts';
import { openPty } from './peers/pty.ts';
import { startSer2net } from './peers/remote.ts';

const ALL_BYTES = Uint8Array.from({ length: 256 * 3 }, (_, at) => (at < 512 ? at : 0xff));
const inTime = { timeoutMs: 5000 };
const failsWith = (code: string) => (error: unknown) => error instanceof PortError && error.code === code;

describe('transport: a raw TCP port', () => {
  let server: Server;
  let far: Socket;
  let device: Inbox;
  let url: string;
  let transport: Transport;
  let inbox: Inbox;

  beforeEach(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
    transport = await openTransport(url);
    far = await connected;
    far.on('error', () => undefined);
    device = new Inbox(sourceOf('device', far));
    inbox = new Inbox(transport);
  });

  afterEach(async () => {
    await transport.close();
    far.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('passes every byte both ways', async () => {
    await transport.write(ALL_BYTES);
    assert.deepEqual(await device.read(ALL_BYTES.length, inTime), ALL_BYTES);
    far.write(ALL_BYTES);
    assert.deepEqual(await inbox.read(ALL_BYTES.length, inTime), ALL_BYTES);
    await transport.drain();
  });

  it('has no lines, and remembers a rate nobody can check', async () => {
    assert.equal(transport.hasModemLines, false);
    assert.equal(transport.hasRate, false);
    await transport.setModemLines({ dtr: true, rts: false });
    await transport.setBaudRate(460800);
    assert.equal(transport.baudRate, 460800);
  });

  it('tells when the other side hangs up', async () => {
    const ended = assert.rejects(inbox.read(1, inTime), failsWith('port-lost'));
    far.end();
    await ended;
    for (const act of [
      () => transport.write(ALL_BYTES),
      () => transport.drain(),
      () => transport.setBaudRate(9600),
      () => transport.setModemLines({ dtr: true, rts: true }),
      () => transport.discardInput(),
    ]) {
      await assert.rejects(act(), failsWith('port-lost'));
    }
  });

  it('sends what was written before it closes', async () => {
    const written = transport.write(new Uint8Array(300_000));
    await transport.close();
    await written;
    assert.equal((await device.read(300_000, inTime)).length, 300_000);
  });

  it('gives up a write on demand', async () => {
    far.pause();
    const stop = new AbortController();
    const ended = assert.rejects(transport.write(new Uint8Array(50_000_000), stop.signal), /enough/);
    stop.abort(new Error('enough'));
    await ended;
  });

  it('says when no one is there', async () => {
    await transport.close();
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(openTransport(url), failsWith('port-refused'));
    await assert.rejects(openTransport(url.replace('tcp:', 'rfc2217:')), failsWith('port-refused'));
    await assert.rejects(openTransport('tcp://no-such-host.invalid:1'), failsWith('port-refused'));
    await assert.rejects(openTransport(url, { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  });
});

describe('transport: a raw TCP port of ser2net', () => {
  it('passes every byte both ways', async function () {
    needs(this, 'socat', 'ser2net');
    const pty = await openPty();
    const server = await startSer2net(pty.path, '');
    const transport = await openTransport(server.url);
    try {
      const inbox = new Inbox(transport);
      await transport.write(ALL_BYTES);
      assert.deepEqual(await pty.device.inbox.read(ALL_BYTES.length, inTime), ALL_BYTES);
      pty.device.write(ALL_BYTES);
      assert.deepEqual(await inbox.read(ALL_BYTES.length, inTime), ALL_BYTES);
    } finally {
      await transport.close();
      await server.stop();
      await pty.unplug();
    }
  });
});
