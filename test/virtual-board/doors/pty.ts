/**
 * The board behind a pseudo terminal (Linux): what a program that opens `/dev/ttyUSB0` sees, except for
 * the modem lines, which a pty does not have.
 *
 * No descriptor of the slave is kept open: reading the master fails with EIO while nobody has the port
 * open, which is how an adapter knows that its bytes have no taker. The rate the host has set is read
 * from the master, whose settings are the slave's.
 */

import { closeSync, readSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { LinuxPortBinding } from '@serialport/bindings-cpp';
import type { Board } from '../board.ts';

const OPEN_CHECK_MS = 5;
const RATE_CHECK_MS = 10;
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

  constructor(board: Board, link?: string) {
    this.#board = board;
    this.#link = link;
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
    await current.master.close();
    await this.#served;
  }

  async #serve(port: OpenPty): Promise<void> {
    while (this.#current === port) {
      const first = this.#firstByte(port.fd);
      if (first) await this.#session(port.master, first);
      else await wait(OPEN_CHECK_MS);
    }
  }

  /** EIO: nobody has the slave open. Otherwise a session begins, perhaps with a byte already there. */
  #firstByte(fd: number): Uint8Array | undefined {
    const byte = Buffer.alloc(1);
    try {
      return Uint8Array.from(byte.subarray(0, readSync(fd, byte, 0, 1, null)));
    } catch (error) {
      return isError(error, 'EAGAIN') ? new Uint8Array(0) : undefined;
    }
  }

  async #session(master: LinuxPortBinding, first: Uint8Array): Promise<void> {
    const { uart } = this.#board;
    let open = true;
    let unread = 0;
    uart.hostBaudRate = (await master.getBaudRate()).baudRate;
    let writing = Promise.resolve();
    uart.connect({
      data: (bytes) => {
        if (unread + bytes.length > UNREAD_LIMIT) return;
        unread += bytes.length;
        writing = writing
          .then(() => master.write(Buffer.from(bytes)))
          .catch(() => undefined)
          .finally(() => (unread -= bytes.length));
      },
    });
    const watchRate = async (): Promise<void> => {
      while (open) {
        uart.hostBaudRate = (await master.getBaudRate()).baudRate;
        await wait(RATE_CHECK_MS);
      }
    };
    const watching = watchRate().catch(() => undefined);
    const buffer = Buffer.alloc(CHUNK);
    uart.write(first);
    try {
      for (;;) {
        const { bytesRead } = await master.read(buffer, 0, CHUNK);
        uart.hostBaudRate = (await master.getBaudRate()).baudRate;
        uart.write(Uint8Array.from(buffer.subarray(0, bytesRead)));
        if (uart.toChipPending > CHUNK) await uart.toChipDrained();
      }
    } catch {
      // EIO: the host closed its end. Anything else: this end was closed.
    } finally {
      open = false;
      uart.disconnect();
      await watching;
    }
  }
}
