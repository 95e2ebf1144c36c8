/** Everything that can go wrong between the host and an Espressif loader, as data: a code and its facts. */
import { CodedError } from '../errors/coded-error.ts';

export type EspErrorCode =
  /** No answer to SYNC. Facts: `bootLog` (text read while trying), `heard` ('nothing' | 'garbage' | 'text'). */
  | 'no-answer'
  /** A reset sequence of the user's own cannot be read. Facts: `command`, `sequence`. */
  | 'bad-reset-sequence'
  /** The chip booted from flash although the loader was asked for. Facts: `bootMode` (e.g. `0x13`), `bootLog`. */
  | 'wrong-boot-mode'
  /** The chip says "waiting for download" but does not answer: the host's TX line does not reach it. */
  | 'download-mode-silent'
  /** A command was answered with a failure. Facts: `operation`, `reason` (byte), `meaning`. */
  | 'command-failed'
  /**
   * A command was not answered in time. Facts: `operation`, `timeoutMs`; where the chip printed what befell it, `heard`
   * ('brown-out' | 'panic' | 'restarted') and `tail`.
   */
  | 'command-timeout'
  /** The loader does not know the command. Facts: `operation`. */
  | 'command-unsupported'
  /** An answer that no loader sends. Facts: `operation`, `hex`. */
  | 'bad-answer'
  /** The board that came back is not the one that went away. Facts: `expected`, `found` (MAC addresses). */
  | 'board-changed'
  /** The chip id or magic is of no chip known here. Facts: `id` or `magic`. */
  | 'unknown-chip'
  /** The stub was uploaded but did not start. Facts: `because` (a code), `romIsMinimal`. */
  | 'stub-silent'
  /** The chip's ROM alone can do next to nothing (ESP8266). Facts: `chip`. */
  | 'stub-needed'
  /** The flash chip does not answer with a usable id. Facts: `id`. */
  | 'flash-not-found'
  /** The firmware holds no bytes. */
  | 'image-empty'
  /** The firmware is no ESP image. Facts: `found` (first bytes, or the format recognised). */
  | 'image-not-esp'
  /**
   * The firmware is damaged. Facts: `what` ('truncated' | 'checksum' | 'hash' | 'segments' |
   * 'partition table' | 'application') and `offset`, the byte where it shows.
   */
  | 'image-damaged'
  /** The firmware is for another chip. Facts: `chip` found, `image` chip. */
  | 'image-wrong-chip'
  /** The firmware is for other silicon of this chip. Facts: `chip`, `found` and `needed` revision. */
  | 'image-wrong-revision'
  /** Secure Boot would not start the application. Facts: `chip`. */
  | 'image-unsigned'
  /** What goes where the loader belongs is no image, and the chip decrypts nothing. Facts: `found` (first bytes). */
  | 'image-encrypted'
  /** The firmware is an application alone, without loader and partition table. Facts: `chip`. */
  | 'image-app-only'
  /** A copy of another flash or partition. Facts: `label`, `size`, `there` (bytes on this board) or `case` 'none'. */
  | 'backup-mismatch'
  /** It does not fit into the partition it goes to. Facts: `label`, `size`, `available`. */
  | 'partition-too-small'
  /** The board has no partition of that name. Facts: `wanted`, `labels`. */
  | 'no-such-partition'
  /** Two parts claim the same place in the flash. Facts: `first`, `second`, `offset` (hex). */
  | 'parts-overlap'
  /**
   * The firmware does not fit. Facts: `offset` (hex), `size`, `flashSize`, `flash` (e.g. `4 MB`).
   * With `case` 'partition' its layout has one, `partition`, that ends behind the flash.
   */
  | 'image-too-large'
  /** Firmware must begin with a sector. Facts: `offset` (hex). */
  | 'offset-unaligned'
  /** An offset was given that contradicts the image. Facts: `given`, `expected`. */
  | 'offset-contradicts-image'
  /**
   * A protection of the chip forbids it, or makes it dangerous. Facts: `chip`, `security`, `heard` ('encryption' |
   * 'secure-boot' | 'secure-download').
   */
  | 'chip-secured'
  /** The chip was to encrypt. Facts: `chip`, `heard`: it is 'off', 'disabled' for ever, or the 'loader' cannot. */
  | 'encryption-unavailable'
  /** The header of this chip's loader has no such setting. Facts: `chip`, `property`, `found`, `expected`. */
  | 'bad-flash-setting'
  /** A range to be read or erased is not within the flash. Facts: `offset` (hex), `size` if given, `flashSize`, `flash`. */
  | 'range-outside-flash'
  /** Only whole sectors can be erased. Facts: `offset` (hex), `size`, `sector`. */
  | 'erase-unaligned'
  /** After erasing, something still is there. Facts: `offset` (hex) of the first sector that holds it. */
  | 'not-erased'
  /**
   * Writing would lose what `erase: never` protects. Facts: `labels`, `losses`; `heard` 'unknown' where the board
   * cannot be read.
   */
  | 'would-lose-data'
  /**
   * After writing, the flash holds something else. Facts: `offset` (hex) of the first sector that does, `size`,
   * `blank`; `case` 'compared' where nothing was written, so that the board may have other firmware.
   */
  | 'verify-failed';

export class EspError extends CodedError<EspErrorCode> {}

/** What an error is, wherever it came from: for callers that treat one code apart from the rest. */
export function isEspError(error: unknown, code: EspErrorCode): error is EspError {
  return error instanceof EspError && error.code === code;
}
