/** What any image that is not MicroPython does on this board: it says what it is and falls silent. */

import { ascii } from './bytes.ts';
import type { AppDescriptor } from './image.ts';
import type { Program, ProgramHost } from './program.ts';

export class DescriptorProgram implements Program {
  #output: Uint8Array;

  constructor(host: ProgramHost, descriptor: AppDescriptor | undefined) {
    const lines = descriptor
      ? [
          `I (30) app_init: Project name:     ${descriptor.project}`,
          `I (34) app_init: App version:      ${descriptor.version}`,
          `I (38) app_init: Compile time:     ${descriptor.date} ${descriptor.time}`,
          `I (42) app_init: ESP-IDF:          ${descriptor.idf}`,
        ]
      : ['I (30) app_init: no app descriptor'];
    this.#output = ascii(lines.map((line) => `${line}\r\n`).join(''));
    host.readable();
  }

  receive(): void {
    // It has no use for input.
  }

  read(max: number): Uint8Array {
    const taken = this.#output.subarray(0, max);
    this.#output = this.#output.subarray(taken.length);
    return taken;
  }

  stop(): void {
    this.#output = new Uint8Array(0);
  }
}
