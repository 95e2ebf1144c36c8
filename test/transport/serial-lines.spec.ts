import assert from 'node:assert/strict';
import { PortError } from '../../lib/transport/errors.ts';
import { openSerial } from '../../lib/transport/serial.ts';
import type { LineFlags, SerialBinding, SerialHandle } from '../../lib/transport/serial-binding.ts';
import type { Transport, TransportWarning } from '../../lib/transport/transport.ts';

/**
 * A port that records what is asked of it. Modem lines cannot be had from a pty and Windows not from
 * Linux: this is the one place where calls are looked at instead of a peer.
 */
class RecordingPort implements SerialBinding, SerialHandle {
  readonly calls: string[] = [];
  linesFail: Error | undefined;
  rate = 0;
  opens = Promise.resolve();
  #reading = Promise.withResolvers<{ bytesRead: number }>();

  async open(options: {
    path: string;
    baudRate: number;
    lock: boolean;
    hupcl: boolean;
  }): Promise<SerialHandle> {
    this.calls.push(`open ${options.path} lock=${String(options.lock)} hupcl=${String(options.hupcl)}`);
    this.rate = options.baudRate;
    await this.opens;
    return this;
  }

  list(): Promise<[]> {
    return Promise.resolve([]);
  }

  read(): Promise<{ bytesRead: number }> {
    return this.#reading.promise;
  }

  write(buffer: Buffer): Promise<void> {
    this.calls.push(`write ${buffer.toString()}`);
    return Promise.resolve();
  }

  update(options: { baudRate: number }): Promise<void> {
    this.calls.push(`update ${options.baudRate}`);
    return Promise.resolve();
  }

  set(flags: LineFlags): Promise<void> {
    if (this.linesFail) return Promise.reject(this.linesFail);
    this.calls.push(`set dtr=${Number(flags.dtr)} rts=${Number(flags.rts)} brk=${Number(flags.brk)}`);
    return Promise.resolve();
  }

  getBaudRate(): Promise<{ baudRate: number }> {
    return Promise.resolve({ baudRate: this.rate });
  }

  flush(): Promise<void> {
    this.calls.push('flush');
    return Promise.resolve();
  }

  drain(): Promise<void> {
    this.calls.push('drain');
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.calls.push('close');
    this.#reading.reject(new Error('Canceled'));
    return Promise.resolve();
  }
}

describe('transport: a local port, call by call', () => {
  const open = (port: RecordingPort, platform: NodeJS.Platform, options = {}): Promise<Transport> =>
    openSerial('COM3', 'COM3', options, { platform, binding: port });

  it('opens on Windows with both lines off, then DTR, then both, and closes RTS first', async () => {
    const port = new RecordingPort();
    const transport = await open(port, 'win32');
    await transport.close();
    assert.deepEqual(port.calls, [
      'open COM3 lock=true hupcl=false',
      'set dtr=1 rts=0 brk=0',
      'set dtr=1 rts=1 brk=0',
      'set dtr=1 rts=0 brk=0',
      'set dtr=0 rts=0 brk=0',
      'close',
    ]);
  });

  it('opens on Unix with both lines on in one step', async () => {
    const port = new RecordingPort();
    const transport = await open(port, 'linux');
    assert.deepEqual(port.calls, ['open COM3 lock=true hupcl=true', 'set dtr=1 rts=1 brk=0']);
    await transport.close();
  });

  for (const platform of ['win32', 'linux', 'darwin'] as const) {
    it(`leaves both lines released on ${platform} when the board wants that`, async () => {
      const port = new RecordingPort();
      const transport = await open(port, platform, { idleLines: { dtr: false, rts: false } });
      await transport.close();
      assert.deepEqual(port.calls.slice(1), ['set dtr=0 rts=0 brk=0', 'close']);
    });
  }

  it('passes changes of lines on, each with both', async () => {
    const port = new RecordingPort();
    const transport = await open(port, 'linux');
    port.calls.length = 0;
    await transport.setModemLines({ dtr: false, rts: true });
    await transport.setModemLines({ dtr: true, rts: false });
    assert.deepEqual(port.calls, ['set dtr=0 rts=1 brk=0', 'set dtr=1 rts=0 brk=0']);
    await transport.close();
  });

  const without = [
    'Error: Inappropriate ioctl for device, cannot set',
    'Error: Invalid argument, cannot set',
    'Error: Operation not supported, cannot set',
  ];
  for (const words of without) {
    it(`takes "${words}" for a port without lines: one warning, no failure`, async () => {
      const port = new RecordingPort();
      port.linesFail = new Error(words);
      const warnings: TransportWarning[] = [];
      const transport = await open(port, 'linux', {
        onWarning: (warning: TransportWarning) => warnings.push(warning),
      });
      await transport.setModemLines({ dtr: false, rts: true });
      assert.equal(transport.hasModemLines, false);
      assert.deepEqual(
        warnings.map(({ code, port: name }) => [code, name]),
        [['no-modem-lines', 'COM3']],
      );
      await transport.close();
      assert.equal(port.calls.at(-1), 'close');
    });
  }

  it('sends before it changes the rate or drops what came', async () => {
    const port = new RecordingPort();
    const transport = await open(port, 'win32');
    port.calls.length = 0;
    const written = transport.write(Buffer.from('abc'));
    await transport.setBaudRate(460800);
    await transport.discardInput();
    await written;
    assert.deepEqual(port.calls, ['write abc', 'drain', 'update 460800', 'drain', 'flush']);
    assert.equal(transport.baudRate, 460800);
    await transport.close();
  });

  it('says so when the driver runs at another rate', async () => {
    const port = new RecordingPort();
    const transport = await open(port, 'linux');
    const refused = (error: unknown): boolean =>
      error instanceof PortError && error.code === 'baud-refused' && error.facts['real'] === 115200;
    await assert.rejects(transport.setBaudRate(3_000_000), refused);
    assert.equal(transport.baudRate, 115200);
    await transport.close();
  });

  it('gives up opening in time and closes what opens late', async () => {
    const port = new RecordingPort();
    let opened = (): void => undefined;
    port.opens = new Promise((resolve) => (opened = resolve));
    const late = (error: unknown): boolean => error instanceof PortError && error.code === 'open-timeout';
    await assert.rejects(open(port, 'win32', { timeoutMs: 1 }), late);
    opened();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(port.calls.slice(1), ['close']);
  });

  it('stops opening on demand, before and while', async () => {
    const port = new RecordingPort();
    await assert.rejects(open(port, 'linux', { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
    assert.equal(port.calls.length, 0);

    let opened = (): void => undefined;
    port.opens = new Promise((resolve) => (opened = resolve));
    const stop = new AbortController();
    const opening = open(port, 'linux', { signal: stop.signal });
    stop.abort(new Error('enough'));
    await assert.rejects(opening, /enough/);
    opened();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(port.calls.at(-1), 'close');
  });
});
