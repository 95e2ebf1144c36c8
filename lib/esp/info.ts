/** What a board is and what is on it, read without changing anything. */
import { partitionsOnBoard } from './board-table.ts';
import { revisionText } from './describe.ts';
import type { ChipDescription } from './describe.ts';
import { findMicroPython } from './firmware.ts';
import type { Firmware } from './firmware.ts';
import { appDescriptorAt } from './image.ts';
import type { AppDescriptor } from './image.ts';
import type { Loader } from './loader.ts';
import { applicationOnBoard } from './ota.ts';
import { isApplication } from './partitions.ts';
import type { Partition } from './partitions.ts';
import { isReadable } from './protection.ts';
import { readFlash } from './read.ts';
import type { SecurityDetails, SecurityInfo } from './identify.ts';
import type { BoardFacts, Session } from './session.ts';

export interface BoardInfo extends BoardFacts, Omit<ChipDescription, 'revision'> {
  /** `v3.1`; absent on the ESP8266, which has none. */
  revision?: string;
  /** JEDEC id of the flash chip, `ef4016` for a common 4 MB one. */
  flashId?: string;
  /** Absent on chips that have nothing of it (ESP8266). */
  security?: SecurityInfo & Partial<SecurityDetails>;
  /** Empty without a partition table, and where the flash cannot be read. */
  partitions: Partition[];
  /** MicroPython in the application that starts, or in the first that has it. */
  micropython?: Firmware['micropython'];
  /** What that application says of itself. */
  application?: AppDescriptor & { label: string };
}

const WHOLE = { offset: 0, size: Infinity, label: 'flash' };
/** The banner lies among the constants, which come first in an application. */
const SEARCHED = 0x20000;
/** A mask ROM gives 64 bytes a question. */
const SEARCHED_BY_ROM = 0x8000;

/**
 * Throws as every command of the loader. In Secure Download Mode, where the chip tells nothing else, there are only
 * its name and its protections.
 */
export async function boardInfo(session: Session): Promise<BoardInfo> {
  const { loader, chip, facts, flashId, security, description } = session;
  const { revision, ...rest } = description;
  const hasFlash = session.reach !== undefined && isReadable(session);
  // The ESP8266 has one program, at the begin of its flash.
  const isSimple = hasFlash && chip.romIsMinimal === true;
  const partitions = hasFlash && !isSimple ? ((await partitionsOnBoard(loader, chip)) ?? []) : [];
  return {
    ...facts,
    ...rest,
    ...(revision === undefined ? {} : { revision: revisionText(revision) }),
    ...(flashId === undefined ? {} : { flashId }),
    ...(security ? { security: { ...security, ...session.details } } : {}),
    partitions,
    ...(isSimple ? await firmwareIn(loader, WHOLE) : await firmwareOn(loader, partitions)),
  };
}

/** What is found in the application that starts, else in the others. */
async function firmwareOn(
  loader: Loader,
  partitions: readonly Partition[],
): Promise<Pick<BoardInfo, 'micropython' | 'application'>> {
  const booted = await applicationOnBoard(loader, partitions);
  const others = partitions.filter((partition) => isApplication(partition) && partition !== booted);
  for (const partition of booted ? [booted, ...others] : others) {
    const found = await firmwareIn(loader, partition);
    if (found.application ?? found.micropython) return found;
  }
  return {};
}

async function firmwareIn(
  loader: Loader,
  { offset, size, label }: Pick<Partition, 'offset' | 'size' | 'label'>,
): Promise<Pick<BoardInfo, 'micropython' | 'application'>> {
  const searched = loader.mode.name === 'ROM' ? SEARCHED_BY_ROM : SEARCHED;
  const bytes = await readFlash(loader, offset, Math.min(size, searched));
  const descriptor = appDescriptorAt(bytes);
  const micropython = findMicroPython(bytes);
  return {
    ...(descriptor ? { application: { ...descriptor, label } } : {}),
    ...(micropython ? { micropython } : {}),
  };
}
