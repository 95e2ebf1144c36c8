/** What goes wrong between jobs and their board. */

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
