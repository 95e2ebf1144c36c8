import { HARD_RESET, runReset } from '../esp/reset.ts';
import type { Lease } from './board.ts';

/** EN low for a moment, so that the chip starts its program; `false` where the port has no lines for it. */
export async function pressEn({ transport, signal, idleLines }: Lease): Promise<boolean> {
  if (!transport.hasModemLines) return false;
  const isPressed = await runReset(transport, HARD_RESET, signal);
  if (isPressed && idleLines) await transport.setModemLines(idleLines);
  return isPressed;
}
