/** What a chip does from one reset to the next. It has a life in its loader, or one with a program from its flash. */

import type { ResetReason } from './chips.ts';

export interface Life {
  /** Rejects with a `ChipReset` when it is cut short. */
  run(): Promise<void>;
  /** Bytes as they are on the wire, at the host's rate. */
  hear(bytes: Uint8Array, hostBaud: number): void;
}

/** How a life ends by itself. */
export interface Ends {
  /** Straps are not read anew: unless told otherwise the chip stays in its loader if they say so. */
  reset(reason: ResetReason, download?: boolean): void;
  /** Reset into the loader, whatever the straps say. */
  enterLoader(): void;
  /** Silence for so long, then reset. */
  deepSleep(ms: number): void;
}

/** Why code that waits in the chip ends: it was reset. */
export class ChipReset extends Error {
  override name = 'ChipReset';
}
