/** Boards come and go: told once each, and not when a chip only restarts its own USB. */
import assert from 'node:assert/strict';
import { PortWatch } from '../../lib/board/port-watch.ts';
import { adapterOf } from '../../lib/transport/adapters.ts';
import type { PortInfo } from '../../lib/transport/port-info.ts';

/** A machine whose list and clock the test moves. */
class Desk {
  readonly told: string[] = [];
  readonly lists: number[] = [];
  readonly faults: unknown[] = [];
  looks = 0;
  list: PortInfo[] | Error = [];
  /** Paths that only root may open. */
  readonly forbidden = new Set<string>();
  #now = 0;
  #next = Promise.withResolvers<undefined>();
  #looked = Promise.withResolvers<undefined>();
  readonly watch = new PortWatch({
    now: () => this.#now,
    list: () => {
      this.looks++;
      return this.list instanceof Error ? Promise.reject(this.list) : Promise.resolve(this.list);
    },
    mayOpen: (path) => Promise.resolve(!this.forbidden.has(path)),
    pause: (signal) => {
      this.#looked.resolve(undefined);
      signal.addEventListener('abort', () => this.#resume());
      return this.#next.promise;
    },
  });

  listen(): () => void {
    return this.watch.listen({
      event: ({ event, port }) => this.told.push(`${event} ${port.path}`),
      ports: (ports) => this.lists.push(ports.length),
      failed: (error) => this.faults.push(error),
    });
  }

  async begun(): Promise<void> {
    await this.#looked.promise;
  }

  /** Looks again, so many milliseconds later. */
  async later(ms: number, list: PortInfo[] | Error): Promise<void> {
    this.list = list;
    this.#now += ms;
    this.#looked = Promise.withResolvers();
    this.#resume();
    await this.#looked.promise;
  }

  #resume(): void {
    const pause = this.#next;
    this.#next = Promise.withResolvers();
    pause.resolve(undefined);
  }
}

function port(path: string, ids: string, more: Partial<PortInfo> = {}): PortInfo {
  const [vendorId = '', productId = ''] = ids.split(':');
  const adapter = adapterOf(vendorId, productId);
  return { path, vendorId, productId, likely: true, ...(adapter ? { adapter } : {}), ...more };
}

const bridge = port('/dev/ttyUSB0', '10c4:ea60', { locationId: '1-1', serialNumber: '0001' });
const jtag = port('/dev/ttyACM0', '303a:1001', { locationId: '1-2', serialNumber: '34:85:18:AC:00:01' });
const program = port('/dev/ttyACM1', '303a:4001', { locationId: '1-2', serialNumber: '348518ac0001' });

describe('board: what is plugged in and goes', () => {
  it('is told when it can be opened, as udev gives a device its group a moment after it is there', async () => {
    const desk = new Desk();
    const stop = desk.listen();
    await desk.begun();
    desk.forbidden.add(bridge.path);
    await desk.later(1000, [bridge]);
    assert.deepEqual(desk.told, []);
    desk.forbidden.clear();
    await desk.later(1000, [bridge]);
    assert.deepEqual(desk.told, ['added /dev/ttyUSB0']);
    // One that stays forbidden is told, too: whoever uses it is told why it cannot be.
    desk.forbidden.add(jtag.path);
    for (let looks = 0; looks < 3; looks++) await desk.later(1000, [bridge, jtag]);
    assert.equal(desk.told.length, 1);
    await desk.later(1000, [bridge, jtag]);
    await desk.later(1000, [bridge, jtag]);
    assert.deepEqual(desk.told, ['added /dev/ttyUSB0', 'added /dev/ttyACM0']);
    stop();
  });

  it('is told once each, but not what was there before', async () => {
    const desk = new Desk();
    desk.list = [bridge];
    const stop = desk.listen();
    await desk.begun();
    await desk.later(1000, [bridge]);
    await desk.later(1000, [bridge, jtag]);
    await desk.later(1000, [jtag]);
    stop();
    assert.deepEqual(desk.told, ['added /dev/ttyACM0', 'removed /dev/ttyUSB0']);
    assert.deepEqual(desk.lists, [1, 2, 1]);
  });

  it('is not a chip that restarts its own USB, but one that stays away', async () => {
    const desk = new Desk();
    desk.list = [jtag];
    const stop = desk.listen();
    await desk.begun();
    await desk.later(1000, []);
    await desk.later(1000, [program]);
    assert.deepEqual(desk.told, []);
    await desk.later(1000, []);
    await desk.later(5000, []);
    stop();
    assert.deepEqual(desk.told, ['removed /dev/ttyACM1']);
  });

  it('is a board swapped for another in the same socket', async () => {
    const desk = new Desk();
    desk.list = [jtag];
    const stop = desk.listen();
    await desk.begun();
    await desk.later(1000, []);
    await desk.later(1000, [{ ...jtag, serialNumber: '34:85:18:AC:00:02' }]);
    await desk.later(1000, [{ ...bridge, locationId: '1-2' }]);
    stop();
    assert.deepEqual(desk.told, [
      'removed /dev/ttyACM0',
      'added /dev/ttyACM0',
      'added /dev/ttyUSB0',
      'removed /dev/ttyACM0',
    ]);
  });

  it('is not what the kernel knows and this container has not', async () => {
    const desk = new Desk();
    const stop = desk.listen();
    await desk.begun();
    await desk.later(1000, [{ ...bridge, present: false }]);
    assert.deepEqual(desk.told, []);
    await desk.later(1000, [{ ...bridge, present: true }]);
    stop();
    assert.deepEqual(desk.told, ['added /dev/ttyUSB0']);
  });

  it('goes on after a list that failed, told once', async () => {
    const desk = new Desk();
    const stop = desk.listen();
    await desk.begun();
    const fault = new Error('no list');
    await desk.later(1000, fault);
    await desk.later(1000, fault);
    await desk.later(1000, [bridge]);
    stop();
    assert.deepEqual(desk.faults, [fault]);
    assert.deepEqual(desk.told, ['added /dev/ttyUSB0']);
  });

  it('is not known where the list fails: each who listens is told so, and of the list when it is there again', async () => {
    const desk = new Desk();
    const fault = new Error('no list');
    desk.list = [bridge];
    const stops = [desk.listen()];
    await desk.begun();
    await desk.later(1000, fault);
    stops.push(desk.listen());
    assert.deepEqual([desk.faults, desk.lists], [[fault, fault], [1]]);
    await desk.later(1000, [bridge]);
    assert.deepEqual(desk.lists, [1, 1, 1]);
    await desk.later(1000, fault);
    for (const stop of stops) stop();
    stops.push(desk.listen());
    await new Promise(setImmediate);
    // Not by what was seen before it rested, but by a look of its own.
    assert.deepEqual([desk.looks, desk.faults.length], [5, 5]);
    for (const stop of stops) stop();
  });

  it('is looked for once for all who listen, and not for no one', async () => {
    const desk = new Desk();
    const stops = [desk.listen(), desk.listen()];
    await desk.begun();
    assert.equal(desk.looks, 1);
    await desk.later(1000, [bridge]);
    assert.deepEqual(desk.told, ['added /dev/ttyUSB0', 'added /dev/ttyUSB0']);
    for (const stop of stops) stop();
    await new Promise(setImmediate);
    assert.equal(desk.looks, 2);
  });
});
