/** Everything that can go wrong between what a person names as firmware and its bytes: a code and its facts. */
import { CodedError } from '../errors/coded-error.ts';

export type FirmwareErrorCode =
  /** The value is nothing firmware can be taken from. Facts: `expected`, `found`. */
  | 'source-unusable'
  /** A file or folder cannot be read. Facts: `path`, `reason`. */
  | 'source-unreadable'
  /** A file, or what an archive unpacks to, is larger than allowed. Facts: `source`, `limit` (bytes). */
  | 'source-too-large'
  /** The catalogue has no such firmware. Facts: `wanted`, `available` (versions or variants), `url`. */
  | 'not-in-catalogue'
  /** A UF2 file is damaged. Facts: `what`, `offset` (byte of the file), `source`. */
  | 'uf2-damaged'
  /** A UF2 file is for chips other than Espressif's, or for several. Facts: `family` (hex), `source`. */
  | 'uf2-wrong-family'
  /** An Intel HEX file is damaged. Facts: `what`, `line` (from 1), `source`. */
  | 'hex-damaged'
  /** A zip or gzip archive is damaged or of a kind not read here. Facts: `what`, `source`. */
  | 'zip-damaged'
  /** A folder or archive holds no flasher_args.json and not just one firmware. Facts: `source`, `files`. */
  | 'flasher-args-missing'
  /** A flasher_args.json cannot be used. Facts: `what`, `source`. */
  | 'flasher-args-unusable'
  /** A copy of the flash cannot be written. Facts: `path`, `reason`. */
  | 'backup-not-written'
  /** A copy of the flash is not as it was written. Facts: `path`. */
  | 'backup-damaged'
  /** Two parts claim the same place in the flash. Facts: `first`, `second` (names), `offset` (hex). */
  | 'parts-overlap';

export class FirmwareError extends CodedError<FirmwareErrorCode> {}

export function tooLarge(source: string, limit: number): FirmwareError {
  return new FirmwareError('source-too-large', `${source} has more than ${limit} bytes`, { source, limit });
}
