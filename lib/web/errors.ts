/** What goes wrong between an address and the bytes behind it: a code and its facts. */
import { CodedError } from '../errors/coded-error.ts';

export type WebErrorCode =
  /** This is no address to download from: no http(s), or a password in it. Facts: `found`. */
  | 'bad-url'
  /**
   * The server cannot be reached, refused, or broke off. Facts: `url`, `reason`, `status` where one came;
   * `case` 'package' where packages are loaded.
   */
  | 'download-failed'
  /** The file at the URL is larger than allowed. Facts: `url`, `limit` (bytes). */
  | 'download-too-large'
  /** Nothing came for too long, or the whole took too long. Facts: `url`, `seconds`, `done` (bytes). */
  | 'download-timeout'
  /** The bytes are not those whose SHA-256 was given. Facts: `source`, `expected`, `found` (hex). */
  | 'download-hash'
  /** The server leads where it must not. Facts: `url`, `to`, `reason` ('too many' | 'insecure' | 'scheme'). */
  | 'redirect-refused';

export class WebError extends CodedError<WebErrorCode> {}
