/**
 * Secure Boot, flash encryption and Secure Download Mode, as far as a host meets them: the fuses, what the loaders
 * refuse, and what the chip starts. The cipher is none (a mask by address); what it shows is who applied it.
 */

import { putU32 } from './bytes.ts';
import type { ChipFacts } from './chips.ts';
import { OP } from './commands.ts';

export interface Protection {
  secureBoot: boolean;
  /** Its bits are counted: encryption is on while their number is odd. */
  cryptCount: number;
  secureDownload: boolean;
  /** The chip no longer encrypts what is written in download mode. */
  noDownloadEncryption: boolean;
}

export const UNPROTECTED: Protection = {
  secureBoot: false,
  cryptCount: 0,
  secureDownload: false,
  noDownloadEncryption: false,
};

export function isEncrypted({ cryptCount }: Protection): boolean {
  return [0, 1, 2].filter((bit) => cryptCount & (1 << bit)).length % 2 === 1;
}

/** Fuse words with the bits of the protections set. */
export function protectionFuses(chip: ChipFacts, protection: Protection): [address: number, bits: number][] {
  if (!chip.protection) return [];
  const { secureBoot, cryptCount, noDownloadEncryption } = chip.protection;
  return [
    [secureBoot[0], Number(protection.secureBoot) << secureBoot[1]],
    [cryptCount[0], protection.cryptCount << cryptCount[1]],
    [noDownloadEncryption[0], Number(protection.noDownloadEncryption) << noDownloadEncryption[1]],
  ];
}

/** GET_SECURITY_INFO: flags, crypt count, key purposes, and the id and api version where there are any. */
export function securityInfo(length: number, chipId: number, protection: Protection): Uint8Array {
  const info = new Uint8Array(length);
  putU32(info, 0, Number(protection.secureBoot) | (Number(protection.secureDownload) << 2));
  info[4] = protection.cryptCount;
  if (length >= 20) putU32(info, 12, chipId);
  return info;
}

/** All that a ROM still does in Secure Download Mode. */
const ALLOWED: ReadonlySet<number> = new Set([
  OP.SYNC,
  OP.FLASH_BEGIN,
  OP.FLASH_DATA,
  OP.FLASH_END,
  OP.SPI_SET_PARAMS,
  OP.SPI_ATTACH,
  OP.CHANGE_BAUDRATE,
  OP.GET_SECURITY_INFO,
]);

export function isAllowed(op: number, chip: ChipFacts, { secureDownload }: Protection): boolean {
  if (!secureDownload) return true;
  return ALLOWED.has(op) && !(op === OP.CHANGE_BAUDRATE && chip.fixedRateWhenSecured);
}

/** Encrypts, and decrypts what was. */
export function scramble(offset: number, bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => byte ^ 0x5a ^ ((Math.imul(offset + i, 2654435761) >>> 13) & 0xff));
}

const SIGNATURE_MAGIC = 0xe7;

/** Whether a signature block of Secure Boot V2 lies in the sector behind an image that ends at `end`. */
export function isSigned(flash: Uint8Array, end: number): boolean {
  const at = Math.ceil(end / 4096) * 4096;
  return flash[at] === SIGNATURE_MAGIC && flash[at + 1] === 2;
}
