/** What passes between a board's process and the one that started it. */

import type { BoardEvent } from './board-options.ts';
import type { Fault } from './faults.ts';

export interface BoardAddresses {
  /** `rfc2217://127.0.0.1:PORT` */
  rfc2217?: string;
  /** Path of the pty, or of the link to it. */
  pty?: string;
  /** The first path of the port on the chip's own USB. */
  usb?: string;
}

export interface BoardStats {
  /** Bytes that left each sender. */
  toHost: number;
  toChip: number;
  /** Bytes harmed by faults. */
  drop: number;
  flip: number;
  duplicate: number;
}

export type Control =
  | { do: 'pressEn'; ms: number }
  | { do: 'holdBoot'; held: boolean }
  | { do: 'unplug'; ms: number; newPath: boolean }
  | { do: 'usbLines'; dtr: boolean; rts: boolean }
  | { do: 'fault'; fault: Fault }
  | { do: 'clearFaults' }
  | { do: 'readFlash'; offset: number; length: number }
  | { do: 'writeFlash'; offset: number; bytes: Uint8Array }
  | { do: 'stats' }
  | { do: 'close' };

export type ToBoard = Control & { id: number };

export type FromBoard =
  | { kind: 'ready'; addresses: BoardAddresses }
  | { kind: 'failed'; message: string }
  | { kind: 'event'; event: BoardEvent }
  | { kind: 'answer'; id: number; value?: unknown; error?: string };
