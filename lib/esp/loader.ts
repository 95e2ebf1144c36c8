/**
 * A conversation with an Espressif loader: one request, one answer. What ROM and stub do differently
 * is data in `LoaderMode`; what chips do differently is data in `chips.ts`.
 */
import { Inbox } from '../transport/inbox.ts';
import { PortError } from '../transport/errors.ts';
import type { Transport } from '../transport/transport.ts';
import { mishapIn } from './boot-log.ts';
import type { Chip } from './chips.ts';
import { EspError, isEspError } from './errors.ts';
import { decodeAnswer, encodeRequest, OPS, reasonText, words } from './protocol.ts';
import type { Answer, Operation } from './protocol.ts';
import { encodeFrame, FrameDecoder } from './slip.ts';

/** How the program that answers, mask ROM or stub, does things. */
export interface LoaderMode {
  name: 'ROM' | 'stub';
  /** Bytes of flash or RAM data in one block. */
  flashBlock: number;
  /** Whether *_BEGIN takes the fifth word "encrypted". */
  takesEncrypted: boolean;
  /** MD5 as 16 raw bytes, or as 32 hex characters. */
  md5Length: 16 | 32;
  /** Whether it is sure to inflate what it is sent. */
  inflates: boolean;
  /** Whether DEFL_BEGIN wants the true size (stub) or whole blocks (ROM, which erases by it up front). */
  wantsTrueSize: boolean;
}

export const STUB_MODE: LoaderMode = {
  name: 'stub',
  flashBlock: 0x4000,
  takesEncrypted: true,
  md5Length: 16,
  inflates: true,
  wantsTrueSize: true,
};

export function romMode(chip: Chip | undefined): LoaderMode {
  return {
    name: 'ROM',
    flashBlock: 0x400,
    takesEncrypted: chip?.romTakesEncrypted ?? false,
    md5Length: 32,
    inflates: true,
    wantsTrueSize: false,
  };
}

/** What a *_BEGIN announces. */
export interface Beginning {
  /** Bytes to erase and write, from `offset` on. */
  size: number;
  blocks: number;
  offset: number;
  /** The chip encrypts what it writes. */
  encrypted?: boolean;
}

/** The parameters of FLASH_BEGIN and FLASH_DEFL_BEGIN. */
export function beginBody(mode: LoaderMode, { size, blocks, offset, encrypted }: Beginning): Uint8Array {
  return words(size, blocks, mode.flashBlock, offset, ...(mode.takesEncrypted ? [encrypted ? 1 : 0] : []));
}

/** Milliseconds; the shortest time any command is given (esptool's default as well). */
export const DEFAULT_TIMEOUT_MS = 3000;
/** A ROM answers an unknown command eight times; what is underway after an error is waited out this long. */
const QUIET_MS = 200;
/** The longest text kept as evidence: several boot logs. */
const MAX_LOG = 8192;

export interface CommandOptions {
  /** XOR checksum, for data blocks only. */
  check?: number;
  timeoutMs?: number;
  /** Bytes before the status in the answer. */
  resultLength?: number;
}

export interface CommandResult {
  value: number;
  result: Uint8Array;
}

/** A request as it goes over the wire; `check` is the XOR checksum of a data block. */
export function requestFrame(operation: Operation, data: Uint8Array, check?: number): Uint8Array {
  return encodeFrame(encodeRequest(operation, data, check));
}

/** `undefined` when the time of a read is over; other errors are thrown on. */
async function inTime<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof PortError && error.code === 'read-timeout') return undefined;
    throw error;
  }
}

/** `tail`: what the chip said instead. */
function unanswered(operation: string, timeoutMs: number, tail = ''): EspError {
  const heard = mishapIn(tail);
  const facts = { operation, timeoutMs, ...(heard ? { heard, tail } : {}) };
  return new EspError('command-timeout', `${operation} was not answered within ${timeoutMs} ms`, facts);
}

export class Loader {
  readonly transport: Transport;
  readonly signal: AbortSignal;
  mode: LoaderMode = romMode(undefined);
  readonly #inbox: Inbox;
  readonly #decoder = new FrameDecoder((bytes) => this.#keepText(bytes));
  #frames: Uint8Array[] = [];
  #log = '';
  /** The part of it behind the last frame: what the chip says instead of an answer. */
  #sinceFrame = '';

  /** Takes over the transport's bytes until the caller listens to it again. */
  constructor(transport: Transport, signal: AbortSignal) {
    this.transport = transport;
    this.signal = signal;
    this.#inbox = new Inbox(transport);
  }

  /** Text that came between frames: the boot log, or what the chip cried when it crashed. */
  get log(): string {
    return this.#log;
  }

  /**
   * Sends a command and waits for its answer.
   * Throws `EspError` 'command-failed', 'command-unsupported', 'command-timeout' or 'bad-answer';
   * `PortError` when the port is lost.
   */
  async command(
    operation: Operation,
    data: Uint8Array = new Uint8Array(),
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    return this.exchange(operation, requestFrame(operation, data, options.check), options);
  }

  /** As `command`, with a request that was put into its frame before (`requestFrame`). */
  async exchange(
    operation: Operation,
    frame: Uint8Array,
    options: Omit<CommandOptions, 'check'> = {},
  ): Promise<CommandResult> {
    await this.transport.write(frame);
    return this.#result(operation, await this.#answerTo(operation, options), options.resultLength ?? 0);
  }

