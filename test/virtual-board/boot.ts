/**
 * What a chip prints and checks between reset and program: the ROM's lines, the bootloader image, the
 * partition table, the app. Pure: it gives the text and what comes next; time and wire are the board's.
 */

import type { ChipFacts, ResetReason } from './chips.ts';
import { hex } from './bytes.ts';
import type { AppDescriptor, Image, ImageFault, Partition } from './image.ts';
import type { Protection } from './protection.ts';
import { isEncrypted, isSigned, scramble, UNPROTECTED } from './protection.ts';
import { bootOrder, identify, isImage, readImage, readPartitions } from './image.ts';

export type BootOutcome =
  | {
      kind: 'program';
      descriptor: AppDescriptor | undefined;
      partitions: Partition[];
      app: Partition | undefined;
    }
  /** Nothing to run: reset again after `afterMs`, by this reason. */
  | { kind: 'loop'; reason: ResetReason; afterMs: number };

export interface Boot {
  text: string;
  outcome: BootOutcome;
}

/** The first lines after any reset. */
export function resetText(chip: ChipFacts, reason: ResetReason, download: boolean): string {
  const { boot } = chip;
  const line = boot.resetLine
    .replace('%r', boot.reasons[reason])
    .replace('%b', download ? boot.downloadMode : boot.flashMode);
  const lines = [...boot.head, line];
  if (download && boot.downloadPrompt) lines.push(boot.downloadPrompt);
  return lines.map((each) => `${each}\r\n`).join('');
}

/** How long the ROM tries an unreadable flash until the RTC watchdog bites. */
const WATCHDOG_MS = 250;

export function bootFlash(chip: ChipFacts, stored: Uint8Array, protection: Protection = UNPROTECTED): Boot {
  const flash = isEncrypted(protection) ? scramble(0, stored) : stored;
  const isTrusted = (offset: number, { length }: Image): boolean =>
    !protection.secureBoot || isSigned(flash, offset + length);
  const loader = readImage(flash, chip.bootloaderOffset, chip);
  if (!isImage(loader)) return { text: loaderFault(loader), outcome: again('rtc-watchdog') };
  if (!isTrusted(chip.bootloaderOffset, loader)) {
    return { text: 'secure boot verification failed\r\n', outcome: again('rtc-watchdog') };
  }
  const text = loadingText(chip, loader);
  if (chip.imageChipId === undefined) return { text, outcome: bareProgram(loader) };
  const partitions = readPartitions(flash);
  if (!Array.isArray(partitions)) {
    const cause =
      partitions.fault === 'md5'
        ? "E (57) flash_parts: MD5 checksums for partition table don't match"
        : `E (57) flash_parts: partition 0 invalid magic number 0x${hex(partitions.found)}`;
    return {
      text: `${text}${cause}\r\nE (63) boot: Failed to verify partition table\r\nE (68) boot: load partition table error!\r\n`,
      outcome: again('software'),
    };
  }
  let complaints = '';
  for (const app of bootOrder(flash, partitions)) {
    const image = readImage(flash, app.offset, chip);
    if (isImage(image) && !isTrusted(app.offset, image)) {
      complaints += 'E (84) esp_image: Secure boot signature verification failed\r\n';
      continue;
    }
    if (isImage(image)) {
      const descriptor = identify(image);
      return { text: text + complaints, outcome: { kind: 'program', descriptor, partitions, app } };
    }
    complaints += `${appFault(image, app)}\r\nE (90) boot: ${app.subtype === 0 ? 'Factory' : 'OTA'} app partition is not bootable\r\n`;
  }
  return {
    text: `${text}${complaints}E (95) boot: No bootable app partitions in the partition table\r\n`,
    outcome: again('software'),
  };
}

const again = (reason: ResetReason): BootOutcome => ({ kind: 'loop', reason, afterMs: WATCHDOG_MS });

function loaderFault(fault: ImageFault): string {
  switch (fault.kind) {
    case 'checksum':
      return `csum err:0x${hex(fault.found, 2)}!=0x${hex(fault.computed, 2)}\r\nets_main.c 371 \r\n`;
    case 'no-header':
      return `invalid header: 0x${hex(fault.word, 8)}\r\n`.repeat(3);
    case 'wrong-chip':
    case 'segments':
    case 'truncated':
    case 'hash':
      return 'flash read err, 1000\r\nets_main.c 371 \r\n';
  }
}

function appFault(fault: ImageFault, app: Partition): string {
  const at = `0x${hex(app.offset)}`;
  switch (fault.kind) {
    case 'no-header':
      return `E (84) esp_image: image at ${at} has invalid magic byte (nothing flashed here?)`;
    case 'segments':
      return `E (84) esp_image: image at ${at} segment count ${fault.count} exceeds max 16`;
    case 'wrong-chip':
      return `E (84) boot_comm: mismatch chip ID, expected 0, found ${fault.chipId}`;
    case 'checksum':
      return `E (84) esp_image: Checksum failed. Calculated 0x${hex(fault.computed)} read 0x${hex(fault.found)}`;
    case 'hash':
      return 'E (84) esp_image: Image hash failed - image is corrupt';
    case 'truncated':
      return `E (84) esp_image: image at ${at} segment length is invalid`;
  }
}

function loadingText(chip: ChipFacts, image: Image): string {
  const { boot } = chip;
  const lines = boot.loading.map((line) => line.replace('%m', image.mode).replace('%d', '2'));
  image.segments.forEach((segment, i) => {
    const length = segment.data.length;
    const shown = boot.segmentLength === 'hex' ? `0x${hex(length)}` : String(length);
    lines.push(`load:0x${hex(segment.address, 8)},len:${shown}`);
    if (i === 0 && boot.afterFirstSegment) lines.push(boot.afterFirstSegment);
  });
  lines.push(`entry 0x${hex(image.entry, 8)}`);
  return lines.map((line) => `${line}\r\n`).join('');
}

/** The ESP8266 has neither partitions nor descriptors: what it runs is told by a text in the image. */
function bareProgram(image: Image): BootOutcome {
  const holdsMicroPython = image.segments.some((segment) =>
    Buffer.from(segment.data).includes('MicroPython v'),
  );
  const descriptor = {
    version: '',
    project: holdsMicroPython ? 'micropython' : 'esp8266',
    time: '',
    date: '',
    idf: '',
  };
  const partitions = holdsMicroPython
    ? [{ type: 1, subtype: 0x81, offset: 0x100000, size: 0x100000, label: 'vfs' }]
    : [];
  return { kind: 'program', descriptor, partitions, app: undefined };
}
