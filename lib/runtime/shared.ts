/** What all node types of one runtime share, so that two of them do not do the same work twice. */
import type { NodeAPI } from 'node-red';
import { Boards } from '../board/boards.ts';
import { PortPicture } from '../board/port-picture.ts';
import { PortWatch } from '../board/port-watch.ts';
import { InputError } from './diagnosis.ts';
import type { BoardNode } from './job-node.ts';

interface Shared {
  watch: PortWatch;
  picture: PortPicture;
  boards: Boards;
  deployed: Map<string, BoardNode>;
}

/** By the runtime's event bus, which is the same for every node type; gone with the runtime. */
const runtimes = new WeakMap<object, Shared>();

function sharedBy(RED: NodeAPI): Shared {
  const runtime = RED.events as object;
  const known = runtimes.get(runtime);
  if (known) return known;
  const watch = new PortWatch();
  const shared: Shared = {
    watch,
    picture: new PortPicture(watch),
    boards: new Boards(),
    deployed: new Map(),
  };
  runtimes.set(runtime, shared);
  return shared;
}

/** The one watch over the ports of this machine. */
export function portWatch(RED: NodeAPI): PortWatch {
  return sharedBy(RED).watch;
}

/** What its users choose from. */
export function portPicture(RED: NodeAPI): PortPicture {
  return sharedBy(RED).picture;
}

/** All boards that anyone holds. */
export function heldBoards(RED: NodeAPI): Boards {
  return sharedBy(RED).boards;
}

/** The `esp32 board` nodes that run, by their ids. */
export function deployedBoards(RED: NodeAPI): Map<string, BoardNode> {
  return sharedBy(RED).deployed;
}

/** One of them. Throws `InputError` 'board-not-deployed'. */
export function deployedBoard(RED: NodeAPI, id: string | undefined): BoardNode {
  const node = deployedBoards(RED).get(id ?? '');
  if (!node) throw new InputError('board-not-deployed', `no board ${id ?? ''} is deployed`);
  return node;
}
