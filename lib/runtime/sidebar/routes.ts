/** What the sidebar asks the runtime. */
import type { NodeAPI } from 'node-red';
import type { DeployedBoard } from '../../editor/wire.ts';
import { adminRoutes } from '../admin-route.ts';
import { deployedBoards } from '../shared.ts';
import { registerFileRoutes } from './file-routes.ts';
import { registerFlashRoutes } from './flash-routes.ts';
import { registerTerminalRoutes } from './terminal-routes.ts';

export function registerSidebarRoutes(RED: NodeAPI): void {
  const boards = (): DeployedBoard[] =>
    [...deployedBoards(RED)].map(([id, { name = '', device }]) => ({ id, name, port: device.port }));
  adminRoutes(RED).get('/esp32-board/boards', boards);
  RED.events.on('flows:started', () => RED.comms.publish('esp32-boards', { boards: boards() }, false));
  registerTerminalRoutes(RED);
  registerFileRoutes(RED);
  registerFlashRoutes(RED);
}
