/** For tests: a MicroPython on a flash of its own, typed to and read like a serial line. */
import { NorFlash } from '../nor-flash.ts';
import type { ChipRequest } from '../program.ts';
import { MicroPython } from './micropython.ts';
import type { MicroPythonOptions } from './micropython.ts';

export const VFS = { offset: 0x20000, size: 0x40000 };
export const CTRL_A = '\x01';
export const CTRL_B = '\x02';
export const CTRL_C = '\x03';
export const CTRL_D = '\x04';
export const CTRL_E = '\x05';

export class Bench {
  readonly flash: NorFlash;
  readonly requests: ChipRequest[] = [];
  readonly #options: Partial<MicroPythonOptions>;
  #program: MicroPython;
  #output = Buffer.alloc(0);
  #wanted: (() => void) | undefined;
  #isOpen = true;

  constructor(flash = NorFlash.blank(VFS.offset + VFS.size), options: Partial<MicroPythonOptions> = {}) {
    this.flash = flash;
    this.#options = options;
    this.#program = this.#start();
  }

  get program(): MicroPython {
    return this.#program;
  }

  #start(): MicroPython {
    return new MicroPython(
      {
        readable: () => {
          this.#take();
        },
        request: (request) => {
          this.requests.push(request);
          this.#wanted?.();
        },
      },
      {
        flash: this.flash,
        vfs: VFS,
        version: 'v1.24.0',
        machine: 'Generic ESP32 module with ESP32',
        mac: Uint8Array.of(0x24, 0x0a, 0xc4, 1, 2, 3),
        platform: 'esp32',
        ...this.#options,
      },
    );
  }

  #take(): void {
    if (!this.#isOpen) return;
    for (let bytes = this.#program.read(64); bytes.length > 0; bytes = this.#program.read(64)) {
      this.#output = Buffer.concat([this.#output, bytes]);
    }
    this.#wanted?.();
  }

  /** While closed the program's output is not taken: its writes block. */
  set reading(isOpen: boolean) {
    this.#isOpen = isOpen;
    this.#take();
  }

  /** At most what fits into the board's ring at once. */
  send(bytes: string | Uint8Array): void {
    this.#program.receive(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
    this.#wanted = undefined;
  }

  /** Everything up to and with `text`, which is taken away. */
  async expect(text: string): Promise<string> {
    const wanted = Buffer.from(text, 'latin1');
    await this.until(() => this.#output.includes(wanted));
    const end = this.#output.indexOf(wanted) + wanted.length;
    const taken = this.#output.toString('latin1', 0, end);
    this.#output = this.#output.subarray(end);
    return taken;
  }

  async prompt(): Promise<string> {
    return this.expect('>>> ');
  }

  /** One line at the friendly prompt; its output without echo and prompt. */
  async line(code: string): Promise<string> {
    this.send(`${code}\r`);
    await this.expect('\r\n');
    return (await this.prompt()).slice(0, -'>>> '.length);
  }

  /** From the friendly prompt. */
  async raw(): Promise<void> {
    this.send(CTRL_A);
    await this.expect('raw REPL; CTRL-B to exit\r\n>');
  }

  /** Code in raw paste mode: output and traceback. */
  async run(code: string | Uint8Array): Promise<{ output: string; error: string }> {
    const source = Buffer.from(code);
    this.send(`${CTRL_E}A${CTRL_A}`);
    await this.expect('R\x01\x80\x00\x01');
    let free = 256;
    for (let at = 0; at < source.length;) {
      if (free === 0) {
        await this.expect('\x01');
        free += 128;
      }
      const piece = source.subarray(at, at + free);
      this.send(piece);
      free -= piece.length;
      at += piece.length;
    }
    this.send(CTRL_D);
    await this.expect('\x04');
    const output = (await this.expect('\x04')).slice(0, -1);
    const error = (await this.expect('\x04>')).slice(0, -2);
    return { output, error };
  }

  /** Power off and on: the same flash, a new start. */
  powerCycle(): void {
    this.stop();
    this.#output = Buffer.alloc(0);
    this.#program = this.#start();
  }

  stop(): void {
    this.#program.stop();
  }
}
