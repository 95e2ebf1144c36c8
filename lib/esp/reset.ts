/**
 * Ways to bring a chip into its loader or back to its program through DTR and RTS, each as data.
 * On the usual two-transistor circuit DTR alone pulls IO0 low (loader), RTS alone pulls EN low (reset),
 * both or none leave the chip in peace. Facts: Espressif "Boot Mode Selection", esptool's strategies.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { adapterOf } from '../transport/adapters.ts';
import type { Adapter } from '../transport/adapters.ts';
import type { ModemLines, Transport, TransportKind, UsbIds } from '../transport/transport.ts';
import { EspError } from './errors.ts';

/** One step: set the lines, then wait. */
export interface ResetStep extends ModemLines {
  waitMs?: number;
}

export interface ResetStrategy {
  name: string;
  steps: readonly ResetStep[];
  /** Another way than by the lines: asks the program that runs. It may take the port away. */
  ask?: (transport: Transport, signal: AbortSignal) => Promise<void>;
  /** The port goes away by it, and the loader comes back as another. */
  leavesBus?: boolean;
}

const IDLE: ResetStep = { dtr: false, rts: false };
const IO0_LOW: ResetStep = { dtr: true, rts: false };
const IN_RESET: ResetStep = { dtr: false, rts: true };
const BOTH: ResetStep = { dtr: true, rts: true };

/**
 * DTR and RTS change one after the other, for ports that cannot set both at once (Windows).
 * The wait with IO0 low bridges the capacitor on EN; some boards have a large one, hence two lengths.
 */
function classic(delayMs: number): ResetStrategy {
  return {
    name: `classic ${delayMs} ms`,
    steps: [{ ...IN_RESET, waitMs: 100 }, BOTH, { ...IO0_LOW, waitMs: delayMs }, IDLE],
  };
}

/**
 * The same over a network. The transport leads over (1,1) by itself and sends both changes in one piece; with
 * two, EN rises in between when the network, or this process, is slow.
 */
function remote(delayMs: number): ResetStrategy {
  const { name } = classic(delayMs);
  return { name, steps: [{ ...IN_RESET, waitMs: 100 }, { ...IO0_LOW, waitMs: delayMs }, IDLE] };
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

/**
 * USB made by the program (MicroPython): it watches for this one change of both lines at once and goes into the
 * loader a quarter second later. Source: MicroPython `shared/tinyusb/mp_usbd_cdc.c`.
 */
const USB_OF_PROGRAM: ResetStrategy = {
  name: 'USB of the program',
  steps: [IDLE, { ...IN_RESET, waitMs: 100 }, { ...IO0_LOW, waitMs: 50 }, IDLE],
  leavesBus: true,
};

/** No reset: the chip is brought into the loader by hand. */
export const BY_HAND: ResetStrategy = { name: 'by hand', steps: [] };

/** EN low for 100 ms with IO0 high: the chip boots what is in its flash. */
export const HARD_RESET: ResetStrategy = {
  name: 'hard reset',
  steps: [{ ...IN_RESET, waitMs: 100 }, IDLE],
};

/** The same over USB-OTG: the chip leaves the bus for it and needs time to come back. */
export const HARD_RESET_OTG: ResetStrategy = {
  name: 'hard reset over USB-OTG',
  steps: [
    { ...IN_RESET, waitMs: 200 },
    { ...IDLE, waitMs: 200 },
  ],
  leavesBus: true,
};

const DELAY_MS = 50;
const LONG_DELAY_MS = 550;

export interface PortFacts {
  kind: TransportKind;
  hasModemLines: boolean;
  platform: NodeJS.Platform;
  usb?: UsbIds | undefined;
}

/** What makes the USB port: a bridge, the chip's own unit, its mask ROM, or its program. */
export function usbKind({ usb }: { usb?: UsbIds | undefined }): Adapter['kind'] | undefined {
  return adapterOf(usb?.vendorId, usb?.productId)?.kind;
}

/** Whether the port is the chip itself, or the program on it, rather than an adapter. */
export function isOwnUsb(port: { usb?: UsbIds | undefined }): boolean {
  const kind = usbKind(port);
  return kind !== undefined && kind !== 'bridge';
}

/** The strategies worth trying on a port, in order; never empty. */
export function strategiesFor(port: PortFacts): readonly ResetStrategy[] {
  if (!port.hasModemLines) return [BY_HAND];
  if (usbKind(port) === 'usb-jtag') return [USB_SERIAL_JTAG, classic(DELAY_MS)];
  if (usbKind(port) === 'usb-app') return [USB_OF_PROGRAM, classic(DELAY_MS)];
  if (port.kind !== 'serial') return [remote(DELAY_MS), remote(LONG_DELAY_MS)];
  if (port.platform === 'win32') return [classic(DELAY_MS), classic(LONG_DELAY_MS)];
  return [tight(DELAY_MS), tight(LONG_DELAY_MS), classic(DELAY_MS), classic(LONG_DELAY_MS)];
}

const SEQUENCE = /^(?:[DR][01]|U[01],[01]|W\d+(?:\.\d+)?)$/;

/**
 * A strategy of the user's own, written as esptool's `custom_reset_sequence`: commands joined by `|`.
 * `D1` sets DTR, `R0` clears RTS, `U1,0` sets both at once, `W0.1` waits 0.1 s; `none` leaves the lines alone.
 * Throws `EspError` 'bad-reset-sequence'.
 */
export function parseSequence(text: string): ResetStrategy {
  if (text.trim() === 'none') return BY_HAND;
  const steps: ResetStep[] = [];
  let lines: ModemLines = { dtr: false, rts: false };
  for (const command of text.split('|').map((part) => part.trim())) {
    if (!SEQUENCE.test(command)) {
      throw new EspError('bad-reset-sequence', `${command} is no reset command`, { command, sequence: text });
    }
    const last = steps.at(-1);
    if (command.startsWith('W')) {
      if (last) last.waitMs = (last.waitMs ?? 0) + Number(command.slice(1)) * 1000;
      else steps.push({ ...lines, waitMs: Number(command.slice(1)) * 1000 });
      continue;
    }
    lines = setLines(lines, command);
    steps.push({ ...lines });
  }
  return { name: 'own sequence', steps };
}

function setLines(lines: ModemLines, command: string): ModemLines {
  const [first = '', second = ''] = command.slice(1).split(',');
  if (command.startsWith('U')) return { dtr: first === '1', rts: second === '1' };
  return command.startsWith('D') ? { ...lines, dtr: first === '1' } : { ...lines, rts: first === '1' };
}

/** Milliseconds within which a port that a reset sends away has left the bus; programs take their time over it. */
export const LEAVE_BUS_MS = 1500;

/** Moves the lines. Returns whether the port has them: some show only when they are set that they have none. */
export async function runReset(
  transport: Transport,
  { steps }: ResetStrategy,
  signal: AbortSignal,
): Promise<boolean> {
  for (const { dtr, rts, waitMs } of steps) {
    await transport.setModemLines({ dtr, rts });
    if (waitMs) await sleep(waitMs, undefined, { signal });
  }
  return transport.hasModemLines;
}
