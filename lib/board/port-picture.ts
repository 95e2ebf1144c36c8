/**
 * What a person sees who chooses a port: those that are there, how each is known again, and what keeps others from
 * being there. As facts; the words are made on a higher floor.
 */
import { deniedAt } from '../transport/access.ts';
import type { Denied } from '../transport/access.ts';
import { containerOf } from '../transport/container.ts';
import type { Container } from '../transport/container.ts';
import { deviceOf } from '../transport/identity.ts';
import type { PortInfo } from '../transport/port-info.ts';
import { portlessDevices } from '../transport/portless.ts';
import type { Portless } from '../transport/portless.ts';
import { runningTakers } from '../transport/takers.ts';
import type { Taker } from '../transport/takers.ts';
import type { PortWatch } from './port-watch.ts';

/** Why a board may not be in the list, or cannot be opened. */
export const PORT_TROUBLES = [
  /** Nothing likely is there. */
  'no-port',
  /** The user who runs Node-RED may not open it. */
  'no-permission',
  /** The user may, but Node-RED began before that. */
  'log-in-again',
  /** The machine has the device, this container was not given it. */
  'not-passed-in',
  /** A device without its driver. */
  'no-driver',
  /** A program took the device from its driver. */
  'taken',
  /** A port that went away as soon as it had come. */
  'vanished',
] as const;

export type PortTroubleCode = (typeof PORT_TROUBLES)[number];

export interface PortTrouble {
  code: PortTroubleCode;
  /** For the words: `path`, `user`, `group`, `gid`, `adapter`, `driver`; `case` where there are words of their own. */
  facts: Readonly<Record<string, string | number>>;
}

export interface SeenPort extends PortInfo {
  /** `usb:…` for this very device, see `deviceOf`; absent where only its path is known. */
  device?: string;
}

export interface Picture {
  ports: SeenPort[];
  troubles: PortTrouble[];
}

/** What tests replace. */
export interface PictureHost {
  platform: NodeJS.Platform;
  container: () => Promise<Container | undefined>;
  denied: (path: string) => Promise<Denied | undefined>;
  portless: () => Promise<Portless[]>;
  takers: () => Promise<Taker[]>;
  now: () => number;
}

const MACHINE: PictureHost = {
  platform: process.platform,
  container: containerOf,
  denied: deniedAt,
  portless: portlessDevices,
  takers: runningTakers,
  now: () => performance.now(),
};

/** The watch goes on for so long after a look, so that what comes and goes between two looks is seen. */
const WATCHED_MS = 10_000;
/** A port that is gone sooner was not pulled by hand. The watch itself sees it a second late. */
const VANISHED_MS = 3000;
/** How long it is told of a port that vanished. */
const TOLD_MS = 60_000;

export class PortPicture {
  readonly #watch: PortWatch;
  readonly #host: PictureHost;
  readonly #added = new Map<string, number>();
  readonly #vanished = new Map<string, { port: PortInfo; at: number }>();
  #ports: Promise<readonly PortInfo[]> | undefined;
  #stop: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(watch: PortWatch, host: Partial<PictureHost> = {}) {
    this.#watch = watch;
    this.#host = { ...MACHINE, ...host };
  }

  /** What is there now. Throws what `listPorts` throws. */
  async look(): Promise<Picture> {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.rest(), WATCHED_MS).unref();
    if (!this.#stop) this.#begin();
    const ports = (await this.#ports) ?? [];
    const seen = ports.map((port) => {
      const device = deviceOf(port, ports);
      return device === undefined ? port : { ...port, device };
    });
    return { ports: seen, troubles: await this.#troubles(ports) };
  }

  /** Ends the watch. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#stop?.();
    this.#stop = undefined;
    this.#ports = undefined;
    this.#added.clear();
  }

  #begin(): void {
    this.#ports = new Promise((resolve, reject) => {
      this.#stop = this.#watch.listen({
        ports: (ports) => {
          resolve(ports);
          this.#ports = Promise.resolve(ports);
        },
        failed: (error: unknown) => {
          const failure = error instanceof Error ? error : new Error(String(error));
          reject(failure);
          this.#ports = Promise.reject(failure);
          this.#ports.catch(() => undefined);
        },
        event: ({ event, port }) => this.#noted(event, port),
      });
    });
    this.#ports.catch(() => undefined);
  }

  #noted(event: 'added' | 'removed', port: PortInfo): void {
    const now = this.#host.now();
    if (event === 'added') {
      this.#added.set(port.path, now);
      return;
    }
    const since = now - (this.#added.get(port.path) ?? -Infinity);
    if (since < VANISHED_MS && port.adapter?.kind === 'bridge')
      this.#vanished.set(port.path, { port, at: now });
  }

  async #troubles(ports: readonly PortInfo[]): Promise<PortTrouble[]> {
    const likely = ports.filter((port) => port.likely);
    const [container, takers, portless] = await Promise.all([
      this.#host.container(),
      this.#host.takers(),
      this.#host.portless(),
    ]);
    const found = [
      ...(await this.#closed(likely, container)),
      ...likely.filter(({ present }) => present === false).map((port) => notPassedIn(port, container)),
      ...portless.map((device) => withoutPort(device, takers)),
      ...this.#gone(ports, takers),
    ];
    const open = likely.some(({ present }) => present !== false);
    if (!open && found.length === 0) found.push(noPort(container ?? this.#host.platform));
    return found;
  }

  /** Ports that are there and do not open. */
  async #closed(ports: readonly PortInfo[], container: Container | undefined): Promise<PortTrouble[]> {
    if (this.#host.platform === 'win32') return [];
    const there = ports.filter(({ present }) => present !== false);
    const denied = await Promise.all(there.map(({ path }) => this.#host.denied(path)));
    return there.flatMap(({ path }, at): PortTrouble[] => {
      const why = denied[at];
      if (!why) return [];
      const { user, group, gid, isMember } = why;
      const facts = { path, user, group, gid, ...(container ? { case: 'container' } : {}) };
      return [{ code: isMember ? 'log-in-again' : 'no-permission', facts }];
    });
  }

  #gone(ports: readonly PortInfo[], takers: readonly Taker[]): PortTrouble[] {
    const now = this.#host.now();
    for (const [path, { at }] of this.#vanished) {
      const isBack = ports.some((port) => port.path === path);
      if (isBack || now - at > TOLD_MS) this.#vanished.delete(path);
    }
    return [...this.#vanished.values()].map(({ port: { path, adapter } }) => ({
      code: 'vanished',
      facts: { path, adapter: adapter?.name ?? '', ...byBrltty(takers) },
    }));
  }
}

function noPort(place: Container | NodeJS.Platform): PortTrouble {
  const isContainer = !['linux', 'win32', 'darwin'].includes(place);
  return { code: 'no-port', facts: { case: isContainer ? 'container' : place } };
}

function notPassedIn({ path, byId }: PortInfo, container: Container | undefined): PortTrouble {
  const facts = { path, byId: byId ?? path, ...(container === 'kubernetes' ? { case: container } : {}) };
  return { code: 'not-passed-in', facts };
}

function withoutPort(
  { adapter, driver, locationId, isTaken }: Portless,
  takers: readonly Taker[],
): PortTrouble {
  const facts = { adapter, driver, locationId };
  return isTaken
    ? { code: 'taken', facts: { ...facts, ...byBrltty(takers) } }
    : { code: 'no-driver', facts: { ...facts } };
}

/** Of the known programs only brltty takes a device from its driver. */
function byBrltty(takers: readonly Taker[]): { case?: string } {
  return takers.includes('brltty') ? { case: 'brltty' } : {};
}
