import { HARD_RESET, runReset, usbKind } from '../esp/reset.ts';
import type { Lease } from './board.ts';

/**
 * EN low for a moment, so that the chip starts its program; `false` where the port has no lines for it. On USB that the
 * program makes they lead nowhere.
 */
export async function pressEn({ transport, signal, idleLines, baudRate }: Lease): Promise<boolean> {
  // A board that was left in its loader talks at another rate.
  if (transport.baudRate !== baudRate) await transport.setBaudRate(baudRate);
  if (!transport.hasModemLines || usbKind(transport) === 'usb-app') return false;
  const isPressed = await runReset(transport, HARD_RESET, signal);
  if (isPressed && idleLines) await transport.setModemLines(idleLines);
  return isPressed;
}
