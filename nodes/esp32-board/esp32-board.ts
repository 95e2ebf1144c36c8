/** The `esp32 board` config node: one board, one port, shared by every node that uses it. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { BoardOptions } from '../../lib/board/board.ts';
import { Boards } from '../../lib/board/boards.ts';
import { registerPortRoutes } from '../../lib/runtime/port-routes.ts';
import { numberOr, oneOf } from '../../lib/runtime/properties.ts';
import type { BoardNode } from '../../lib/runtime/job-node.ts';

interface BoardDef extends NodeDef {
  port: string;
  /** `usb:<serial or location>` where the board is known by its device rather than its port. */
  device?: string;
  baudRate: string | number;
  flashBaudRate: string | number;
  /** What DTR and RTS do while nothing is reset. */
  idleLines: keyof typeof IDLE_LINES;
  /** Commands of a reset sequence, `none`, or empty for what suits the port. */
  resetSequence?: string;
  /** Seconds. */
  connectTimeout: string | number;
}

const IDLE_LINES = {
  auto: undefined,
  asserted: { dtr: true, rts: true },
  released: { dtr: false, rts: false },
} as const;

export default function register(RED: NodeAPI): void {
  const boards = new Boards();
  function Esp32Board(this: Node, def: BoardDef): void {
    RED.nodes.createNode(this, def);
    const options: BoardOptions = {
      port: def.port,
      device: def.device?.trim() || undefined,
      baudRate: numberOr(def.baudRate, 115200),
      idleLines: IDLE_LINES[oneOf(def.idleLines, ['auto', 'asserted', 'released'], 'auto', 'idleLines')],
      resetSequence: def.resetSequence?.trim() || undefined,
      onWarning: ({ code, port, detail }) =>
        this.warn(RED._(`esp32-board.warning.${code}`, { port, detail })),
    };
    const { board, shared } = boards.hold(options, this);
    if (shared) this.warn(RED._('esp32-board.warning.shared', { port: options.port }));
    const node: BoardNode = Object.assign(this, {
      device: board,
      deviceAt: async (port: unknown) => {
        // Node-RED's own UDP and TCP nodes leave a number there, which is none of ours.
        if (typeof port !== 'string' || port.trim() === '') return board;
        return boards.find({ ...options, port, device: undefined }, this);
      },
      flashBaudRate: numberOr(def.flashBaudRate, 460800),
      connectTimeoutMs: numberOr(def.connectTimeout, 30) * 1000,
    });
    node.on('close', (done: (error?: Error) => void) => {
      boards.release(this).then(() => done(), done);
    });
  }
  RED.nodes.registerType('esp32-board', Esp32Board);
  registerPortRoutes(RED);
}
