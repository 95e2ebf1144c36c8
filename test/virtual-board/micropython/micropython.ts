/**
 * A real MicroPython behind the virtual board's UART: the interpreter runs in a thread of its own
 * and behaves to the wire as an ESP32's UART REPL does, on the files in the flash it is given.
 */
import { Worker } from 'node:worker_threads';
import type { NorFlash } from '../nor-flash.ts';
import type { Program, ProgramHost } from '../program.ts';
import { Channel } from './channel.ts';
import { Interrupt } from './interrupt.ts';
import type { WorkerMessage, WorkerOptions } from './messages.ts';
import type { InterpreterName } from './webassembly.ts';

export interface MicroPythonOptions {
  /** Default `usual`. */
  interpreter?: InterpreterName;
  flash: NorFlash;
  /** The partition of the files. */
  vfs: { offset: number; size: number };
  /** What the image says it is; the interpreter says its own version, which is what its host talks to. */
  version: string;
  /** As in the banner: `Generic ESP32 module with ESP32`. */
  machine: string;
  mac: Uint8Array;
  /** `sys.platform` */
  platform: string;
  /** False: as a firmware from before raw paste mode. */
  rawPaste?: boolean;
  /** Built-in modules that this firmware was made without. */
  lacks?: readonly string[];
  /** What `gc` tells of, in bytes. */
  heapSize?: number;
  /**
   * Milliseconds between the looks at its UART, default 0: it is woken. Firmware of the ESP32 looks each 10 ms when it
   * waits for input, or for room in the FIFO of its output. Source: ports/esp32, `ulTaskNotifyTake(pdFALSE, 1)`.
   */
  tickMs?: number;
  /** `machine.reset_cause()`: 1 power-on, 2 EN pin, 3 watchdog, 4 deep sleep, 5 software. */
  resetCause?: number;
}

const HEAP_SIZE = 192 * 1024;
const POWER_ON = 1;

export class MicroPython implements Program {
  readonly #host: ProgramHost;
  readonly #channel = Channel.create();
  readonly #worker: Worker;
  #interrupt: Interrupt | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(host: ProgramHost, options: MicroPythonOptions) {
    this.#host = host;
    const workerData: WorkerOptions = {
      interpreter: options.interpreter ?? 'usual',
      channel: this.#channel.memory,
      tickMs: options.tickMs ?? 0,
      flash: options.flash.memory,
      vfs: options.vfs,
      machine: options.machine,
      mac: options.mac,
      platform: options.platform,
      rawPaste: options.rawPaste ?? true,
      lacks: options.lacks ?? [],
      heapSize: options.heapSize ?? HEAP_SIZE,
      resetCause: options.resetCause ?? POWER_ON,
    };
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
    this.#worker.on('message', (message: WorkerMessage) => {
      if (!this.#stopped) this.#hear(message);
    });
  }

  /** What the UART's interrupt handler does: Ctrl-C interrupts, the rest waits in the ring. */
  receive(bytes: Uint8Array): void {
    if (this.#stopped) return;
    for (const byte of bytes) {
      if (byte === this.#interrupt?.char) this.#interrupt.raise();
      else this.#channel.input.put(byte);
    }
    this.#channel.wake();
  }

  read(max: number): Uint8Array {
    if (this.#stopped) return new Uint8Array();
    this.#channel.outputSeen();
    const taken: number[] = [];
    while (taken.length < max) {
      const byte = this.#channel.output.get();
      if (byte === undefined) break;
      taken.push(byte);
    }
    if (taken.length > 0) this.#channel.wake();
    return Uint8Array.from(taken);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#watchdog);
    this.#channel.cutPower();
    void this.#worker.terminate();
  }

  #hear(message: WorkerMessage): void {
    switch (message.kind) {
      case 'output':
        this.#host.readable();
        break;
      case 'interruptible':
        this.#interrupt = new Interrupt(message.places);
        break;
      case 'watchdog-started':
        this.#watch(message.ms);
        break;
      case 'request':
        this.#host.request(message.request);
        this.#channel.answer();
    }
  }

  #watch(ms: number): void {
    clearTimeout(this.#watchdog);
    const fed = this.#channel.watchdogFeeds;
    this.#watchdog = setTimeout(() => {
      if (this.#channel.watchdogFeeds === fed) this.#host.request({ kind: 'watchdog' });
      else this.#watch(ms);
    }, ms);
  }
}
