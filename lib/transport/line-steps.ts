import { DTR_OFF, DTR_ON, RTS_OFF, RTS_ON } from './com-port.ts';
import type { ModemLines } from './transport.ts';

/**
 * In which steps the two lines go from one state to another, so that no board is reset on the way.
 *
 * (DTR, RTS): (1,0) pulls IO0 low, (0,1) pulls EN low and resets; (0,0) and (1,1) are idle. On Unix both
 * lines change by one ioctl; on Windows the serial library changes RTS first and DTR after it, so a
 * change from (0,0) to (1,1) would pass (0,1) (bindings-cpp 13 `serialport_win.cpp`, SetBaton).
 */
export type LinePlatform = NodeJS.Platform;

const BOTH_OFF: ModemLines = { dtr: false, rts: false };

/** The steps from the state known (or unknown: just opened on Windows means both off) to the one wanted. */
export function lineSteps(platform: LinePlatform, from: ModemLines, to: ModemLines): ModemLines[] {
  if (platform !== 'win32') return [to];
  const risesTogether = !from.dtr && !from.rts && to.dtr && to.rts;
  if (risesTogether) return [{ dtr: true, rts: false }, to];
  // The driver of native USB (usbser.sys) passes DTR on with the next RTS only, which the library has set before.
  return from.dtr === to.dtr ? [to] : [to, to];
}

/** The steps before a port is closed: RTS released first, DTR after it, on every system. */
export function closingSteps(from: ModemLines): ModemLines[] {
  if (from.dtr && from.rts) return [{ dtr: true, rts: false }, BOTH_OFF];
  return from.dtr || from.rts ? [BOTH_OFF] : [];
}

/**
 * The SET_CONTROL values from one state of a remote port's lines to another, in an order that never passes RTS alone
 * (reset): DTR first, except that RTS goes first when both are released. From (0,1) to (1,0), reset to loader, the
 * way leads over (1,1), which is what USB-Serial/JTAG wants too.
 */
export function lineChanges(from: ModemLines | undefined, to: ModemLines): number[] {
  const dtr = from?.dtr === to.dtr ? [] : [to.dtr ? DTR_ON : DTR_OFF];
  const rts = from?.rts === to.rts ? [] : [to.rts ? RTS_ON : RTS_OFF];
  return !to.dtr && !to.rts ? [...rts, ...dtr] : [...dtr, ...rts];
}
