/** The bytes of a raw REPL: written, and read with what timers and threads print in between kept apart. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Inbox } from '../transport/inbox.ts';
import type { Transport } from '../transport/transport.ts';
import { MicroPythonError } from './errors.ts';
import { ignoreTimeout } from './ignore-timeout.ts';
import { Link } from './link.ts';

const END = 0x04;
const WINDOW_READ = 0x01;
const ANSWER_MS = 2000;
const MAX_TAIL = 2000;

export class RawWire {
  protected readonly transport: Transport;
  protected readonly inbox: Inbox;
  /** What is known of the interpreter behind this port. */
  readonly link: Link;
  #signal: AbortSignal;
  /** The last text that came: evidence when something else than expected does. */
  protected tail = '';
  /** What a timer or thread printed while code was sent. */
  protected stray: Uint8Array[] = [];

  /** Takes over the transport's bytes until the caller listens to it again. */
  constructor(transport: Transport, signal: AbortSignal, link = new Link()) {
    this.link = link;
    this.transport = transport;
    this.#signal = signal;
    this.inbox = new Inbox(transport);
  }

  /** Goes on after the transport had another listener; the board must still be in the raw REPL. */
  resume(signal: AbortSignal): void {
    this.#signal = signal;
    this.inbox.attach();
  }

  /** What came and was read by nobody. */
  rest(): Uint8Array {
    return this.inbox.take();
  }

  async write(data: string | Uint8Array): Promise<void> {
    await this.transport.write(typeof data === 'string' ? Buffer.from(data, 'utf8') : data);
  }

  /** What comes next, at least a byte. */
  async some(timeoutMs: number): Promise<Uint8Array> {
    const bytes = await this.inbox.some({ timeoutMs, signal: this.#signal });
    this.keepTail(bytes);
    return bytes;
  }

  /** What it is working under. */
  get signal(): AbortSignal {
    return this.#signal;
  }

  /** Milliseconds that so many bytes are on the wire. */
  wireMs(bytes: number): number {
    return (bytes * 10_000) / this.transport.baudRate;
  }

  get baudRate(): number {
    return this.transport.baudRate;
  }

  /** Whether another rate would reach the line. */
  get hasRate(): boolean {
    return this.transport.hasRate;
  }

  async setBaudRate(baudRate: number): Promise<void> {
    await this.transport.setBaudRate(baudRate);
  }

  /** Exactly `length` bytes within two seconds. */
  async read(length: number): Promise<Uint8Array> {
    return this.inbox.read(length, { timeoutMs: ANSWER_MS, signal: this.#signal });
  }

  /** What comes before an end, within two seconds. */
  async upTo(end: string): Promise<string> {
    const found = await this.inbox.until(end, { timeoutMs: ANSWER_MS, signal: this.#signal });
    return Buffer.from(found).subarray(0, -end.length).toString('utf8');
  }

  /** Which of these texts comes now, anything before it kept apart. Throws 'repl-confused'. */
  async oneOf(texts: readonly string[], what: string): Promise<number> {
    let which = -1;
    let before = 0;
    const find = (unread: Uint8Array): number => {
      const text = Buffer.from(unread).toString('latin1');
      which = texts.findIndex((each) => text.includes(each));
      before = text.indexOf(texts[which] ?? '');
      return which < 0 ? -1 : before + (texts[which] ?? '').length;
    };
    const found = await this.inbox
      .until(find, { timeoutMs: ANSWER_MS, signal: this.#signal })
      .catch(ignoreTimeout);
    if (found) {
      this.#keepApart(found.subarray(0, before));
      return which;
    }
    this.keepTail(this.rest());
    throw this.confused(what);
  }

  /** What the board grants while it takes code: windows, up to its end mark. Waits for a byte. */
  async granted(timeoutMs: number): Promise<{ windows: number; ended: boolean }> {
    const upToEnd = (unread: Uint8Array): number => {
      const end = unread.indexOf(END);
      return end < 0 ? unread.length || -1 : end + 1;
    };
    const bytes = await this.inbox.until(upToEnd, { timeoutMs, signal: this.#signal });
    const others = bytes.filter((byte) => byte !== WINDOW_READ && byte !== END);
    this.#keepApart(others);
    const ended = bytes.at(-1) === END;
    return { windows: bytes.length - others.length - (ended ? 1 : 0), ended };
  }

  /** Reads what must come now. */
  async expect(text: string): Promise<void> {
    const found = Buffer.from(await this.read(text.length)).toString('latin1');
    if (found !== text) {
      this.tail += found;
      throw this.confused(text);
    }
  }

  confused(expected: string): MicroPythonError {
    const facts = { expected, tail: this.tail };
    return new MicroPythonError('repl-confused', `the board did not answer with ${expected}`, facts);
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal });
  }

  #keepApart(bytes: Uint8Array): void {
    if (bytes.length > 0) this.stray.push(bytes);
    this.keepTail(bytes);
  }

  protected keepTail(bytes: Uint8Array): void {
    this.tail = (this.tail + Buffer.from(bytes).toString('latin1')).slice(-MAX_TAIL);
  }
}
