/** What a board is and what is on it, read without changing anything. */
import { revisionText } from './describe.ts';
import type { ChipDescription } from './describe.ts';
import { findMicroPython } from './firmware.ts';
import type { Firmware } from './firmware.ts';
import { appDescriptorAt } from './image.ts';
import type { AppDescriptor } from './image.ts';
import type { Loader } from './loader.ts';
import type { Partition } from './partitions.ts';
import { partitionsOnBoard } from './plan.ts';
import { isReadable } from './protection.ts';
import { readFlash } from './read.ts';
import type { SecurityInfo } from './identify.ts';
import type { BoardFacts, Session } from './session.ts';

export interface BoardInfo extends BoardFacts, Omit<ChipDescription, 'revision'> {
  /** `v3.1`; absent on the ESP8266, which has none. */
  revision?: string;
  /** JEDEC id of the flash chip, `ef4016` for a common 4 MB one. */
  flashId?: string;
  /** Absent on chips that have nothing of it (ESP8266). */
  security?: SecurityInfo;
  /** Empty without a partition table, and where the flash cannot be read. */
  partitions: Partition[];
  /** MicroPython in the first application that has it. */
  micropython?: Firmware['micropython'];
  /** What the first application says of itself. */
  application?: AppDescriptor & { label: string };
}

const APP_TYPE = 0;
/** The banner lies among the constants, which come first in an application. */
const SEARCHED = 0x20000;
/** A mask ROM gives 64 bytes a question. */
const SEARCHED_BY_ROM = 0x8000;

/**
 * Throws as every command of the loader. In Secure Download Mode, where the chip tells nothing else, there are only
 * its name and its protections.
 */
export async function boardInfo(session: Session): Promise<BoardInfo> {
  const { loader, facts, flashId, security, description } = session;
  const { revision, ...rest } = description;
  const partitions = isReadable(session) ? ((await partitionsOnBoard(loader)) ?? []) : [];
  return {
    ...facts,
    ...rest,
    ...(revision === undefined ? {} : { revision: revisionText(revision) }),
    ...(flashId === undefined ? {} : { flashId }),
    ...(security ? { security } : {}),
    partitions,
    ...(await firmwareOn(loader, partitions)),
  };
}

/** Of several applications, the first that says most: which one starts is told by its otadata. */
async function firmwareOn(
  loader: Loader,
  partitions: readonly Partition[],
): Promise<Pick<BoardInfo, 'micropython' | 'application'>> {
  const searched = loader.mode.name === 'ROM' ? SEARCHED_BY_ROM : SEARCHED;
  let found: Pick<BoardInfo, 'application'> = {};
  for (const { type, offset, size, label } of partitions) {
    if (type !== APP_TYPE) continue;
    const bytes = await readFlash(loader, offset, Math.min(size, searched));
    const descriptor = appDescriptorAt(bytes);
    const application = descriptor ? { application: { ...descriptor, label } } : {};
    const micropython = findMicroPython(bytes);
    if (micropython) return { ...application, micropython };
    if (!('application' in found)) found = application;
  }
  return found;
}
