/**
 * Boards that are plugged in and go, seen by looking at the list of ports again and again: no native module,
 * no udev. One watch serves everyone; nobody listening, it rests.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { mayOpen } from '../transport/access.ts';
import { listPorts } from '../transport/list.ts';
import type { PortInfo } from '../transport/port-info.ts';

export interface PortEvent {
  event: 'added' | 'removed';
  port: PortInfo;
}

export interface PortListener {
  /** Told once at the begin, and again after each change, and after a failure. */
  ports?: (ports: readonly PortInfo[]) => void;
  /** Not told of what is there at the begin. */
  event?: (event: PortEvent, ports: readonly PortInfo[]) => void;
  /** The machine cannot list its ports; told once until it can. */
  failed?: (error: unknown) => void;
}

/** What tests replace. */
export interface WatchHost {
  list: () => Promise<PortInfo[]>;
  /** Whether this user may open a port. */
  mayOpen: (path: string) => Promise<boolean>;
  /** Milliseconds that only grow. */
  now: () => number;
  /** Until the next look. */
  pause: (signal: AbortSignal) => Promise<unknown>;
}

/** Listing takes a few milliseconds on Linux, some more on Windows. */
const LOOK_EVERY_MS = 1000;
/**
 * USB inside the chip leaves with every restart and comes back with another program, perhaps under another
 * name: for so long it has not gone. An adapter stays through a restart, so it went by hand.
 */
const RESTART_MS = 5000;
/**
 * Linux makes a device for root alone, and udev gives it its group a moment later: who is told in between cannot open
 * it. So many looks it may take; after them the rights are as they are.
 */
const LOOKS_UNTIL_READY = 3;

const MACHINE: WatchHost = {
  list: () => listPorts(),
  mayOpen,
  now: () => performance.now(),
  pause: (signal) => sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }),
};

interface Present {
  port: PortInfo;
  /** When it was missed first; absent while it is there. */
  missed?: number;
}

export class PortWatch {
  readonly #host: WatchHost;
  readonly #listeners = new Set<PortListener>();
  readonly #present = new Map<string, Present>();
  #ports: readonly PortInfo[] | undefined;
  #shown = '';
  /** Why the last look saw nothing. */
  #failure: { error: unknown } | undefined;
  #resting: AbortController | undefined;
  /** New ports that may not be opened yet, and at how many looks that was so. */
  #unready: ReadonlyMap<string, number> = new Map();

  constructor(host: Partial<WatchHost> = {}) {
    this.#host = { ...MACHINE, ...host };
  }

  /** Listens until the function that is returned is called. */
  listen(listener: PortListener): () => void {
    this.#listeners.add(listener);
    if (this.#failure) listener.failed?.(this.#failure.error);
    else if (this.#ports) listener.ports?.(this.#ports);
    if (!this.#resting) {
      this.#resting = new AbortController();
      void this.#watch(this.#resting.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#resting?.abort();
      this.#resting = undefined;
      this.#ports = undefined;
      this.#failure = undefined;
      this.#present.clear();
    };
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const ports = await this.#host.list();
        this.#unready = await this.#unreadyAmong(ports);
        this.#look(ports, signal);
      } catch (error) {
        this.#fail(error, signal);
      }
      await this.#host.pause(signal).catch(() => undefined);
    }
  }

  #look(ports: readonly PortInfo[], { aborted }: AbortSignal): void {
    if (aborted) return;
    this.#failure = undefined;
    const first = this.#ports === undefined;
    this.#ports = ports;
    this.#compare(
      ports.filter(({ present }) => present !== false),
      first,
    );
    const shown = JSON.stringify(ports);
    if (!first && shown === this.#shown) return;
    this.#shown = shown;
    this.#tell((listener) => listener.ports?.(ports));
  }

  async #unreadyAmong(ports: readonly PortInfo[]): Promise<ReadonlyMap<string, number>> {
    const unready = new Map<string, number>();
    if (this.#ports === undefined) return unready;
    for (const port of ports) {
      const key = keyOf(port);
      const looks = (this.#unready.get(key) ?? 0) + 1;
      if (this.#present.has(key) || looks > LOOKS_UNTIL_READY) continue;
      if (!(await this.#host.mayOpen(port.path))) unready.set(key, looks);
    }
    return unready;
  }

  #fail(error: unknown, { aborted }: AbortSignal): void {
    if (aborted || this.#failure) return;
    this.#failure = { error };
    // Who was told of it is told when the list is there again, also where nothing has changed.
    this.#shown = '';
    this.#tell((listener) => listener.failed?.(error));
  }

  #compare(ports: readonly PortInfo[], first: boolean): void {
    const now = this.#host.now();
    const keys = new Set<string>();
    for (const port of ports) {
      const key = keyOf(port);
      keys.add(key);
      if (this.#unready.has(key)) continue;
      const before = this.#present.get(key)?.port;
      this.#present.set(key, { port });
      const swapped = before !== undefined && isOther(before, port);
      if (swapped) this.#event('removed', before);
      if (swapped || (!before && !first)) this.#event('added', port);
    }
    for (const [key, { port, missed = now }] of this.#present) {
      if (keys.has(key)) continue;
      this.#present.set(key, { port, missed });
      if (restarts(port) && now - missed < RESTART_MS && !replaced(port, ports)) continue;
      this.#present.delete(key);
      this.#event('removed', port);
    }
  }

  #event(event: PortEvent['event'], port: PortInfo): void {
    this.#tell((listener) => listener.event?.({ event, port }, this.#ports ?? []));
  }

  #tell(what: (listener: PortListener) => void): void {
    for (const listener of [...this.#listeners]) what(listener);
  }
}

/** A device, by what stays when it restarts its USB: the ROM has no serial number where the program has one. */
function keyOf({ path, locationId, serialNumber, adapter }: PortInfo): string {
  if (adapter && adapter.kind !== 'bridge' && (locationId ?? serialNumber) !== undefined) {
    return `usb ${locationId ?? ''} ${locationId === undefined ? serialNumber : ''}`;
  }
  return `path ${path} ${serialNumber ?? ''} ${locationId ?? ''}`;
}

/** Whether two of the same kind have different serial numbers: boards were swapped. */
function isOther(a: PortInfo, b: PortInfo): boolean {
  const ids = ({ vendorId, productId }: PortInfo): string => `${vendorId ?? ''}:${productId ?? ''}`;
  return ids(a) === ids(b) && a.serialNumber !== b.serialNumber;
}

function restarts({ adapter }: PortInfo): boolean {
  return adapter !== undefined && adapter.kind !== 'bridge';
}

/** Whether something else is plugged in at its place. */
function replaced(port: PortInfo, ports: readonly PortInfo[]): boolean {
  return ports.some(({ locationId }) => locationId !== undefined && locationId === port.locationId);
}
