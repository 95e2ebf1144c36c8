/** What the three tabs of the sidebar have in common. */
import type { DeployedBoard } from '../wire.ts';

export interface Panel {
  element: HTMLElement;
  /** The board it is about, and whether anyone sees it: what is not seen asks nothing of a board. */
  show: (board: DeployedBoard | undefined, isSeen: boolean) => void;
}

/** Whether the user may do something, or only look. */
export function mayAct(): boolean {
  return RED.user.hasPermission('esp32-board.write');
}
