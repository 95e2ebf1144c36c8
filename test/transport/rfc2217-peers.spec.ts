import assert from 'node:assert/strict';
import { PortError } from '../../lib/transport/errors.ts';
import { Inbox } from '../../lib/transport/inbox.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { Transport, TransportWarning } from '../../lib/transport/transport.ts';
import { Closing } from '../support/closing.ts';
import { needs } from '../support/needs.ts';
import type { Program } from '../support/needs.ts';
import { openPty } from './peers/pty.ts';
import type { Pty } from './peers/pty.ts';
import { startPyserial, startSer2net } from './peers/remote.ts';
import type { RemotePort } from './peers/remote.ts';

const ALL_BYTES = Uint8Array.from({ length: 256 * 3 }, (_, at) => (at < 512 ? at : 0xff));
const inTime = { timeoutMs: 5000 };
const failsWith = (code: string) => (error: unknown) => error instanceof PortError && error.code === code;

const PEERS: readonly { name: Program; start: (path: string) => Promise<RemotePort> }[] = [
  { name: 'ser2net', start: startSer2net },
  { name: 'pyserial', start: startPyserial },
];

for (const { name, start } of PEERS) {
  describe(`transport: RFC 2217 with ${name} in front of a pty`, () => {
    let pty: Pty;
    let server: RemotePort;
    let transport: Transport;
    let inbox: Inbox;
    let warnings: TransportWarning[];
    const closing = new Closing();

    before(function () {
      needs(this, 'socat', 'stty', name);
    });

    beforeEach(async () => {
      pty = await openPty();
      closing.later(() => pty.unplug());
      server = await start(pty.path);
      closing.later(() => server.stop());
      warnings = [];
      transport = await openTransport(server.url, { onWarning: (warning) => warnings.push(warning) });
      closing.later(() => transport.close());
      inbox = new Inbox(transport);
    });

    afterEach(() => closing.all());

    it('agrees on everything without a warning', () => {
      assert.equal(transport.kind, 'rfc2217');
      assert.equal(transport.baudRate, 115200);
      assert.equal(transport.hasModemLines, true);
      assert.deepEqual(warnings, []);
    });

    it('passes every byte both ways', async () => {
      await transport.write(ALL_BYTES);
      assert.deepEqual(await pty.device.inbox.read(ALL_BYTES.length, inTime), ALL_BYTES);
      pty.device.write(ALL_BYTES);
      assert.deepEqual(await inbox.read(ALL_BYTES.length, inTime), ALL_BYTES);
    });

    it('passes much at once both ways', async () => {
      const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7) ^ (at >> 8));
      const written = transport.write(bytes);
      const got = await pty.device.inbox.read(bytes.length, { timeoutMs: 20_000 });
      await written;
      assert.equal(Buffer.compare(got, bytes), 0);
      pty.device.write(bytes);
      assert.equal(Buffer.compare(await inbox.read(bytes.length, { timeoutMs: 20_000 }), bytes), 0);
    });

    it('changes the rate of the far port', async () => {
      assert.equal(pty.rate(), 115200);
      await transport.setBaudRate(921600);
      assert.equal(pty.rate(), 921600);
      assert.equal(transport.baudRate, 921600);
      await transport.write(Buffer.from('at the new rate'));
      await pty.device.inbox.until('at the new rate', inTime);
    });

    it('drains and sets lines in finite time', async () => {
      await transport.write(Buffer.from('abc'));
      await transport.drain();
      await transport.setModemLines({ dtr: false, rts: true });
      await transport.setModemLines({ dtr: true, rts: false });
      await pty.device.inbox.until('abc', inTime);
    });

    it('drops what came before, not what comes after', async () => {
      pty.device.write('old');
      await inbox.until('ol', inTime);
      await transport.discardInput();
      inbox.clear();
      pty.device.write('new');
      assert.equal(Buffer.from(await inbox.read(3, inTime)).toString(), 'new');
    });

    it('pauses and resumes without losing a byte', async () => {
      transport.pause();
      pty.device.write(ALL_BYTES);
      await transport.drain();
      transport.resume();
      assert.deepEqual(await inbox.read(ALL_BYTES.length, inTime), ALL_BYTES);
    });

    it('tells when the server goes away', async () => {
      const ended = assert.rejects(inbox.read(1, inTime), failsWith('port-lost'));
      await server.stop();
      await ended;
      await assert.rejects(transport.write(ALL_BYTES), failsWith('port-lost'));
      await assert.rejects(transport.setBaudRate(9600), failsWith('port-lost'));
      await assert.rejects(openTransport(server.url), failsWith('port-refused'));
    });

    it('tells when the cable behind the server is pulled', async () => {
      const ended = assert.rejects(inbox.read(1, inTime), failsWith('port-lost'));
      await pty.unplug();
      await ended;
    });

    it('can be opened again after it was closed', async () => {
      await transport.close();
      transport = await openTransport(server.url);
      await transport.write(Buffer.from('again'));
      await pty.device.inbox.until('again', inTime);
    });

    if (name === 'ser2net') {
      it('says that the port is taken', async () => {
        await assert.rejects(openTransport(server.url), (error: unknown) => {
          assert.ok(error instanceof PortError && error.code === 'port-busy', String(error));
          assert.match(String(error.facts['said']), /in use/i);
          return true;
        });
      });
    }

    if (name === 'pyserial') {
      it('reaches the lines, the purge and the rate in order', async () => {
        server.peer.output.clear();
        await transport.setModemLines({ dtr: false, rts: true });
        await transport.setModemLines({ dtr: true, rts: false });
        await transport.setModemLines({ dtr: false, rts: false });
        await transport.discardInput();
        await transport.setBaudRate(460800);
        await transport.setModemLines({ dtr: true, rts: true });
        await transport.close();
        const told = [
          await server.peer.output.until('{"baud": 460800}\n', inTime),
          await server.peer.output.until('{"rts": false}\n{"dtr": false}\n', inTime),
        ];
        const lines = Buffer.concat(told).toString().trim().split('\n');
        assert.deepEqual(lines, [
          ...['{"dtr": false}', '{"rts": true}'],
          ...['{"dtr": true}', '{"rts": false}'],
          '{"dtr": false}',
          '{"purge": "in"}',
          '{"baud": 460800}',
          ...['{"dtr": true}', '{"rts": true}'],
          ...['{"rts": false}', '{"dtr": false}'],
        ]);
      });

      it('leaves the lines as the server has them, unless asked', async () => {
        const started = Buffer.from(server.peer.output.peek()).toString();
        assert.doesNotMatch(started, /"rts": false|"dtr": false/);
        server.peer.output.clear();
        await transport.close();
        await server.peer.output.until('{"rts": false}\n{"dtr": false}\n', inTime);
        transport = await openTransport(server.url, { idleLines: { dtr: false, rts: false } });
        await server.peer.output.until('{"rts": false}\n{"dtr": false}\n', inTime);
      });
    }
  });
}
