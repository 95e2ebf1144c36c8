/** What goes wrong between the name of a package and its files: a code and its facts. */
import { CodedError } from '../errors/coded-error.ts';

export type PackageErrorCode =
  /** This names no package. Facts: `found`. */
  | 'bad-package-name'
  /** The index, or the place named, has no such package or version. Facts: `name`, `url`. */
  | 'package-not-found'
  /** What describes a package cannot be used. Facts: `url`, `what`. */
  | 'package-damaged'
  /** A package, with all it needs, is more than a board takes. Facts: `name`, `limit`, `unit`. */
  | 'package-too-large'
  /** Two packages have different files for one place. Facts: `path`, `first`, `second`. */
  | 'packages-collide';

export class PackageError extends CodedError<PackageErrorCode> {}
