/** What a board is made of, and what it tells. */

import type { ChipFacts, ChipName, ResetReason } from './chips.ts';
import type { Clock } from './clock.ts';
import type { AppDescriptor, Partition } from './image.ts';
import type { NorFlash } from './nor-flash.ts';
import type { Protection } from './protection.ts';
import type { Program, ProgramHost } from './program.ts';

export interface BoardOptions {
  chip: ChipName;
  flash: NorFlash;
  mac?: Uint8Array;
  clock?: Clock;
  timing?: 'datasheet' | 'none';
  /** Milliseconds EN takes to rise once nothing pulls it low. */
  enRiseMs?: number;
  /** Silence between `entry` and the start of the program. */
  bootMs?: number;
  /** Rate of the program's console, where its firmware was built with another than 115200. */
  replBaud?: number;
  /** Milliseconds a USB adapter keeps bytes for more to come; 0: it does not. */
  latencyMs?: number;
  /** What the ROM does with the first sync after a reset: some are lost while it learns the rate. */
  firstSync?: 'lost' | 'answered';
  seed?: number;
  /** The host is on the chip's own USB: no rate on the wire; watchdogs run on through its resets (`jtag`). */
  usb?: 'otg' | 'jtag';
  /** What the chip's owner has burnt; nothing by default. */
  protection?: Protection;
  /** Registers with other values than the chip's own, e.g. fuses of another revision. */
  registers?: readonly (readonly [address: number, value: number])[];
  /** Another crystal than the chip usually has. */
  crystalMhz?: number;
  /** Folders with other releases of the official stubs. */
  stubFolders?: string[];
  createProgram: (host: ProgramHost, boot: ProgramBoot) => Program;
  onEvent?: (event: BoardEvent) => void;
}

export interface ProgramBoot {
  descriptor: AppDescriptor | undefined;
  partitions: Partition[];
  app: Partition | undefined;
  flash: NorFlash;
  mac: Uint8Array;
  chip: ChipFacts;
  reason: ResetReason;
}

export interface BoardEvent {
  /** Milliseconds of the board's clock. */
  at: number;
  name: string;
  facts: Record<string, unknown>;
}
