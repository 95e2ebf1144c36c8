/** Into the loader through the program: MicroPython is asked to restart into it. */
import { usbKind } from '../esp/reset.ts';
import type { ResetStrategy } from '../esp/reset.ts';
import { RawRepl } from '../micropython/raw-repl.ts';
import { isLost } from '../transport/errors.ts';
import type { Transport } from '../transport/transport.ts';

/** Whether the chip makes its USB itself, so that no circuit hangs on DTR and RTS. */
export function isOwnUsb(transport: Transport): boolean {
  const kind = usbKind(transport);
  return kind !== undefined && kind !== 'bridge';
}

const BOOTLOADER = 'import machine\nmachine.bootloader()\n';
/** A program that is not at its prompt by then gets no more of the time in which a person could press BOOT. */
const ASK_MS = 6000;
/** The board restarts within; an interpreter without the function has said so by then. */
const RESTART_MS = 2000;

/**
 * `machine.bootloader()`, for ports whose lines cannot be set or do not reach the program. A program that is no
 * MicroPython, or has no such function, hears some typing and nothing happens. `baudRate` is the program's.
 */
export function askProgram(baudRate: number): ResetStrategy {
  return {
    name: 'machine.bootloader()',
    steps: [],
    leavesBus: true,
    ask: async (transport, signal) => {
      await transport.setBaudRate(baudRate);
      const repl = new RawRepl(transport, AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]));
      try {
        await repl.enter();
        await repl.run(BOOTLOADER, { timeoutMs: RESTART_MS });
      } catch (error) {
        signal.throwIfAborted();
        if (isLost(error)) throw error;
      }
    },
  };
}
