/**
 * UART0 as the interpreter sees it: stdin and stdout that block, and the waiting in time.sleep(),
 * select.poll() and the like, which the module does by asking for the time again and again.
 */
import type { Channel } from './channel.ts';
import { WASI } from './errno.ts';
import type { Interrupt } from './interrupt.ts';
import type { Native } from './native.ts';
import type { WasmImports } from './webassembly.ts';

/**
 * The stream objects of `sys` get file descriptors of their own, far from those of files, because a
 * board treats them differently: text is cooked (`\n` goes out as `\r\n`, `\r` comes in as `\n`),
 * `.buffer` is not. 1 stays with the REPL itself.
 */
export const STDIN = 0;
export const CONSOLE = 1;
export const STDERR = 2;
export const STDIN_RAW = 1000;
export const STDOUT = 1001;
export const STDOUT_RAW = 1002;
/** `sys.stderr.buffer`; reading it is how `Native` raises. */
export const STDERR_RAW = 1003;

const POLLIN = 1;
const POLLOUT = 4;
const CR = 13;
const LF = 10;

/** So many questions for the same millisecond are a wait, not a measurement. */
const PATIENCE = 50;
const LONGEST_NAP_MS = 5;

export interface Surroundings {
  channel: Channel;
  /** Milliseconds between the looks at the UART of an interpreter that waits for it; 0: it is woken. */
  tickMs: number;
  memory: () => Uint8Array;
  /** Both are known only once the interpreter is there. */
  interrupt?: Interrupt;
  native?: Native;
  /** The other thread is to fetch output. */
  tell: () => void;
  /** Runs timers that are due, if any; the milliseconds to the next one. */
  runTimers: () => number | undefined;
}

export class Stdio {
  readonly #around: Surroundings;
  readonly #start = performance.now();
  #consoleFilter: (chunk: string) => string | undefined = () => undefined;
  #lastTick = -1;
  #sameTick = 0;
  #nap = 1;
  #ticksSincePoll = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** What the REPL itself writes passes here in the pieces it writes; a string replaces one. */
  filterConsole(filter: (chunk: string) => string | undefined): void {
    this.#consoleFilter = filter;
  }

  /** Blocks until the wire has taken all but the last 128 bytes. */
  send(bytes: Uint8Array | string): void {
    const { channel, tell } = this.#around;
    this.#nap = 1;
    for (const byte of typeof bytes === 'string' ? Buffer.from(bytes) : bytes) {
      for (let seen = channel.event; !channel.output.put(byte); seen = channel.event) {
        if (channel.tellOutput()) tell();
        this.#rest(seen);
      }
    }
    if (channel.tellOutput()) tell();
  }

  sendText(text: string): void {
    this.send(cook(Buffer.from(text)));
  }

  /** Blocks until all is on the wire, as `esp_restart()` does. */
  drain(): void {
    const { channel } = this.#around;
    for (let seen = channel.event; channel.output.length > 0; seen = channel.event) channel.wait(seen);
  }

  /** One byte for the REPL. */
  receive(): number {
    for (;;) {
      const byte = this.#tryReceive();
      if (byte !== undefined) return byte;
    }
  }

  /** For running code: Ctrl-C raises. */
  receiveInterruptibly(): number {
    for (;;) {
      const byte = this.#tryReceive();
      if (byte !== undefined) return byte;
      this.#around.native?.handlePending();
    }
  }

