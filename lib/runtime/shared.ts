/** What all node types of one runtime share, so that two of them do not do the same work twice. */
import type { NodeAPI } from 'node-red';
import { PortWatch } from '../board/port-watch.ts';

/** By the runtime's event bus, which is the same for every node type; gone with the runtime. */
const watches = new WeakMap<object, PortWatch>();

/** The one watch over the ports of this machine. */
export function portWatch(RED: NodeAPI): PortWatch {
  const runtime = RED.events as object;
  const watch = watches.get(runtime) ?? new PortWatch();
  watches.set(runtime, watch);
  return watch;
}
