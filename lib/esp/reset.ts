/**
 * Ways to bring a chip into its loader or back to its program through DTR and RTS, each as data.
 * On the usual two-transistor circuit DTR alone pulls IO0 low (loader), RTS alone pulls EN low (reset),
 * both or none leave the chip in peace. Facts: Espressif "Boot Mode Selection", esptool's strategies.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModemLines, Transport, TransportKind } from '../transport/transport.ts';

/** One step: set the lines, then wait. */
export interface ResetStep extends ModemLines {
  waitMs?: number;
}

export interface ResetStrategy {
  name: string;
  steps: readonly ResetStep[];
}

const IDLE: ResetStep = { dtr: false, rts: false };
const IO0_LOW: ResetStep = { dtr: true, rts: false };
const IN_RESET: ResetStep = { dtr: false, rts: true };
const BOTH: ResetStep = { dtr: true, rts: true };

/**
 * DTR and RTS change one after the other, for ports that cannot set both at once (Windows, remote).
 * The wait with IO0 low bridges the capacitor on EN; some boards have a large one, hence two lengths.
 */
function classic(delayMs: number): ResetStrategy {
  return {
    name: `classic ${delayMs} ms`,
    steps: [{ ...IN_RESET, waitMs: 100 }, BOTH, { ...IO0_LOW, waitMs: delayMs }, IDLE],
  };
}

/** Both lines change in one step, so that EN never rises before IO0 is low. */
function tight(delayMs: number): ResetStrategy {
  return {
    name: `tight ${delayMs} ms`,
    steps: [IDLE, BOTH, { ...IN_RESET, waitMs: 100 }, { ...IO0_LOW, waitMs: delayMs }, IDLE],
  };
}

/** The USB-Serial/JTAG peripheral reads a sequence of its own; it must pass (1,1), never (0,0), on its way. */
const USB_SERIAL_JTAG: ResetStrategy = {
  name: 'USB-Serial/JTAG',
  steps: [{ ...IDLE, waitMs: 100 }, { ...IO0_LOW, waitMs: 100 }, BOTH, { ...IN_RESET, waitMs: 100 }, IDLE],
};

/** No reset: the chip is brought into the loader by hand. */
export const BY_HAND: ResetStrategy = { name: 'by hand', steps: [] };

/** EN low for 100 ms with IO0 high: the chip boots what is in its flash. */
export const HARD_RESET: ResetStrategy = {
  name: 'hard reset',
  steps: [{ ...IN_RESET, waitMs: 100 }, IDLE],
};

const DELAY_MS = 50;
const LONG_DELAY_MS = 550;

export interface PortFacts {
  kind: TransportKind;
  hasModemLines: boolean;
  platform: NodeJS.Platform;
  /** USB vendor and product id in hex, lower case, as the port list tells them. */
  vendorId?: string | undefined;
  productId?: string | undefined;
}

/** The strategies worth trying on a port, in order; never empty. */
export function strategiesFor(port: PortFacts): readonly ResetStrategy[] {
  if (!port.hasModemLines) return [BY_HAND];
  if (port.vendorId === '303a' && port.productId === '1001') return [USB_SERIAL_JTAG, classic(DELAY_MS)];
  const setsBothAtOnce = port.kind === 'serial' && port.platform !== 'win32';
  if (!setsBothAtOnce) return [classic(DELAY_MS), classic(LONG_DELAY_MS)];
  return [tight(DELAY_MS), tight(LONG_DELAY_MS), classic(DELAY_MS), classic(LONG_DELAY_MS)];
}

/** Carries a strategy out. Returns whether the port has the lines for it: some show only when they are set. */
export async function runReset(
  transport: Transport,
  strategy: ResetStrategy,
  signal: AbortSignal,
): Promise<boolean> {
  for (const { dtr, rts, waitMs } of strategy.steps) {
    await transport.setModemLines({ dtr, rts });
    if (waitMs) await sleep(waitMs, undefined, { signal });
  }
  return transport.hasModemLines;
}
