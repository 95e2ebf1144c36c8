/** The `esp32 board` config node: one board, one port, shared by every node that uses it. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Board } from '../../lib/board/board.ts';
import { registerPortRoutes } from '../../lib/runtime/port-routes.ts';
import { numberOr, oneOf } from '../../lib/runtime/properties.ts';
import type { BoardNode } from '../../lib/runtime/job-node.ts';

interface BoardDef extends NodeDef {
  port: string;
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
  function Esp32Board(this: Node, def: BoardDef): void {
    RED.nodes.createNode(this, def);
    const board = new Board({
      port: def.port,
      baudRate: numberOr(def.baudRate, 115200),
      idleLines: IDLE_LINES[oneOf(def.idleLines, ['auto', 'asserted', 'released'], 'auto', 'idleLines')],
      resetSequence: def.resetSequence?.trim() || undefined,
      onWarning: ({ code, port, detail }) =>
        this.warn(RED._(`esp32-board.warning.${code}`, { port, detail })),
    });
    const node: BoardNode = Object.assign(this, {
      device: board,
      flashBaudRate: numberOr(def.flashBaudRate, 460800),
      connectTimeoutMs: numberOr(def.connectTimeout, 30) * 1000,
    });
    node.on('close', (done: (error?: Error) => void) => {
      board.close().then(() => done(), done);
    });
  }
  RED.nodes.registerType('esp32-board', Esp32Board);
  registerPortRoutes(RED);
}
