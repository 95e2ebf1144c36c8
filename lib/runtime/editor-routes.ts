/** All that the editor asks the runtime: for the dialog of a board, and for the sidebar. */
import type { NodeAPI } from 'node-red';
import { registerDialogRoutes } from './dialog-routes.ts';
import { registerSidebarRoutes } from './sidebar/routes.ts';

/** Runtimes that have them already, by their event buses. */
const served = new WeakSet<object>();

/** Once for each runtime; none where Node-RED runs without an editor. */
export function registerEditorRoutes(RED: NodeAPI): void {
  const runtime = RED.events as object;
  if (!(RED.httpAdmin as object | null) || served.has(runtime)) return;
  served.add(runtime);
  registerDialogRoutes(RED);
  registerSidebarRoutes(RED);
}