  /** Undefined if something was pending first. */
  #tryReceive(): number | undefined {
    const { channel, interrupt, runTimers } = this.#around;
    for (;;) {
      const seen = channel.event;
      const byte = channel.input.get();
      if (byte !== undefined) return byte;
      if (interrupt?.isPending === true) return undefined;
      this.#rest(seen, runTimers());
    }
  }

  /** Until something happened since `seen`, at most `ms`; where that wakes nobody, until the next tick. */
  #rest(seen: number, ms?: number): void {
    const { channel, tickMs } = this.#around;
    if (tickMs === 0) {
      channel.wait(seen, ms);
      return;
    }
    const now = performance.now();
    const tick = Math.floor(now / tickMs + 1) * tickMs;
    for (let left = tick - now; left > 0; left = tick - performance.now()) channel.wait(channel.event, left);
  }

  /** Lets time pass, as a sleeping program does. */
  #doze(ms: number): void {
    const { channel, interrupt, native, runTimers } = this.#around;
    const seen = channel.event;
    if (interrupt?.isPending !== true) channel.wait(seen, ms);
    runTimers();
    if (interrupt?.isPending === true) native?.handlePending();
  }

  /** Waits without a program running. */
  idleUntil(ready: () => boolean): void {
    const { channel } = this.#around;
    for (let seen = channel.event; !ready(); seen = channel.event) channel.wait(seen, LONGEST_NAP_MS);
  }

  install(imports: WasmImports): void {
    const files = {
      read: imports['fd_read'] as (fd: number, vectors: number, count: number, done: number) => number,
      write: imports['fd_write'] as (fd: number, vectors: number, count: number, done: number) => number,
    };
    const isOurs = (fd: number) => fd <= STDERR || fd >= STDIN_RAW;
    Object.assign(imports, {
      fd_read: (fd: number, vectors: number, count: number, done: number) =>
        isOurs(fd) ? this.#read(fd, vectors, done) : files.read(fd, vectors, count, done),
      fd_write: (fd: number, vectors: number, count: number, done: number) =>
        isOurs(fd) ? this.#write(fd, vectors, count, done) : files.write(fd, vectors, count, done),
      __syscall_poll: (fds: number, count: number) => this.#poll(fds, count),
      mp_js_ticks_ms: () => this.#ticks(),
    } satisfies Record<string, (...args: never[]) => number>);
  }

  #words(): DataView {
    return new DataView(this.#around.memory().buffer);
  }

  #vector(at: number): Uint8Array {
    const words = this.#words();
    const start = words.getUint32(at, true);
    return this.#around.memory().subarray(start, start + words.getUint32(at + 4, true));
  }

  #read(fd: number, vectors: number, done: number): number {
    if (fd === STDERR_RAW) {
      this.#words().setUint32(done, 0, true);
      return this.#around.native?.answer() ?? 0;
    }
    const target = this.#vector(vectors);
    // As on the chip, where a read of n bytes takes n characters one by one.
    for (let i = 0; i < target.length; i++) {
      const byte = this.#tryReceive();
      if (byte === undefined) return WASI.EINTR;
      target[i] = fd === STDIN && byte === CR ? LF : byte;
    }
    this.#nap = 1;
    this.#words().setUint32(done, target.length, true);
    return 0;
  }

  #write(fd: number, vectors: number, count: number, done: number): number {
    let total = 0;
    for (let i = 0; i < count; i++) {
      const bytes = this.#vector(vectors + i * 8).slice();
      total += bytes.length;
      if (fd === CONSOLE) this.send(this.#consoleFilter(Buffer.from(bytes).toString('latin1')) ?? bytes);
      else this.send(fd === STDOUT_RAW || fd === STDERR_RAW ? bytes : cook(bytes));
    }
    this.#words().setUint32(done, total, true);
    return 0;
  }

  /** `struct pollfd`: fd, 16 bits of events, 16 bits of answers. */
  #poll(fds: number, count: number): number {
    const { channel } = this.#around;
    const words = this.#words();
    const answer = () => {
      let ready = 0;
      for (let at = fds; at < fds + count * 8; at += 8) {
        const fd = words.getInt32(at, true);
        const can = fd === STDIN || fd === STDIN_RAW ? (channel.input.length > 0 ? POLLIN : 0) : POLLOUT;
        const answers = can & words.getInt16(at + 4, true);
        words.setInt16(at + 6, answers, true);
        if (answers !== 0) ready++;
      }
      return ready;
    };
    const seen = channel.event;
    let ready = answer();
    // A loop that waits asks for the time once between two polls; two polls by the program have
    // the end of the first and the start of the second between them.
    if (ready === 0 && this.#ticksSincePoll === 1) {
      this.#rest(seen, 1);
      this.#around.runTimers();
      ready = answer();
    }
    this.#ticksSincePoll = 0;
    return ready;
  }

  #ticks(): number {
    this.#ticksSincePoll++;
    const now = Math.floor(performance.now() - this.#start);
    if (now !== this.#lastTick) {
      if (this.#sameTick <= PATIENCE) this.#nap = 1;
      this.#lastTick = now;
      this.#sameTick = 0;
    } else if (++this.#sameTick > PATIENCE) {
      this.#doze(Math.floor(this.#nap));
      this.#nap = Math.min(this.#nap * 1.1, LONGEST_NAP_MS);
      return Math.floor(performance.now() - this.#start);
    }
    return now;
  }
}

/** `\n` → `\r\n` */
function cook(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(LF)) return bytes;
  return Uint8Array.from([...bytes].flatMap((byte) => (byte === LF ? [CR, LF] : [byte])));
}
