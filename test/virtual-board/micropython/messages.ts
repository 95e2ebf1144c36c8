/** What the two threads say to each other besides the bytes in the channel. */
import type { ChipRequest } from '../program.ts';
import type { InterruptPlaces } from './interrupt.ts';
import type { InterpreterName } from './webassembly.ts';

export interface WorkerOptions {
  interpreter: InterpreterName;
  channel: SharedArrayBuffer;
  tickMs: number;
  flash: SharedArrayBuffer;
  vfs: { offset: number; size: number };
  machine: string;
  mac: Uint8Array;
  platform: string;
  rawPaste: boolean;
  lacks: readonly string[];
  heapSize: number;
  resetCause: number;
}

export type WorkerMessage =
  /** There is output to take. */
  | { kind: 'output' }
  /** From now on Ctrl-C can be raised. */
  | { kind: 'interruptible'; places: InterruptPlaces }
  /** `machine.WDT(timeout=ms)`: it cannot be stopped again. */
  | { kind: 'watchdog-started'; ms: number }
  | { kind: 'request'; request: ChipRequest };
