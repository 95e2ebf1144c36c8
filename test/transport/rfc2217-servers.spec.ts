import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { PortError } from '../../lib/transport/errors.ts';
import { Inbox } from '../../lib/transport/inbox.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { OpenOptions, Transport, TransportWarning } from '../../lib/transport/transport.ts';
import { Closing } from '../support/closing.ts';
import { sourceOf } from './peers/process.ts';

const [IAC, SE, SB, WILL, DO, DONT] = [255, 240, 250, 251, 253, 254];
const COM_PORT = 44;
const inTime = { timeoutMs: 5000 };
const failsWith = (code: string) => (error: unknown) => error instanceof PortError && error.code === code;
const answer = (command: number, ...payload: number[]): number[] => [
  IAC,
  SB,
  COM_PORT,
  100 + command,
  ...payload,
  IAC,
  SE,
];
const order = (command: number, ...payload: number[]): number[] => [
  IAC,
  SB,
  COM_PORT,
  command,
  ...payload,
  IAC,
  SE,
];
const rate = (value: number): number[] => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
const AGREED = [IAC, DO, COM_PORT, IAC, DO, 0, IAC, WILL, 0];

/** A server of a few bytes: tests play the parts that no real server plays on demand. */
describe('transport: RFC 2217 with servers that behave oddly', () => {
  const closing = new Closing();
  afterEach(() => closing.all());

  let far: Socket;
  let heard: Inbox;
  let warnings: TransportWarning[];
  let pieces: number[][];

  /** Opens against a server that plays `script` once the client's first bytes have come. */
  async function open(script: () => void | Promise<void>, options: OpenOptions = {}): Promise<Transport> {
    warnings = [];
    pieces = [];
    const server = createServer((socket) => {
      far = socket;
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => pieces.push([...bytes]));
      heard = new Inbox(sourceOf('client', socket));
      heard
        .some(inTime)
        .then(script)
        .catch(() => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.later(async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      far.destroy();
      await closed;
    });
    const url = `rfc2217://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const transport = await openTransport(url, {
      onWarning: (warning) => warnings.push(warning),
      ...options,
    });
    closing.later(() => transport.close());
    return transport;
  }

  const send = (...bytes: number[]): void => void far.write(Uint8Array.from(bytes));
  const codes = (): string[] => warnings.map(({ code }) => code);

  /** The ordinary server: agrees, and confirms the first rate. */
  const agree = async (): Promise<void> => {
    send(...AGREED);
    await heard.until(Uint8Array.from(order(1, ...rate(115200))), inTime);
    send(...answer(1, ...rate(115200)));
  };

  it('uses a server without RFC 2217 as a plain stream', async () => {
    const transport = await open(() => send(IAC, DONT, COM_PORT));
    assert.equal(transport.hasModemLines, false);
    assert.equal(transport.hasRate, false);
    assert.deepEqual(codes(), ['no-modem-lines']);
    heard.clear();
    await transport.setModemLines({ dtr: true, rts: false });
    await transport.setBaudRate(9600);
    await transport.drain();
    await transport.discardInput();
    await transport.write(Uint8Array.of(1, IAC, 2));
    assert.deepEqual([...(await heard.read(4, inTime))], [1, IAC, IAC, 2]);
  });

  it('gives up on a server that does not speak telnet', async () => {
    const late = (error: unknown): boolean =>
      error instanceof PortError && error.code === 'open-timeout' && error.facts['stage'] === 'negotiation';
    await assert.rejects(
      open(() => send(1, 2, 3), { timeoutMs: 60 }),
      late,
    );
  });

  it('stops opening on demand', async () => {
    const stop = new AbortController();
    await assert.rejects(
      open(() => stop.abort(new Error('enough')), { signal: stop.signal }),
      /enough/,
    );
  });

  it('passes on why it is turned away', async () => {
    const busy = (): void => void far.end('Port already in use\r\n');
    await assert.rejects(open(busy), failsWith('port-busy'));
    const refused = (): void => void far.end('only from the office\r\n');
    await assert.rejects(open(refused), (error: unknown) => {
      assert.ok(error instanceof PortError && error.code === 'port-refused');
      assert.equal(error.facts['said'], 'only from the office');
      return true;
    });
  });

  it('says so when the server sets another rate', async () => {
    const other = async (): Promise<void> => {
      send(...AGREED);
      await heard.until(Uint8Array.from(order(1, ...rate(115200))), inTime);
      send(...answer(1, ...rate(9600)));
    };
    const refused = (error: unknown): boolean =>
      error instanceof PortError && error.code === 'baud-refused' && error.facts['real'] === 9600;
    await assert.rejects(open(other), refused);
  });

  it('keeps the old rate when the server refuses a new one, and writes nothing before the answer', async () => {
    const transport = await open(agree);
    heard.clear();
    const changed = transport.setBaudRate(3_000_000);
    const written = transport.write(Buffer.from('after'));
    await heard.until(Uint8Array.from(order(1, ...rate(0))), inTime);
    send(...answer(1, ...rate(115200)));
    await heard.until(Uint8Array.from(order(1, ...rate(3_000_000))), inTime);
    assert.equal(heard.length, 0);
    const refused = assert.rejects(changed, failsWith('baud-refused'));
    send(...answer(1, ...rate(115200)));
    await refused;
    await written;
    await heard.until('after', inTime);
    assert.equal(transport.baudRate, 115200);
  });

  it('does not take an answer that is late for the one to a new rate', async () => {
    const transport = await open(agree);
    const change = async (to: number): Promise<void> => {
      heard.clear();
      const changed = transport.setBaudRate(to);
      await heard.until(Uint8Array.from(order(1, ...rate(to))), inTime);
      send(...answer(1, ...rate(transport.baudRate)), ...answer(1, ...rate(to)));
      await changed;
    };
    // What the server is asked before a change it answers late, and behind that in time.
    await change(460_800);
    await change(921_600);
    assert.equal(transport.baudRate, 921_600);
  });

  it('takes a rate that is nearly right for right', async () => {
    const nearly = async (): Promise<void> => {
      send(...AGREED);
      await heard.until(Uint8Array.from(order(1, ...rate(115200))), inTime);
      send(...answer(1, ...rate(115207)));
    };
    const transport = await open(nearly);
    assert.equal(transport.baudRate, 115200);
  });

  it('warns when the channel is not binary and the rate is not confirmed', async () => {
    await open(() => send(IAC, DO, COM_PORT));
    assert.deepEqual(codes(), ['baud-unconfirmed', 'not-binary']);
  });

  it('sends DTR and RTS in one piece, only what changes, and waits for the answers', async () => {
    const transport = await open(agree);
    pieces.length = 0;
    let set = false;
    const setting = transport.setModemLines({ dtr: false, rts: true }).then(() => (set = true));
    await heard.until(Uint8Array.from(order(5, 11)), inTime);
    assert.deepEqual(pieces, [[...order(5, 9), ...order(5, 11)]]);
    send(...answer(5, 9));
    await transport.write(Buffer.from('x'));
    assert.equal(set, false);
    send(...answer(5, 11));
    await setting;
    const released = transport.setModemLines({ dtr: false, rts: false });
    await heard.until(Uint8Array.from(order(5, 12)), inTime);
    send(...answer(5, 12));
    await released;
    await transport.setModemLines({ dtr: false, rts: false });
    assert.deepEqual(pieces.at(-1), order(5, 12));
  });

  it('waits only once for a server that leaves line changes unanswered', async () => {
    const transport = await open(agree);
    await transport.setModemLines({ dtr: false, rts: true });
    for (let count = 0; count < 100; count++) {
      await transport.setModemLines({ dtr: true, rts: false });
      await transport.setModemLines({ dtr: false, rts: true });
    }
  });

  it('holds its bytes while the server asks for it, and sends them in order', async () => {
    const transport = await open(agree);
    heard.clear();
    const inbox = new Inbox(transport);
    send(...answer(8), 'y'.charCodeAt(0));
    await inbox.until('y', inTime);
    const writes = ['one', 'two', 'three'].map((word) => transport.write(Buffer.from(word)));
    const stop = new AbortController();
    const left = assert.rejects(transport.write(Buffer.from('never'), stop.signal), /enough/);
    stop.abort(new Error('enough'));
    await left;
    assert.equal(heard.length, 0);
    send(...answer(9));
    await Promise.all(writes);
    assert.equal(Buffer.from(await heard.read(11, inTime)).toString(), 'onetwothree');
    await transport.write(Buffer.from('next'));
    assert.equal(Buffer.from(await heard.read(4, inTime)).toString(), 'next');
  });

  it('asks the server to hold and resume, once each', async () => {
    const transport = await open(agree);
    heard.clear();
    transport.pause();
    transport.pause();
    transport.resume();
    transport.resume();
    await transport.write(Buffer.from('x'));
    assert.deepEqual([...(await heard.until('x', inTime))], [...order(8), ...order(9), 'x'.charCodeAt(0)]);
  });

  it('drops everything up to the answer of a purge', async () => {
    const transport = await open(agree);
    const inbox = new Inbox(transport);
    const dropped = transport.discardInput();
    await heard.until(Uint8Array.from(order(12, 1)), inTime);
    send(...Buffer.from('old'), ...answer(12, 1), ...Buffer.from('new'));
    await dropped;
    assert.equal(Buffer.from(await inbox.until('new', inTime)).toString(), 'new');
  });

  it('tells who it is when asked, and ignores notices', async () => {
    const transport = await open(agree);
    const inbox = new Inbox(transport);
    heard.clear();
    send(
      ...answer(6, 96),
      ...answer(7, 176),
      ...answer(0, 72, 105),
      ...answer(0),
      IAC,
      SB,
      24,
      1,
      IAC,
      SE,
      66,
    );
    await inbox.until('B', inTime);
    await transport.write(Buffer.from('end'));
    const said = Buffer.from(await heard.until('end', inTime)).toString('latin1');
    assert.match(said, /^\xff\xfa,\0node-red-contrib-esp32-micropython\xff\xf0end$/);
  });

  it('ends what waits for an answer when the connection ends', async () => {
    const transport = await open(agree);
    const ends = [
      transport.setBaudRate(9600),
      transport.discardInput(),
      transport.setModemLines({ dtr: true, rts: false }),
    ].map((wait) => assert.rejects(wait, failsWith('port-lost')));
    await heard.until(Uint8Array.from(order(5, 12)), inTime);
    far.destroy();
    await Promise.all(ends);
  });

  it('releases RTS before DTR when it closes', async () => {
    const transport = await open(agree);
    heard.clear();
    await transport.close();
    assert.deepEqual([...heard.take()], [...order(5, 12), ...order(5, 9)]);
  });
});
