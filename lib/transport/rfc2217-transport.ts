import type { Socket } from 'node:net';
import {
  ComPort,
  FLOWCONTROL_RESUME,
  FLOWCONTROL_SUSPEND,
  PURGE_DATA,
  PURGE_RECEIVED,
  SET_BAUDRATE,
  SET_CONTROL,
} from './com-port.ts';
import { lostError, PortError } from './errors.ts';
import { Feed } from './feed.ts';
import { lineChanges } from './line-steps.ts';
import { RemoteStream } from './remote-stream.ts';
import { escapeTelnet } from './telnet.ts';
import { DEFAULT_BAUD_RATE, WRITE_TIMEOUT_MS } from './transport.ts';
import type { ModemLines, OpenOptions, Transport, TransportListener, TransportWarning } from './transport.ts';
import { Turns } from './turns.ts';
import { pauseFor, within } from './wait.ts';

/** How long the server's answer to a change of rate is waited for, in milliseconds. */
const BAUD_ANSWER_MS = 3000;
/** The same while opening, where a server that never answers is let pass with a warning. */
const FIRST_BAUD_ANSWER_MS = 1500;
/** How long answers that only tell "it is done now" are waited for. */
const ANSWER_MS = 500;
/** Two rates nearer than this share are one. */
const RATE_TOLERANCE = 0.03;
/** Bytes handed to the socket at once, so that a suspend is obeyed in the midst of a long write. */
const PIECE = 16_384;
/** Bytes a server's port may still hold after the server has taken them all: more than an adapter's buffer. */
const REMOTE_BUFFER = 8192;

/** A port of a server that speaks RFC 2217. */
export class Rfc2217Transport implements Transport {
  readonly kind = 'rfc2217';
  readonly port: string;
  stage: 'negotiation' | 'settings' | 'open' = 'negotiation';
  readonly #stream: RemoteStream;
  readonly #comPort: ComPort;
  readonly #feed = new Feed();
  readonly #turns = new Turns();
  readonly #options: OpenOptions;
  readonly #warned = new Set<string>();
  #baudRate: number;
  /** Unknown until first set: what the server had them at is not told. */
  #lines: ModemLines | undefined;
  /** Present while the server holds us back. */
  #held: { resumed: Promise<void>; resume: () => void } | undefined;
  #paused = false;
  /** When, by the rate, the last byte written is on the line (`performance.now()`). */
  #lineFreeAt = 0;
  #closing: Promise<void> | undefined;

