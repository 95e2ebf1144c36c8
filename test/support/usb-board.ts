/** A virtual board on its own USB, its ports as Linux shows them, and a driver with or without DTR and RTS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Board } from '../../lib/board/board.ts';
import type { BoardOptions } from '../../lib/board/board.ts';
import type { Ports } from '../../lib/board/follow.ts';
import { listPorts } from '../../lib/transport/list.ts';
import type { PortInfo } from '../../lib/transport/port-info.ts';
import { loadSerialBinding, openSerial } from '../../lib/transport/serial.ts';
import type { SerialBinding } from '../../lib/transport/serial-binding.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';

export interface UsbSetup extends LaunchOptions {
  kind: 'otg' | 'jtag';
  /** Whether the driver passes DTR and RTS on; Linux from 6.7 on does not. */
  hasLines: boolean;
}

export class UsbBoard {
  readonly device: VirtualBoard;
  readonly ports: Ports;
  readonly #root: string;

  private constructor(device: VirtualBoard, root: string, hasLines: boolean) {
    this.device = device;
    this.#root = root;
    this.ports = {
      list: () => listPorts({ platform: 'linux', sys: join(root, 'sys'), dev: join(root, 'dev') }),
      open: async (port, options) => {
        const plain = await loadSerialBinding(port);
        const binding = hasLines ? withLines(plain, device) : plain;
        return openSerial(port, port, options, { platform: 'linux', binding });
      },
    };
  }

  static async launch({ kind, hasLines, ...options }: UsbSetup): Promise<UsbBoard> {
    const root = mkdtempSync(join(tmpdir(), 'usb-'));
    const device = await launchBoard({ timing: 'none', ...options, rfc2217: false, usb: { kind, root } });
    return new UsbBoard(device, root, hasLines);
  }

  /** The port, once the board is on the bus. */
  async port(): Promise<PortInfo> {
    for (const end = performance.now() + 10_000; performance.now() < end;) {
      const [port] = await this.ports.list();
      if (port?.present) return port;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('the board does not come onto the bus');
  }

  async board(options: Partial<BoardOptions> = {}): Promise<Board> {
    const { path } = await this.port();
    return new Board({ port: path, baudRate: 115200, ports: this.ports, ...options });
  }

  async close(): Promise<void> {
    await this.device.close();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** A pty has no lines: what is set goes to the board by the way of the tests. */
function withLines(binding: SerialBinding, device: VirtualBoard): SerialBinding {
  return {
    list: () => binding.list(),
    open: async (options) =>
      Object.assign(await binding.open(options), {
        set: ({ dtr, rts }: { dtr: boolean; rts: boolean }) => device.setUsbLines(dtr, rts),
      }),
  };
}
