/** The `esp32 board` config node: one board, one port, shared by every node that uses it. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { BoardOptions } from '../../lib/board/board.ts';
import { boardOptions, loaderSettings } from '../../lib/runtime/board-options.ts';
import type { BoardSettings } from '../../lib/runtime/board-options.ts';
import { registerEditorRoutes } from '../../lib/runtime/editor-routes.ts';
import { deployedBoards, heldBoards } from '../../lib/runtime/shared.ts';
import type { BoardNode } from '../../lib/runtime/job-node.ts';

type BoardDef = NodeDef & BoardSettings;

export default function register(RED: NodeAPI): void {
  const boards = heldBoards(RED);
  const deployed = deployedBoards(RED);
  function Esp32Board(this: Node, def: BoardDef): void {
    RED.nodes.createNode(this, def);
    const options: BoardOptions = {
      ...boardOptions(def),
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
      ...loaderSettings(def),
    });
    deployed.set(this.id, node);
    node.on('close', (done: (error?: Error) => void) => {
      deployed.delete(this.id);
      boards.release(this).then(() => done(), done);
    });
  }
  RED.nodes.registerType('esp32-board', Esp32Board);
  registerEditorRoutes(RED);
}