  constructor(port: string, socket: Socket, options: OpenOptions) {
    this.port = port;
    this.#options = options;
    this.#baudRate = options.baudRate ?? DEFAULT_BAUD_RATE;
    this.#stream = new RemoteStream(port, socket, {
      data: (bytes) => this.#comPort.receive(bytes),
      ended: (error) => this.#ended(error),
    });
    this.#comPort = new ComPort({
      send: (bytes) => this.#sendAside(bytes),
      data: (bytes) => this.#feed.push(bytes),
      suspended: (suspended) => this.#hold(suspended),
    });
  }

  get baudRate(): number {
    return this.#baudRate;
  }

  get hasModemLines(): boolean {
    return this.#comPort.active;
  }

  get hasRate(): boolean {
    return this.#comPort.active;
  }

  whereItStands(timeoutMs: number): string {
    const lacking =
      this.stage === 'negotiation'
        ? 'the server does not answer telnet'
        : 'the server does not take its settings';
    return `${this.port} did not open in ${timeoutMs} ms: ${lacking}`;
  }

  /** Negotiates and sets rate, 8N1 and lines. */
  async start(): Promise<void> {
    await this.#comPort.negotiate();
    if (!this.#comPort.active) {
      this.#warn('no-modem-lines', 'the server refuses RFC 2217: no rate and no DTR and RTS can be set');
      this.stage = 'open';
      return;
    }
    this.stage = 'settings';
    await this.#stream.send(this.#comPort.plainSettings());
    if (!(await this.#askRate(this.#baudRate, FIRST_BAUD_ANSWER_MS))) {
      this.#warn('baud-unconfirmed', `the server does not say whether it runs at ${this.#baudRate}`);
    }
    if (!this.#comPort.binary) this.#warn('not-binary', 'the server does not agree to binary transmission');
    if (this.#options.idleLines) await this.setModemLines(this.#options.idleLines);
    this.stage = 'open';
  }

  /** The first words the server has said, such as why it does not let us in. */
  get said(): string {
    return Buffer.from(this.#feed.kept.subarray(0, 200)).toString('latin1').trim();
  }

  listen(listener: TransportListener): void {
    this.#feed.listen(listener);
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#stream.mustBeOpen();
    if (this.#turns.idle && !this.#held && bytes.length <= PIECE) {
      this.#occupyLine(bytes.length);
      await this.#stream.send(escapeTelnet(bytes), signal);
      return;
    }
    await this.#turns.run(async () => {
      for (let at = 0; at < bytes.length; at += PIECE) {
        await this.#untilResumed(signal);
        const piece = bytes.subarray(at, at + PIECE);
        this.#occupyLine(piece.length);
        await this.#stream.send(escapeTelnet(piece), signal);
      }
    }, signal);
  }

  /**
   * Waits until the server has worked through everything sent so far: it answers a question for its rate
   * only then. What it still has in its own port's buffer cannot be asked for.
   */
  async drain(signal?: AbortSignal): Promise<void> {
    this.#stream.mustBeOpen();
    await this.#turns.run(() => this.#reachServer(), signal);
  }

  async #reachServer(): Promise<void> {
    this.#stream.mustBeOpen();
    if (!this.#comPort.active) return;
    const answered = this.#comPort.answer(SET_BAUDRATE, ANSWER_MS, { once: true });
    await Promise.all([this.#stream.send(this.#comPort.setRate(0)), answered]);
  }

  /** Throws `baud-refused` also when the server does not answer: bytes at an unknown rate are noise. */
  async setBaudRate(baudRate: number): Promise<void> {
    this.#stream.mustBeOpen();
    await this.#turns.run(async () => {
      if (this.#comPort.active) {
        await this.#reachServer();
        await pauseFor(
          Math.min(this.#lineFreeAt - performance.now(), (REMOTE_BUFFER * 10_000) / this.#baudRate),
        );
        if (!(await this.#askRate(baudRate, BAUD_ANSWER_MS))) {
          const facts = { baudRate, answered: false };
          throw new PortError(
            'baud-refused',
            this.port,
            `${this.port}: no answer to a rate of ${baudRate}`,
            facts,
          );
        }
      }
      this.#baudRate = baudRate;
    });
  }

  /** Whether the server has answered with the rate asked for; throws when it names another. */
  async #askRate(baudRate: number, timeoutMs: number): Promise<boolean> {
    const isRight = (answer: Uint8Array): boolean =>
      Math.abs(rateOf(answer) - baudRate) <= baudRate * RATE_TOLERANCE;
    const answered = this.#comPort.answer(SET_BAUDRATE, timeoutMs, { likely: isRight });
    const sent = this.#stream.send(this.#comPort.setRate(baudRate));
    const [answer] = await Promise.all([answered, sent]);
    if (answer === undefined || answer.length < 4) return false;
    if (!isRight(answer)) {
      const real = rateOf(answer);
      throw new PortError('baud-refused', this.port, `${this.port} runs at ${real}, not ${baudRate}`, {
        baudRate,
        real,
      });
    }
    return true;
  }

  /**
   * Both changes leave in one segment. A line that is as wanted already is not set again: Espressif's own
   * server takes single changes as orders ("DTR on": enter the loader, "RTS off": reset).
   */
  async setModemLines(lines: ModemLines): Promise<void> {
    this.#stream.mustBeOpen();
    if (!this.#comPort.active) return;
    const values = lineChanges(this.#lines, lines);
    this.#lines = { ...lines };
    if (values.length === 0) return;
    const answers = values.map((value) =>
      this.#comPort.answer(SET_CONTROL, ANSWER_MS, { value, once: true }),
    );
    const commands = values.map((value) => this.#comPort.command(SET_CONTROL, [value]));
    await Promise.all([this.#stream.send(joined(commands)), ...answers]);
  }

  async discardInput(): Promise<void> {
    this.#stream.mustBeOpen();
    // Everything before the answer is older than the purge, and everything behind it is not.
    const arrived = this.#feed.startDropping();
    try {
      if (this.#comPort.active) {
        const answered = this.#comPort.answer(PURGE_DATA, ANSWER_MS, { once: true, arrived });
        await Promise.all([this.#stream.send(this.#comPort.command(PURGE_DATA, [PURGE_RECEIVED])), answered]);
      } else {
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    } finally {
      arrived();
    }
  }

  pause(): void {
    this.#askToPause(true);
  }

  resume(): void {
    this.#askToPause(false);
  }

  #askToPause(paused: boolean): void {
    if (paused === this.#paused || !this.#comPort.active || this.#closing) return;
    this.#paused = paused;
    this.#sendAside(this.#comPort.command(paused ? FLOWCONTROL_SUSPEND : FLOWCONTROL_RESUME, []));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // RTS before DTR, on our side of the connection: some servers release them in the order that resets.
    const released = lineChanges(this.#lines, { dtr: false, rts: false });
    if (this.#comPort.active && released.length > 0) {
      this.#sendAside(joined(released.map((value) => this.#comPort.command(SET_CONTROL, [value]))));
    }
    await this.#stream.close();
  }

  #occupyLine(bytes: number): void {
    const start = Math.max(performance.now(), this.#lineFreeAt);
    this.#lineFreeAt = start + (bytes * 10_000) / this.#baudRate;
  }

  #hold(suspended: boolean): void {
    if (suspended && !this.#held) {
      let resume = (): void => undefined;
      const resumed = new Promise<void>((resolve) => (resume = resolve));
      this.#held = { resumed, resume };
    } else if (!suspended) {
      this.#held?.resume();
      this.#held = undefined;
    }
  }

  async #untilResumed(signal: AbortSignal | undefined): Promise<void> {
    while (this.#held) {
      const timeoutMs = WRITE_TIMEOUT_MS;
      const message = `${this.port}: the server held our bytes back for ${timeoutMs} ms`;
      const onTimeout = (): Error =>
        new PortError('write-timeout', this.port, message, { timeoutMs, suspended: true });
      await within(this.#held.resumed, { timeoutMs, signal, onTimeout });
    }
    this.#stream.mustBeOpen();
  }

  /** Sends what no one waits for; if it cannot be sent, the connection's end says so. */
  #sendAside(bytes: Uint8Array): void {
    this.#stream.send(bytes).catch(() => undefined);
  }

  #ended(error: PortError | undefined): void {
    this.#comPort.end(error ?? lostError(this.port, 'closed'));
    this.#hold(false);
    this.#feed.finish(error);
  }

  #warn(code: TransportWarning['code'], detail: string): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    this.#options.onWarning?.({ code, port: this.port, detail });
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Bits per second, of an answer to SET_BAUDRATE; 0 where it is none. */
function rateOf(answer: Uint8Array): number {
  return answer.length < 4 ? 0 : new DataView(answer.buffer, answer.byteOffset).getUint32(0);
}
