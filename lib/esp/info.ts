/** What a board is and what is on it, read without changing anything. */
import { findMicroPython } from './firmware.ts';
import type { Firmware } from './firmware.ts';
import type { Partition } from './partitions.ts';
import { partitionsOnBoard } from './plan.ts';
import { readFlash } from './read.ts';
import type { SecurityInfo } from './identify.ts';
import type { BoardFacts, Session } from './session.ts';

export interface BoardInfo extends BoardFacts {
  /** JEDEC id of the flash chip, `ef4016` for a common 4 MB one. */
  flashId: string;
  /** Absent on chips that cannot tell (ESP32, ESP8266). */
  security?: SecurityInfo;
  /** Empty without a partition table. */
  partitions: Partition[];
  /** MicroPython in the first application that has it. */
  micropython?: Firmware['micropython'];
}

const APP_TYPE = 0;
/** The banner lies among the constants, which come first in an application. */
const SEARCHED = 0x20000;

/** Throws as every command of the loader. */
export async function boardInfo({ loader, facts, flashId, security }: Session): Promise<BoardInfo> {
  const partitions = (await partitionsOnBoard(loader)) ?? [];
  const info: BoardInfo = { ...facts, flashId, partitions, ...(security ? { security } : {}) };
  for (const { type, offset, size } of partitions) {
    if (type !== APP_TYPE) continue;
    const micropython = findMicroPython(await readFlash(loader, offset, Math.min(size, SEARCHED)));
    if (micropython) return { ...info, micropython };
  }
  return info;
}
