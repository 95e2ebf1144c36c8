/** The settings of an `esp32 board`, as its node and its dialog have them, made into what a board needs. */
import type { BoardOptions } from '../board/board.ts';
import { numberOr, oneOf } from './properties.ts';

export interface BoardSettings {
  port: string;
  /** `usb:<serial or location>` where the board is known by its device rather than its port. */
  device?: string | undefined;
  baudRate?: string | number | undefined;
  flashBaudRate?: string | number | undefined;
  /** What DTR and RTS do while nothing is reset. */
  idleLines?: string | undefined;
  /** Commands of a reset sequence, `none`, or empty for what suits the port. */
  resetSequence?: string | undefined;
  /** Seconds. */
  connectTimeout?: string | number | undefined;
}

const IDLE_LINES = {
  auto: undefined,
  asserted: { dtr: true, rts: true },
  released: { dtr: false, rts: false },
} as const;

export function boardOptions(settings: BoardSettings): BoardOptions {
  const { port, device, baudRate, idleLines, resetSequence } = settings;
  return {
    port,
    device: device?.trim() || undefined,
    baudRate: numberOr(baudRate, 115200),
    idleLines: IDLE_LINES[oneOf(idleLines, ['auto', 'asserted', 'released'], 'auto', 'idleLines')],
    resetSequence: resetSequence?.trim() || undefined,
  };
}

/** How the loader is reached: bits per second, and milliseconds in which it must be. */
export function loaderSettings({ flashBaudRate, connectTimeout }: BoardSettings): {
  flashBaudRate: number;
  connectTimeoutMs: number;
} {
  return {
    flashBaudRate: numberOr(flashBaudRate, 460800),
    connectTimeoutMs: numberOr(connectTimeout, 30) * 1000,
  };
}
