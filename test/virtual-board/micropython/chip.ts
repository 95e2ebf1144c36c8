/**
 * The functions behind the board's Python modules (`board/*.py`), in numbers and strings, because
 * only these cross between the two languages without leaving something behind.
 */
import { NorFlash, SECTOR_SIZE } from '../nor-flash.ts';
import type { ChipRequest } from '../program.ts';
import type { Channel } from './channel.ts';
import { toPosix } from './errno.ts';
import type { Files } from './files.ts';
import { ROOT } from './files.ts';
import type { WorkerMessage, WorkerOptions } from './messages.ts';
import type { Native } from './native.ts';
import type { Stdio } from './stdio.ts';
import type { Timers } from './timers.ts';
import { UartClock } from './uart-clock.ts';
import type { PythonCallable, PythonObject } from './webassembly.ts';

const CTRL_D = 4;
const BACKSPACES = [8, 127];
const LINE_ENDS = [10, 13];

export interface ChipParts {
  options: WorkerOptions;
  channel: Channel;
  stdio: Stdio;
  files: Files;
  timers: Timers;
  memory: () => Uint8Array;
  native: () => Native;
  post: (message: WorkerMessage) => void;
}

/** Survives soft resets, as registers and the clock do. */
export class Chip {
  readonly #parts: ChipParts;
  readonly #flash: NorFlash;
  readonly #uart: UartClock;
  #clockOffset = 0;
  #lister: PythonCallable | undefined;
  /** Nothing tells when Python is done with it; by the next time it holds its own reference. */
  #listed: PythonObject | undefined;

  constructor(parts: ChipParts) {
    this.#parts = parts;
    this.#uart = new UartClock(parts.options.machine);
    this.#flash = new NorFlash(parts.options.flash);
  }

  /** Asks the chip and never comes back: what follows is a reset. */
  leave(request: ChipRequest): never {
    const { channel, stdio, post } = this.#parts;
    stdio.drain();
    post({ kind: 'request', request });
    for (;;) channel.wait(channel.event);
  }

  #poke(address: number, value: number): void {
    const baudRate = this.#uart.write(address, value);
    if (baudRate === undefined) return;
    // What is written before goes out at the old rate, what is written after at the new one.
    const { channel, stdio, post } = this.#parts;
    stdio.drain();
    channel.ask(() => post({ kind: 'request', request: { kind: 'uart-baud', baudRate } }));
  }

  /** `input()`: the module's own waits for ever. */
  #input(prompt: unknown): string {
    const { stdio } = this.#parts;
    if (typeof prompt === 'string' || typeof prompt === 'number') stdio.sendText(String(prompt));
    const line: number[] = [];
    for (;;) {
      const byte = stdio.receiveInterruptibly();
      if (LINE_ENDS.includes(byte)) break;
      if (byte === CTRL_D && line.length === 0) break;
      if (BACKSPACES.includes(byte)) {
        if (line.pop() !== undefined) stdio.send('\b \b');
      } else if (byte >= 32) {
        line.push(byte);
        stdio.send(Uint8Array.of(byte));
      }
    }
    stdio.send('\r\n');
    return Buffer.from(line).toString();
  }

  /** `os.ilistdir()` as littlefs has it: with sizes, and by name. */
  #list(path: string): unknown {
    const { files, native } = this.#parts;
    const entries = files.list(path);
    if (typeof entries === 'number') {
      native().raise(toPosix(entries));
      return null;
    }
    native().free(this.#listed);
    this.#listed = this.#lister?.(
      JSON.stringify(
        entries.map(({ name, isDir, size }) => [name, isDir ? 0x4000 : 0x8000, 0, isDir ? 0 : size]),
      ),
    ) as PythonObject;
    return this.#listed;
  }

  /** What `import _board` gives while the board's own Python is set up. */
  functions(): Record<string, unknown> {
    this.#listed = undefined;
    const { options, channel, timers, files, memory, post } = this.#parts;
    const none = (run: () => void) => {
      run();
      return null;
    };
    return {
      machine: options.machine,
      platform: options.platform,
      heap: options.heapSize,
      lacks: options.lacks.join(' '),
      root: ROOT,
      flash_size: this.#flash.size,
      vfs_offset: options.vfs.offset,
      vfs_size: options.vfs.size,
      mac: (i: number) => options.mac[i] ?? 0,
      random: () => Math.floor(Math.random() * 256),
      reset_cause: () => options.resetCause,
      clock_offset: () => this.#clockOffset,
      set_clock: (seconds: number) => none(() => (this.#clockOffset += seconds)),
      pin: () => null,
      lister: (lister: PythonCallable) => none(() => (this.#lister = lister)),
      list: (path: string) => this.#list(path),
      format: () => none(() => files.format()),
      input: (prompt?: unknown) => this.#input(prompt),
      request: (kind: string, ms: number) =>
        this.leave(kind === 'deep-sleep' ? { kind, ms } : ({ kind } as ChipRequest)),
      peek: (high: number, low: number) => this.#uart.read(((high << 16) | low) >>> 0) | 0,
      poke: (high: number, low: number, valueHigh: number, valueLow: number) =>
        none(() => this.#poke(((high << 16) | low) >>> 0, ((valueHigh << 16) | valueLow) >>> 0)),
      start_watchdog: (ms: number) => none(() => post({ kind: 'watchdog-started', ms })),
      feed_watchdog: () => none(() => channel.feedWatchdog()),
      start_timer: (fire: PythonCallable, ms: number, mode: number) => timers.start(fire, ms, mode === 1),
      stop_timer: (handle: number) => none(() => timers.stop(handle)),
      flash_read: (offset: number, at: number, length: number) =>
        none(() => memory().set(this.#flash.read(offset, length), at)),
      flash_write: (offset: number, at: number, length: number) =>
        none(() => channel.whilePowered(() => this.#flash.program(offset, memory().slice(at, at + length)))),
      flash_erase: (sector: number) =>
        none(() => channel.whilePowered(() => this.#flash.erase(sector * SECTOR_SIZE, SECTOR_SIZE))),
    };
  }
}