  /** The values of further answers to a command, until there were `count` or none came for `quietMs`. */
  async furtherAnswers(operation: Operation, count: number, quietMs: number): Promise<number[]> {
    const values: number[] = [];
    while (values.length < count) {
      try {
        values.push((await this.#answerTo(operation, { timeoutMs: quietMs })).value);
      } catch (error) {
        if (!isEspError(error, 'command-timeout')) throw error;
        break;
      }
    }
    return values;
  }

  async readRegister(address: number): Promise<number> {
    return (await this.command('READ_REG', words(address))).value;
  }

  /** Sets the bits in `mask`. */
  async writeRegister(address: number, value: number, mask = 0xffffffff): Promise<void> {
    await this.command('WRITE_REG', words(address, value, mask, 0));
  }

  /** Sets several in this order, by one command. */
  async writeRegisters(...writes: readonly (readonly [address: number, value: number])[]): Promise<void> {
    await this.command('WRITE_REG', words(...writes.flatMap(([to, value]) => [to, value, 0xffffffff, 0])));
  }

  /**
   * The next frame whatever it is (OHAI, raw data of a flash read).
   * Throws `EspError` 'command-timeout' naming `operation`.
   */
  async nextFrame(operation: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Uint8Array> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) {
        this.#sinceFrame = '';
        return frame;
      }
      const chunk = await this.#receive(Math.max(0, deadline - performance.now()));
      if (!chunk) {
        throw unanswered(operation, timeoutMs, this.#sinceFrame);
      }
      this.#frames.push(...this.#decoder.push(chunk));
    }
  }

  /**
   * Sends a command that starts another program, and waits for that one's greeting. The answer is not looked at: the
   * stub changes the clock while half of it is still to be sent, and what is left may swallow the mark at which the
   * greeting's frame begins. Throws as `nextFrame`.
   */
  async handOver(operation: Operation, data: Uint8Array, greeting: string): Promise<void> {
    const end = encodeFrame(Buffer.from(greeting)).subarray(1);
    await this.transport.write(requestFrame(operation, data));
    const wait = { timeoutMs: DEFAULT_TIMEOUT_MS, signal: this.signal };
    const seen = await inTime(this.#inbox.until(end, wait));
    this.#frames = [];
    this.#decoder.reset();
    if (seen) return;
    this.#keepText(this.#inbox.take());
    throw unanswered(operation, DEFAULT_TIMEOUT_MS, this.#sinceFrame);
  }

  /** Sends one frame that is no command (the acknowledgement of a flash read). */
  async sendFrame(payload: Uint8Array): Promise<void> {
    await this.transport.write(encodeFrame(payload));
  }

  /** Reads and drops frames until none came for `quietMs`. Returns how many there were. */
  async drain(quietMs: number = QUIET_MS): Promise<number> {
    let count = 0;
    for (;;) {
      count += this.#frames.length;
      this.#frames = [];
      const chunk = await this.#receive(quietMs);
      if (!chunk) return count;
      this.#frames.push(...this.#decoder.push(chunk));
    }
  }

  /** Keeps reading for so long, or until the port goes away: then throws `PortError` 'port-lost'. */
  async untilLost(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const chunk = await this.#receive(Math.max(0, deadline - performance.now()));
      if (!chunk) return;
      this.#frames.push(...this.#decoder.push(chunk));
    }
  }

  /** Bytes as they come, or nothing within the time. */
  async #receive(timeoutMs: number): Promise<Uint8Array | undefined> {
    return inTime(this.#inbox.some({ timeoutMs, signal: this.signal }));
  }

  async #answerTo(operation: Operation, options: CommandOptions): Promise<Answer> {
    const deadline = performance.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    for (;;) {
      const frame = await this.nextFrame(operation, Math.max(0, Math.ceil(deadline - performance.now())));
      const answer = decodeAnswer(frame);
      if (answer?.op === OPS[operation]) return answer;
      // A mask ROM answers a command it does not know under the op before it, status 01 05.
      if (answer && answer.body[0] === 1 && answer.body[1] === 5) {
        await this.drain();
        throw new EspError('command-unsupported', `the loader does not know ${operation}`, { operation });
      }
    }
  }

  #result(operation: Operation, answer: Answer, resultLength: number): CommandResult {
    const { body } = answer;
    // A refusal comes without the result; the status then stands first.
    const statusAt = body.length >= resultLength + 2 ? resultLength : 0;
    const [failed, second] = body.subarray(statusAt);
    if (failed === undefined || second === undefined) {
      throw new EspError('bad-answer', `the answer to ${operation} has no status`, {
        operation,
        hex: Buffer.from(body).toString('hex'),
      });
    }
    if (failed !== 0 || (statusAt === 0 && resultLength > 0)) {
      // A ROM says 01 and then the reason; the stub says the reason itself and then 00.
      const reason = failed > 1 ? failed : second;
      const meaning = reasonText(reason);
      throw new EspError('command-failed', `${operation} failed: ${meaning}`, { operation, reason, meaning });
    }
    return { value: answer.value, result: body.subarray(0, resultLength) };
  }

  #keepText(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString('latin1');
    this.#log = (this.#log + text).slice(-MAX_LOG);
    this.#sinceFrame = (this.#sinceFrame + text).slice(-MAX_LOG);
  }
}
