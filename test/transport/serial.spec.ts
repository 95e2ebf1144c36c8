import assert from 'node:assert/strict';
import { symlinkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortError } from '../../lib/transport/errors.ts';
import { Inbox } from '../../lib/transport/inbox.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { Transport, TransportWarning } from '../../lib/transport/transport.ts';
import { Closing } from '../support/closing.ts';
import { needs, PYTHON } from '../support/needs.ts';
import { Peer } from './peers/process.ts';
import { openPty } from './peers/pty.ts';
import type { Pty } from './peers/pty.ts';

const ALL_BYTES = Uint8Array.from({ length: 256 * 3 }, (_, at) => (at < 512 ? at : 0xff));
const inTime = { timeoutMs: 5000 };
const failsWith = (code: string) => (error: unknown) => error instanceof PortError && error.code === code;

describe('transport: a local port on a pty', () => {
  let pty: Pty;
  let transport: Transport;
  let inbox: Inbox;
  let warnings: TransportWarning[];
  const closing = new Closing();

  before(function () {
    needs(this, 'socat', 'stty');
  });

  beforeEach(async () => {
    pty = await openPty();
    closing.later(() => pty.unplug());
    warnings = [];
    transport = await openTransport(pty.path, { onWarning: (warning) => warnings.push(warning) });
    closing.later(() => transport.close());
    inbox = new Inbox(transport);
  });

  afterEach(() => closing.all());

  it('passes every byte both ways', async () => {
    await transport.write(ALL_BYTES);
    assert.deepEqual(await pty.device.inbox.read(ALL_BYTES.length, inTime), ALL_BYTES);
    pty.device.write(ALL_BYTES);
    assert.deepEqual(await inbox.read(ALL_BYTES.length, inTime), ALL_BYTES);
  });

  it('warns once that there are no modem lines, and goes on', async () => {
    assert.equal(transport.kind, 'serial');
    assert.equal(transport.port, pty.path);
    assert.equal(transport.hasModemLines, false);
    await transport.setModemLines({ dtr: false, rts: true });
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['no-modem-lines'],
    );
  });

  for (const rate of [921600, 250000, 74880]) {
    it(`changes the rate to ${rate}`, async () => {
      assert.equal(pty.rate(), 115200);
      await transport.setBaudRate(rate);
      // stty only knows the classic rates; the others are asked for back by the transport itself.
      if (rate === 921600) assert.equal(pty.rate(), rate);
      assert.equal(transport.baudRate, rate);
      await transport.write(Buffer.from('still there'));
      await pty.device.inbox.until('still there', inTime);
    });
  }

  it('drops what came before, not what comes after', async () => {
    pty.device.write('old');
    await inbox.until('ol', inTime);
    await transport.discardInput();
    inbox.clear();
    pty.device.write('new');
    assert.equal(Buffer.from(await inbox.read(3, inTime)).toString(), 'new');
  });

  it('holds the stream while paused', async () => {
    transport.pause();
    pty.device.write('one read may be under way');
    await inbox.until('way', inTime);
    pty.device.write('held');
    await assert.rejects(inbox.read(4, { timeoutMs: 30 }), failsWith('read-timeout'));
    transport.resume();
    await inbox.until('held', inTime);
  });

  it('refuses a second opening: busy', async () => {
    await assert.rejects(openTransport(pty.path), failsWith('port-busy'));
  });

  it('can be opened again after it was closed', async () => {
    await transport.close();
    await transport.close();
    await assert.rejects(transport.write(Buffer.from('x')), failsWith('port-lost'));
    await assert.rejects(inbox.read(1, inTime), failsWith('port-lost'));
    transport = await openTransport(pty.path);
    await transport.write(Buffer.from('again'));
    await pty.device.inbox.until('again', inTime);
  });

  it('tells the end when it is unplugged, once, to whoever waits', async () => {
    const ended = assert.rejects(inbox.read(1, inTime), failsWith('port-lost'));
    await pty.unplug();
    await ended;
    await assert.rejects(transport.write(Buffer.from('x')), failsWith('port-lost'));
    await assert.rejects(transport.setBaudRate(9600), failsWith('port-lost'));
    const late = new Inbox(transport);
    assert.ok(late.closed instanceof PortError);
    await assert.rejects(openTransport(pty.path), failsWith('port-missing'));
  });

  it('tells the end also where the first read after it says only that there is nothing', async () => {
    transport.pause();
    pty.device.write('one read may be under way');
    await inbox.until('way', inTime);
    await pty.unplug();
    transport.resume();
    await assert.rejects(inbox.read(1, inTime), failsWith('port-lost'));
  });

  it('writes in order, however many write at once', async () => {
    const parts = Array.from({ length: 50 }, (_, at) => Buffer.alloc(1000 + at, at));
    await Promise.all(parts.map((part) => transport.write(part)));
    const all = Buffer.concat(parts);
    assert.equal(Buffer.compare(await pty.device.inbox.read(all.length, inTime), all), 0);
  });

  it('gives up a write on demand, and the next one comes after it', async () => {
    const stop = new AbortController();
    const ended = assert.rejects(transport.write(new Uint8Array(1_000_000), stop.signal), /enough/);
    stop.abort(new Error('enough'));
    await ended;
    await transport.write(Buffer.from('next'));
    await pty.device.inbox.until('next', inTime);
  });
});

describe('transport: a local port whose device first wants to be read', () => {
  it('reads on while a write waits', async function () {
    needs(this, 'python3');
    const closing = new Closing();
    try {
      const device = new Peer(PYTHON, ['-u', join(import.meta.dirname, 'peers/stubborn_device.py')]);
      closing.later(() => device.stop());
      const path = Buffer.from(await device.output.until('\n', inTime))
        .toString()
        .trim();
      const transport = await openTransport(path);
      closing.later(() => transport.close());
      const inbox = new Inbox(transport);

      const written = transport.write(new Uint8Array(300_000));
      // The device's buffer is full, and the write waits, once this turn of a threaded write is over.
      await assert.rejects(inbox.read(1, { timeoutMs: 50 }), failsWith('read-timeout'));
      device.child.stdin.write('go\n');
      await inbox.read(300_000, inTime);
      await written;
      await device.output.until('done', inTime);
    } finally {
      await closing.all();
    }
  });
});

describe('transport: local ports that cannot be opened', () => {
  it('says that there is none', async () => {
    await assert.rejects(openTransport('/dev/ttyNotThere0'), failsWith('port-missing'));
    await assert.rejects(openTransport(' '), failsWith('no-port-chosen'));
    await assert.rejects(openTransport('my board'), failsWith('bad-port-name'));
  });

  it('says when a path is no serial port', async function () {
    if (process.platform === 'win32') this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'port-'));
    try {
      const file = join(folder, 'file');
      writeFileSync(file, 'text');
      symlinkSync('/nowhere', join(folder, 'link'));
      const noPort = (error: unknown): boolean =>
        error instanceof PortError &&
        error.code === 'port-open-failed' &&
        error.facts['noSerialPort'] === true;
      await assert.rejects(openTransport(file), noPort);
      await assert.rejects(openTransport(folder), noPort);
      await assert.rejects(openTransport(join(folder, 'link')), failsWith('port-missing'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
