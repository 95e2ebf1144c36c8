import type { PortError } from './errors.ts';
import {
  BINARY,
  COM_PORT_OPTION,
  SUPPRESS_GO_AHEAD,
  subnegotiation,
  TelnetDecoder,
  TelnetOptions,
} from './telnet.ts';

/**
 * The client's side of RFC 2217 ("Telnet Com Port Control Option"): negotiation, commands, answers.
 * Knows nothing of sockets: bytes go in by `receive`, bytes go out by `send`.
 */

/** Commands of the client; the server's answer has the same number plus 100. */
export const SIGNATURE = 0;
export const SET_BAUDRATE = 1;
const SET_DATASIZE = 2;
const SET_PARITY = 3;
const SET_STOPSIZE = 4;
export const SET_CONTROL = 5;
export const FLOWCONTROL_SUSPEND = 8;
export const FLOWCONTROL_RESUME = 9;
const SET_LINESTATE_MASK = 10;
const SET_MODEMSTATE_MASK = 11;
export const PURGE_DATA = 12;
const SERVER = 100;

/** Values of SET_CONTROL. */
const NO_FLOW_CONTROL = 1;
export const DTR_ON = 8;
export const DTR_OFF = 9;
export const RTS_ON = 11;
export const RTS_OFF = 12;
/** Value of PURGE_DATA: the server's buffer of bytes from the device. */
export const PURGE_RECEIVED = 1;

const OUR_NAME = new TextEncoder().encode('node-red-contrib-esp32-micropython');

export interface ComPortPeer {
  send(bytes: Uint8Array): void;
  data(bytes: Uint8Array): void;
  /** The server asks us to hold our bytes, or to go on. */
  suspended(suspended: boolean): void;
}

export interface Expected {
  /** What the answer begins with; others are passed over. */
  value?: number;
  /** Whether an answer is likely to be the one; another is taken for that only where none is overdue. */
  likely?: (answer: Uint8Array) => boolean;
  /** A server that has left this command unanswered is not waited for again, until it has answered after all. */
  once?: boolean;
  /** Called before the bytes behind the answer are passed on. */
  arrived?: () => void;
}

interface Waiter {
  command: number;
  expected: Expected;
  /** An answer that was not likely. */
  other: Uint8Array | undefined;
  resolve: (answer: Uint8Array | undefined) => void;
  reject: (error: Error) => void;
}

export class ComPort {
  readonly #peer: ComPortPeer;
  readonly #decoder: TelnetDecoder;
  readonly #options: TelnetOptions;
  readonly #waiters = new Set<Waiter>();
  /** By command: answers that nobody waits for any more. They may still come, and before any others. */
  readonly #overdue = new Map<number, number>();
  #negotiated: (() => void) | undefined;
  #ended: PortError | undefined;

  constructor(peer: ComPortPeer) {
    this.#peer = peer;
    const options = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT_OPTION];
    this.#options = new TelnetOptions(options, options, (bytes) => peer.send(bytes));
    this.#decoder = new TelnetDecoder({
      data: (bytes) => peer.data(bytes),
      option: (verb, option) => {
        this.#options.receive(verb, option);
        if (this.decided) this.#negotiated?.();
      },
      subnegotiation: (option, payload) => {
        if (option === COM_PORT_OPTION) this.#receive(payload);
      },
    });
  }

  /** Whether the server controls its port for us. Some offer it from their side instead of accepting ours. */
  get active(): boolean {
    return this.#options.ours(COM_PORT_OPTION) || this.#options.theirs(COM_PORT_OPTION);
  }

  get decided(): boolean {
    return this.active || this.#options.refused(COM_PORT_OPTION);
  }

  /** Whether all 256 byte values pass both ways (RFC 856). */
  get binary(): boolean {
    return this.#options.ours(BINARY) && this.#options.theirs(BINARY);
  }

  receive(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
  }

  /** Offers the options; resolves when the server has accepted or refused COM-PORT-OPTION. */
  async negotiate(): Promise<void> {
    const decided = new Promise<void>((resolve) => (this.#negotiated = resolve));
    this.#peer.send(this.#options.start([BINARY, SUPPRESS_GO_AHEAD]));
    if (!this.#ended) await decided;
    if (this.#ended) throw this.#ended;
  }

  /** One command as bytes, to be sent alone or together with others in one segment. */
  command(command: number, payload: readonly number[]): Uint8Array {
    return subnegotiation(COM_PORT_OPTION, Uint8Array.of(command, ...payload));
  }

  /** The command for a rate; 0 asks for the one in force. */
  setRate(baudRate: number): Uint8Array {
    return this.command(SET_BAUDRATE, [
      (baudRate >>> 24) & 0xff,
      (baudRate >>> 16) & 0xff,
      (baudRate >>> 8) & 0xff,
      baudRate & 0xff,
    ]);
  }

  /** The commands for 8N1 without flow control and without notices of CTS, DSR or errors. */
  plainSettings(): Uint8Array {
    return Buffer.concat([
      this.command(SET_DATASIZE, [8]),
      this.command(SET_PARITY, [1]),
      this.command(SET_STOPSIZE, [1]),
      this.command(SET_CONTROL, [NO_FLOW_CONTROL]),
      this.command(SET_LINESTATE_MASK, [0]),
      this.command(SET_MODEMSTATE_MASK, [0]),
    ]);
  }

  /**
   * Waits for the server's answer to a command, up to `timeoutMs`; `undefined` when none comes, as not every server
   * answers everything (Espressif's own leaves line changes unanswered). Call it before the command is sent.
   */
  answer(command: number, timeoutMs: number, expected: Expected = {}): Promise<Uint8Array | undefined> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (expected.once && this.#isOverdue(command)) {
      this.#owe(command, 1);
      return Promise.resolve(undefined);
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        this.#owe(command, 1);
        resolve(waiter.other);
      }, timeoutMs);
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        command,
        expected,
        other: undefined,
        resolve: (answer) => {
          done();
          expected.arrived?.();
          resolve(answer);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  #isOverdue(command: number): boolean {
    return (this.#overdue.get(command) ?? 0) > 0;
  }

  #owe(command: number, more: number): void {
    this.#overdue.set(command, Math.max(0, (this.#overdue.get(command) ?? 0) + more));
  }

  /** The connection has ended: no answer will come any more. */
  end(error: PortError): void {
    this.#ended = error;
    this.#negotiated?.();
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  #receive(payload: Uint8Array): void {
    const code = payload[0];
    if (code === undefined) return;
    const rest = payload.subarray(1);
    switch (code - SERVER) {
      case SIGNATURE:
        // Without text it is a question.
        if (rest.length === 0) this.#peer.send(this.command(SIGNATURE, [...OUR_NAME]));
        break;
      case FLOWCONTROL_SUSPEND:
        this.#peer.suspended(true);
        break;
      case FLOWCONTROL_RESUME:
        this.#peer.suspended(false);
        break;
      default:
        this.#answered(code - SERVER, rest);
    }
  }

  /** Line and modem state notices (106, 107) find no one waiting. */
  #answered(command: number, answer: Uint8Array): void {
    for (const waiter of this.#waiters) {
      const { value, likely } = waiter.expected;
      if (waiter.command !== command || (value !== undefined && value !== answer[0])) continue;
      if (!this.#isOverdue(command) || !likely || likely(answer)) {
        waiter.resolve(answer);
        return;
      }
      waiter.other = answer;
    }
    this.#owe(command, -1);
  }
}
