/**
 * What Secure Boot, flash encryption and Secure Download Mode forbid. What could make a board useless for ever is
 * refused unless it is forced; what the chip itself does not do is refused in any case.
 */
import type { BackupChoice } from './backup.ts';
import type { Chip } from './chips.ts';
import { encryptsInDownload } from './describe.ts';
import { EspError } from './errors.ts';
import type { Firmware } from './firmware.ts';
import type { SecurityInfo } from './identify.ts';
import { IMAGE_MAGIC } from './image.ts';
import type { Session } from './session.ts';

export interface Consent {
  /** Do what may make the board useless. */
  force?: boolean | undefined;
  /** Let the chip encrypt what is written, as a chip with flash encryption needs plain firmware to be. */
  encrypt?: boolean | undefined;
}

/** One piece, with its place. */
export interface PlacedPart {
  bytes: Uint8Array;
  offset: number;
  firmware?: Firmware | undefined;
}

/** Which protection stands in the way. */
type Guard = 'encryption' | 'secure-boot' | 'secure-download';

/** Whether the flash can be read and means what it says: not in Secure Download Mode, and not encrypted. */
export function isReadable({ security }: Pick<Session, 'security'>): boolean {
  return !security?.secureDownload && !security?.flashEncryption;
}

/** Throws `EspError` 'chip-secured' where nothing can be read out of the flash. */
export function guardRead({ chip, security }: Session): void {
  if (security?.secureDownload) throw secured(chip, security, 'secure-download');
}

/** Throws `EspError` 'chip-secured' where what is to be kept cannot be read, or found. */
export function guardBackup(session: Session, choice: BackupChoice): void {
  const { chip, security } = session;
  if (choice === 'none') return;
  guardRead(session);
  // The table that tells where files and settings are is encrypted as well.
  if (choice === 'data' && security?.flashEncryption) throw secured(chip, security, 'encryption');
}

/** Throws `EspError` 'chip-secured'. `all`: everything is to be erased. */
export function guardErase({ chip, security }: Session, all: boolean, { force }: Consent): void {
  // Its size is not known.
  if (all && security?.secureDownload) throw secured(chip, security, 'secure-download');
  if (force || !security) return;
  if (security.flashEncryption) throw secured(chip, security, 'encryption');
  if (security.secureBoot) throw secured(chip, security, 'secure-boot');
}

/**
 * Throws `EspError` 'chip-secured', 'image-unsigned', 'image-encrypted' or 'encryption-unavailable' for what the
 * chip would not run.
 */
export async function guardWrite(
  { loader, chip, security }: Session,
  parts: readonly PlacedPart[],
  consent: Consent,
): Promise<void> {
  if (consent.encrypt && !security?.secureDownload && !(await encryptsInDownload(loader, chip))) {
    throw unavailable(chip, 'disabled');
  }
  if (consent.encrypt && !loader.mode.takesEncrypted) throw unavailable(chip, 'loader');
  if (consent.force) return;
  if (consent.encrypt && !security?.flashEncryption) throw unavailable(chip, 'off');
  if (security?.flashEncryption && !consent.encrypt) throw secured(chip, security, 'encryption');
  for (const part of parts) {
    if (security?.secureBoot) refuseUnsigned(chip, security, part);
    if (!security?.flashEncryption) refuseEncrypted(chip, part);
  }
}

/** A loader with a wrong signature ends it all; an application without one just does not start. */
function refuseUnsigned(chip: Chip, security: SecurityInfo, { firmware }: PlacedPart): void {
  if (security.secureBootV1 || (firmware && firmware.kind !== 'app')) {
    throw secured(chip, security, 'secure-boot');
  }
  if (firmware && !firmware.image.isSigned) {
    throw new EspError('image-unsigned', 'the application carries no signature', { chip: chip.name });
  }
}

/** Where the chip looks for its loader there is an image, or nothing. */
function refuseEncrypted(chip: Chip, { bytes, offset }: PlacedPart): void {
  if (offset !== chip.loaderOffset || bytes[0] === IMAGE_MAGIC || bytes[0] === 0xff) return;
  const found = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  throw new EspError('image-encrypted', 'what goes where the loader belongs is no image', { found });
}

function secured(chip: Chip, security: SecurityInfo, heard: Guard): EspError {
  const facts = { chip: chip.name, heard, security };
  return new EspError('chip-secured', `the ${chip.name} is protected (${heard})`, facts);
}

function unavailable(chip: Chip, heard: 'off' | 'disabled' | 'loader'): EspError {
  const facts = { chip: chip.name, heard };
  return new EspError('encryption-unavailable', `the ${chip.name} does not encrypt (${heard})`, facts);
}
