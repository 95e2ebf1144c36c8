/**
 * The board behind a pseudo terminal (Linux): what a program that opens `/dev/ttyUSB0` sees, except for
 * the modem lines, which a pty does not have.
 *
 * No descriptor of the slave is kept open: reading the master fails with EIO while nobody has the port
 * open, which is how an adapter knows that its bytes have no taker. The rate the host has set is read
 * from the master, whose settings are the slave's.
 */

import { closeSync, readSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { LinuxPortBinding } from '@serialport/bindings-cpp';
import type { Board } from '../board.ts';
import { concat } from '../bytes.ts';

const TURN_MS = 2;
/** Turns between two looks at the rate while nothing comes. */
const RATE_EVERY = 5;
const CHUNK = 4096;
/** What the host's side buffers of what nobody reads; more is lost, as in the kernel's tty. */
const UNREAD_LIMIT = 65536;

interface NativePty {
  open(columns: number, rows: number): { master: number; slave: number; pty: string };
}

type Binding = typeof import('@serialport/bindings-cpp');

const require = createRequire(import.meta.url);

/** node-pty's prebuilt addon without its streams, which would read the slave as well. */
function nativePty(): NativePty {
  const { requireBinary } = createRequire(require.resolve('@lydell/node-pty'))('./requireBinary.js') as {
    requireBinary: (file: string) => NativePty;
  };
  return requireBinary('pty.node');
}

function serialBinding(): Binding {
  return createRequire(require.resolve('serialport'))('@serialport/bindings-cpp') as Binding;
}

const isError = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface OpenPty {
  master: LinuxPortBinding;
  fd: number;
  path: string;
  linkAt: string | undefined;
}

export class PtyDoor {
  readonly #board: Board;
  readonly #link: string | undefined;
  #current: OpenPty | undefined;
  #served: Promise<void> = Promise.resolve();
  #renamed = 0;
  readonly #hasRate: boolean;

  /** `hasRate` false: native USB, where the host's rate means nothing. */
  constructor(board: Board, link?: string, { hasRate = true } = {}) {
    this.#board = board;
    this.#link = link;
    this.#hasRate = hasRate;
  }

  /** Opens a pty and returns the path to use. `newPath`: one that differs from the last. */
  async open(newPath = false): Promise<string> {
    const native = nativePty();
    const before = newPath && !this.#link ? native.open(80, 25) : undefined;
    const { master, slave, pty } = native.open(80, 25);
    for (const fd of before ? [before.master, before.slave] : []) closeSync(fd);
    const { LinuxBinding, LinuxPortBinding: PortBinding } = serialBinding();
    // Opening it once sets it raw and silent, before any byte could be echoed; that outlives the close.
    const once = await LinuxBinding.open({ path: pty, baudRate: 115200, lock: false, hupcl: false });
    await once.close();
    closeSync(slave);
    let linkAt: string | undefined;
    if (this.#link) {
      if (newPath) this.#renamed += 1;
      linkAt = this.#renamed > 0 ? `${this.#link}-${this.#renamed}` : this.#link;
      rmSync(linkAt, { force: true });
      symlinkSync(pty, linkAt);
    }
    const binding = new PortBinding(master, {} as ConstructorParameters<typeof PortBinding>[1]);
    this.#current = { master: binding, fd: master, path: linkAt ?? pty, linkAt };
    this.#served = this.#serve(this.#current);
    return this.#current.path;
  }

  /** Pulls the plug: who has the port open sees it hang up, and the path is gone. */
  async close(): Promise<void> {
    const current = this.#current;
    if (!current) return;
    this.#current = undefined;
    if (current.linkAt) rmSync(current.linkAt, { force: true });
    await this.#served;
    await current.master.close();
  }

  /** One turn every few milliseconds: rate, bytes in, bytes out. The lines are paced no finer. */
  async #serve(port: OpenPty): Promise<void> {
    const { uart } = this.#board;
    let open = false;
    let unsent: Uint8Array = new Uint8Array(0);
    for (let turn = 0; this.#current === port; turn++) {
      const full = uart.toChipPending > CHUNK;
      const bytes = full ? new Uint8Array(0) : receive(port.fd);
      if (!bytes) {
        if (open) uart.disconnect();
        open = false;
        unsent = new Uint8Array(0);
        await wait(TURN_MS);
        continue;
      }
      if (!this.#hasRate) uart.hostBaudRate = uart.baudRate;
      else if (!open || bytes.length > 0 || turn % RATE_EVERY === 0) {
        uart.hostBaudRate = (await port.master.getBaudRate()).baudRate;
      }
      if (!open) {
        open = true;
        uart.connect({
          data: (more) => {
            if (unsent.length + more.length <= UNREAD_LIMIT) unsent = concat(unsent, more);
          },
        });
      }
      uart.write(bytes);
      unsent = unsent.subarray(send(port.fd, unsent));
      if (bytes.length === 0) await wait(TURN_MS);
    }
    uart.disconnect();
  }
}

/** What the host wrote; `undefined` when nobody has the slave open (EIO). */
function receive(fd: number): Uint8Array | undefined {
  const buffer = Buffer.alloc(CHUNK);
  try {
    return Uint8Array.from(buffer.subarray(0, readSync(fd, buffer, 0, CHUNK, null)));
  } catch (error) {
    return isError(error, 'EAGAIN') ? new Uint8Array(0) : undefined;
  }
}

/** Returns how many bytes found room. */
function send(fd: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  try {
    return writeSync(fd, bytes);
  } catch {
    // EAGAIN: the host does not read. EIO: it has just closed, which the next turn sees.
    return 0;
  }
}
