/**
 * What the second-stage loader starts: a program that owns UART0 until the next reset.
 * The interpreter and the "any other image" program are such; the chip knows no more of them.
 */

/** What a program asks of the chip it runs on. */
export type ChipRequest =
  /** `machine.reset()`: SW_CPU_RESET, straps are not read again. */
  | { kind: 'reset' }
  /** `machine.bootloader()` on chips that have it: reset into the loader. */
  | { kind: 'bootloader' }
  /** `machine.deepsleep(ms)`: the UART is silent, then rst:0x5 (DEEPSLEEP_RESET). */
  | { kind: 'deep-sleep'; ms: number }
  /** `machine.mem32` moved the UART's divider: the chip's own line rate from now on. */
  | { kind: 'uart-baud'; baudRate: number }
  /** A watchdog of the program's own ran out: rst with its reason. */
  | { kind: 'watchdog' };

export interface ProgramHost {
  /** There is something to `read()`. Called from the event loop, possibly more often than needed. */
  readable(): void;
  request(request: ChipRequest): void;
}

export interface Program {
  /** Bytes from the wire, in order. What does not fit into the receive ring is lost, as on the chip. */
  receive(bytes: Uint8Array): void;
  /** Takes up to `max` bytes the program wants sent. While nothing is taken the program blocks in its write. */
  read(max: number): Uint8Array;
  /** Reset or power loss at this very moment: nothing more is read, written or stored. */
  stop(): void;
}
