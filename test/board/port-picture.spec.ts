/** Why a board is not to be seen, or cannot be opened: each reason on a machine that has it. */
import assert from 'node:assert/strict';
import { PortPicture } from '../../lib/board/port-picture.ts';
import type { PictureHost, PortTrouble } from '../../lib/board/port-picture.ts';
import { PortWatch } from '../../lib/board/port-watch.ts';
import { adapterOf } from '../../lib/transport/adapters.ts';
import type { PortInfo } from '../../lib/transport/port-info.ts';

const adapter = adapterOf('10c4', 'ea60')!;
const board: PortInfo = {
  path: '/dev/ttyUSB0',
  likely: true,
  present: true,
  adapter,
  vendorId: '10c4',
  productId: 'ea60',
  serialNumber: '5a8e3fb2',
  locationId: '1-1',
};
const plain: PortInfo = { path: '/dev/ttyS0', likely: false, present: true };

/** A machine on which nothing is wrong, but for what the test says. */
class Machine {
  ports: PortInfo[] = [];
  #now = 0;
  #next = Promise.withResolvers<unknown>();
  readonly picture: PortPicture;

  constructor(host: Partial<PictureHost> = {}) {
    const watch = new PortWatch({
      list: () => Promise.resolve(this.ports),
      mayOpen: () => Promise.resolve(true),
      now: () => this.#now,
      pause: () => this.#next.promise,
    });
    this.picture = new PortPicture(watch, {
      platform: 'linux',
      container: () => Promise.resolve(undefined),
      denied: () => Promise.resolve(undefined),
      portless: () => Promise.resolve([]),
      takers: () => Promise.resolve([]),
      now: () => this.#now,
      ...host,
    });
  }

  /** So many milliseconds later the watch looks again, and sees these. */
  async later(ms: number, ports: PortInfo[]): Promise<void> {
    this.#now += ms;
    this.ports = ports;
    const pause = this.#next;
    this.#next = Promise.withResolvers();
    pause.resolve(undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async troubles(): Promise<readonly PortTrouble[]> {
    return (await this.picture.look()).troubles;
  }
}

describe('board: the picture of the ports', () => {
  let machine: Machine;
  afterEach(() => machine.picture.rest());

  const on = (ports: PortInfo[], host: Partial<PictureHost> = {}): Machine => {
    machine = new Machine(host);
    machine.ports = ports;
    return machine;
  };

  it('has every port with the device it is known by, and no trouble where a board is', async () => {
    assert.deepEqual(await on([board, plain]).picture.look(), {
      ports: [{ ...board, device: 'usb:5a8e3fb2' }, plain],
      troubles: [],
    });
  });

  it('says where no board is to be seen, in words for the system', async () => {
    for (const platform of ['linux', 'win32', 'darwin'] as const) {
      assert.deepEqual(await on([plain], { platform }).troubles(), [
        { code: 'no-port', facts: { case: platform } },
      ]);
      machine.picture.rest();
    }
    const container = (): Promise<'docker'> => Promise.resolve('docker');
    assert.deepEqual(await on([], { container }).troubles(), [
      { code: 'no-port', facts: { case: 'container' } },
    ]);
  });

  it('knows what must be said to the machine for this user and group', async () => {
    const why = { user: 'nodered', group: 'dialout', gid: 20 };
    const facts = { path: board.path, ...why };
    const denied = (isMember: boolean) => (): Promise<typeof why & { isMember: boolean }> =>
      Promise.resolve({ ...why, isMember });
    assert.deepEqual(await on([board], { denied: denied(false) }).troubles(), [
      { code: 'no-permission', facts },
    ]);
    machine.picture.rest();
    assert.deepEqual(await on([board], { denied: denied(true) }).troubles(), [
      { code: 'log-in-again', facts },
    ]);
    machine.picture.rest();
    const container = (): Promise<'podman'> => Promise.resolve('podman');
    assert.deepEqual(await on([board], { denied: denied(false), container }).troubles(), [
      { code: 'no-permission', facts: { ...facts, case: 'container' } },
    ]);
  });

  it('tells of a device that a container was not given', async () => {
    const facts = { path: board.path, byId: board.path };
    assert.deepEqual(await on([{ ...board, present: false }]).troubles(), [{ code: 'not-passed-in', facts }]);
  });

  it('tells of a board without its driver, and of one that a program took', async () => {
    const device = { locationId: '1-1', adapter: 'CH340', driver: 'ch341' };
    const portless = (isTaken: boolean) => () => Promise.resolve([{ ...device, isTaken }]);
    assert.deepEqual(await on([], { portless: portless(false) }).troubles(), [
      { code: 'no-driver', facts: device },
    ]);
    machine.picture.rest();
    const takers = (): Promise<['brltty']> => Promise.resolve(['brltty']);
    assert.deepEqual(await on([], { portless: portless(true), takers }).troubles(), [
      { code: 'taken', facts: { ...device, case: 'brltty' } },
    ]);
  });

  it('tells of a port that went as soon as it had come, until it stays', async () => {
    on([plain]);
    await machine.troubles();
    await machine.later(1000, [plain, board]);
    await machine.later(1000, [plain]);
    const facts = { path: board.path, adapter: 'CP210x' };
    assert.deepEqual(await machine.troubles(), [{ code: 'vanished', facts }]);
    await machine.later(1000, [plain, board]);
    assert.deepEqual(await machine.troubles(), []);
  });

  it('says nothing of a board that was pulled', async () => {
    on([plain, board]);
    await machine.troubles();
    await machine.later(60_000, [plain]);
    assert.deepEqual(
      (await machine.troubles()).map(({ code }) => code),
      ['no-port'],
    );
  });
});
