/** What goes wrong between jobs and their board; and, for the floors above, what goes wrong below. */
export { EspError } from '../esp/errors.ts';
export { FirmwareError } from '../firmware/errors.ts';
export { MicroPythonError } from '../micropython/errors.ts';
export { parseTraceback } from '../micropython/traceback.ts';
export { PortError } from '../transport/errors.ts';

export type BoardErrorCode =
  /** The board node was closed or redeployed while the job waited or ran. */
  | 'board-closed'
  /** The job was cancelled by whoever asked for it. */
  | 'cancelled';

export class BoardError extends Error {
  readonly code: BoardErrorCode;
  readonly facts: Readonly<Record<string, unknown>> = {};

  constructor(code: BoardErrorCode, message: string) {
    super(message);
    this.name = 'BoardError';
    this.code = code;
  }
}
