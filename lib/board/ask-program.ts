/** Into the loader through the program: MicroPython is asked to restart into it. */
import type { ResetStrategy } from '../esp/reset.ts';
import { RawRepl } from '../micropython/raw-repl.ts';
import { isLost } from '../transport/errors.ts';

const BOOTLOADER = 'import machine\nmachine.bootloader()\n';
/** For longer it is not tried: that would be time in which a person can be asked to press BOOT. */
const ASK_MS = 6000;
/** Within this time the board restarts, or its interpreter says that it has no such function. */
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
