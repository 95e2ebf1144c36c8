/**
 * Following one board from port to port. Boards with native USB leave the bus when they restart and come back as
 * another device, often under another name: MicroPython's port, then the mask ROM's, then MicroPython's again.
 * They are known by their serial number, else by the socket they hang in. A remote port is dialled again.
 */
import { messageOf } from '../errors/reason.ts';
import { PortError } from '../transport/errors.ts';
import { deviceOf, portsOf, presentPath } from '../transport/identity.ts';
import type { Binding } from '../transport/identity.ts';
import { listPorts } from '../transport/list.ts';
import { openTransport } from '../transport/open.ts';
import type { PortInfo } from '../transport/port-info.ts';
import { parsePortName } from '../transport/port-name.ts';
import type { OpenOptions, ReopenLimit, Transport, UsbIds } from '../transport/transport.ts';
import { pauseFor } from '../transport/wait.ts';
import { FollowedTransport } from './followed-transport.ts';
import type { Opened } from './followed-transport.ts';

/** The ports of this machine; tests replace them. */
export interface Ports {
  list: () => Promise<PortInfo[]>;
  open: (port: string, options: OpenOptions) => Promise<Transport>;
}

const SYSTEM: Ports = { list: listPorts, open: openTransport };

/** Milliseconds between two looks for a board that is away: enumeration takes some hundred. */
const LOOK_EVERY_MS = 100;
/** How long new jobs wait for a board that the one before has restarted: all of them together. */
const ON_ITS_WAY_MS = 3000;
/** While a board comes back its port may be there already and not yet be ours: udev, ModemManager. */
const PASSING = new Set([
  'port-missing',
  'port-permission',
  'port-busy',
  'port-open-failed',
  'port-lost',
  'port-refused',
  'open-timeout',
]);

/** Opens the port of one board, again and again, and finds it where it has moved to. */
export class PortFollower {
  readonly #binding: Binding;
  readonly #options: OpenOptions;
  readonly #ports: Ports;
  readonly #isRemote: boolean;
  readonly #warned = new Set<string>();
  #board: KnownBoard | undefined;
  /** Until when it may be on its way back; known from the first look for it that finds it gone. */
  #onItsWayUntil: number | undefined;

  /** The board as the user names it. Throws `PortError` for what is no port. */
  constructor(binding: Binding, options: OpenOptions, ports: Ports = SYSTEM) {
    this.#binding = binding;
    this.#ports = ports;
    this.#isRemote = ['rfc2217', 'tcp'].includes(parsePortName(binding.device?.trim() || binding.port).kind);
    this.#options = {
      ...options,
      onWarning: (warning) => {
        if (this.#warned.has(warning.code)) return;
        this.#warned.add(warning.code);
        options.onWarning?.(warning);
      },
    };
  }

  /** The board where it is now; one that is not in the list is tried under the name the user gave. */
  async open(signal: AbortSignal): Promise<Transport> {
    const path = await this.#pathForNext();
    const now = path === undefined ? await this.#openFirst(signal) : await this.#openAt(path, signal);
    return new FollowedTransport(now, (limit) => this.openAgain(limit));
  }

  /** As `open`, for the board of a job that is away: waits until it is back. */
  async openAgain(
    { timeoutMs, signal }: ReopenLimit,
    where = (): Promise<string | undefined> => this.#pathNow(),
  ): Promise<Opened> {
    const deadline = performance.now() + timeoutMs;
    let last: unknown;
    do {
      try {
        const path = await where();
        if (path !== undefined) return await this.#openAt(path, signal);
      } catch (error) {
        if (!(error instanceof PortError && PASSING.has(error.code))) throw error;
        last = error;
      }
      await pauseFor(LOOK_EVERY_MS, signal);
    } while (performance.now() < deadline);
    const reason = last === undefined ? 'it is not in the list of ports' : messageOf(last);
    const facts = { waitedMs: timeoutMs, reason };
    const { port } = this.#binding;
    throw new PortError('port-not-back', port, `${port} did not come back: ${reason}`, facts, last);
  }

