/** What goes wrong between jobs and their board; and, for the floors above, what goes wrong below. */
import { CodedError } from '../errors/coded-error.ts';

export { EspError } from '../esp/errors.ts';
export { FirmwareError } from '../firmware/errors.ts';
export { MicroPythonError } from '../micropython/errors.ts';
export { parseTraceback } from '../micropython/traceback.ts';
export type { PythonError } from '../micropython/traceback.ts';
export { PortError } from '../transport/errors.ts';

export type BoardErrorCode =
  /** The board node was closed or redeployed while the job waited or ran. */
  | 'board-closed'
  /** The job was cancelled by whoever asked for it. */
  | 'cancelled';

export class BoardError extends CodedError<BoardErrorCode> {}
