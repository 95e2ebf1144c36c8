/** What goes wrong with files and folders of the machine Node-RED runs on: a code and its facts. */
import { CodedError } from '../errors/coded-error.ts';
import { messageOf } from '../errors/reason.ts';

export type HostErrorCode =
  /** A file or folder cannot be read. Facts: `path`, `reason`. */
  | 'source-unreadable'
  /** A file or folder cannot be written. Facts: `path`, `reason`. */
  | 'host-not-written'
  /**
   * A path leads out of the folder it must stay in. Facts: `path`, `root`; `case` 'link' for a link in a folder,
   * 'written' for a file that is written into one.
   */
  | 'host-path-outside'
  /** A folder has more in it than anybody would put on a board. Facts: `path`, `limit`, `unit` ('files' | 'bytes'). */
  | 'host-folder-too-large';

export class HostError extends CodedError<HostErrorCode> {}

/** For `catch`: throws 'source-unreadable' with the system's words. */
export function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    const reason = messageOf(error);
    throw new HostError('source-unreadable', `${path} cannot be read: ${reason}`, { path, reason }, error);
  };
}