  /** A board that was there may just be on its way back; else it is looked for where the user said. */
  async #openFirst(signal: AbortSignal): Promise<Opened> {
    if (this.#board) {
      this.#onItsWayUntil ??= performance.now() + ON_ITS_WAY_MS;
      const timeoutMs = this.#onItsWayUntil - performance.now();
      try {
        return await this.openAgain({ timeoutMs, signal }, () => this.#pathForNext());
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
      }
    }
    return this.#openAt(await this.#pathSaid(), signal);
  }

  /**
   * Between jobs boards are swapped: a port that is known by its path alone is what hangs there now, and a board
   * that has a number is no other one in its place.
   */
  async #pathForNext(): Promise<string | undefined> {
    const { device, port } = this.#binding;
    if (!this.#board) return undefined;
    const list = await this.#list();
    const named = device ? undefined : list.find((info) => info.present !== false && isAt(info, port));
    return (named ?? findSame(this.#board, list))?.path;
  }

  /** Within a job it is the same board, though another program may give another number. */
  async #pathNow(): Promise<string | undefined> {
    return this.#board ? findBoard(this.#board, await this.#list())?.path : this.#pathSaid();
  }

  #pathSaid(): Promise<string> {
    return presentPath(this.#binding, this.#ports.list);
  }

  async #openAt(path: string, signal: AbortSignal): Promise<Opened> {
    const transport = await this.#ports.open(path, { ...this.#options, signal });
    this.#onItsWayUntil = undefined;
    if (this.#isRemote) return { transport, usb: {} };
    const list = await this.#list();
    const info = list.find((each) => isAt(each, transport.port));
    this.#board = info && knownBoard(info, list, this.#board);
    return { transport, usb: usbIds(info) };
  }

  /** A machine that cannot list its ports follows nothing. */
  async #list(): Promise<PortInfo[]> {
    return this.#isRemote ? [] : this.#ports.list().catch(() => []);
  }
}

/** Whether a port is the one that is written so: `com3` and `ttyUSB0` are `COM3` and `/dev/ttyUSB0`. */
function isAt({ path, byId }: PortInfo, port: string): boolean {
  const name = parsePortName(port);
  return name.kind === 'serial' && (path === name.path || byId === name.path);
}

/** What tells a board from others, and its port from its other ports. */
interface KnownBoard {
  /** `usb:…` by its own serial number, where it has one, and by where it hangs. */
  number: string | undefined;
  place: string | undefined;
  /** Which of its ports, where it has several. */
  index: number;
}

function knownBoard(info: PortInfo, list: readonly PortInfo[], before: KnownBoard | undefined): KnownBoard {
  const own = deviceOf(info, list);
  const place = info.locationId === undefined ? undefined : `usb:${info.locationId}`;
  // The mask ROM has no number of its own: what was known of the board in this place is kept.
  const kept = place !== undefined && before?.place === place ? before.number : undefined;
  const board = { number: own === place ? kept : own, place };
  return { ...board, index: Math.max(0, portsWith(board, list).indexOf(info)) };
}

function findBoard(board: KnownBoard, list: readonly PortInfo[]): PortInfo | undefined {
  const ports = portsWith(board, list);
  return ports[board.index] ?? ports[0];
}

/** As `findBoard`; but what has another number of its own is another board, though it is in the same place. */
function findSame(board: KnownBoard, list: readonly PortInfo[]): PortInfo | undefined {
  const found = findBoard(board, list);
  if (!found || board.number === undefined || portsOf(board.number, [found]).length > 0) return found;
  return deviceOf(found, list) === board.place ? found : undefined;
}

/** The ports with its number; where none has it, those in its place. */
function portsWith({ number, place }: Omit<KnownBoard, 'index'>, list: readonly PortInfo[]): PortInfo[] {
  const [byNumber, byPlace] = [number, place].map((name) => (name === undefined ? [] : portsOf(name, list)));
  return byNumber?.length ? byNumber : (byPlace ?? []);
}

function usbIds(info: PortInfo | undefined): UsbIds {
  const { vendorId, productId } = info ?? {};
  return { ...(vendorId ? { vendorId } : {}), ...(productId ? { productId } : {}) };
}
