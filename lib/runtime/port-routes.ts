/** What the edit dialog of the board asks the runtime: the ports of the machine Node-RED runs on. */
import type { NodeAPI } from 'node-red';
import { listPorts } from '../board/ports.ts';

/** `GET /esp32-board/ports` answers `{ ports: PortInfo[] }`, or 500 with `{ error }`. */
export function registerPortRoutes(RED: NodeAPI): void {
  RED.httpAdmin.get(
    '/esp32-board/ports',
    RED.auth.needsPermission('esp32-board.read'),
    (_request, response) => {
      listPorts().then(
        (ports) => response.json({ ports }),
        (error: unknown) =>
          response.status(500).json({ error: error instanceof Error ? error.message : String(error) }),
      );
    },
  );
}
