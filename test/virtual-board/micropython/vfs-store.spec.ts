import assert from 'node:assert/strict';
import { NorFlash, SECTOR_SIZE } from '../nor-flash.ts';
import { StoreFullError, VfsStore } from './vfs-store.ts';
import type { FlashArea } from './vfs-store.ts';

class PowerCut extends Error {}

/** A flash whose power fails after a number of bytes written; it checks that NOR rules are kept. */
class FragileFlash implements FlashArea {
  readonly bytes: Uint8Array;
  readonly #flash: NorFlash;
  left = Infinity;
  written = 0;

  constructor(flash: NorFlash) {
    this.#flash = flash;
    this.bytes = flash.bytes;
  }

  program(at: number, data: Uint8Array): void {
    const before = this.bytes.subarray(at, at + data.length);
    assert.ok(Buffer.alloc(data.length, 0xff).equals(before), 'programmed where it was not erased');
    this.#flash.program(at, data.subarray(0, this.left));
    this.#spend(data.length);
  }

  erase(at: number): void {
    assert.equal(at % SECTOR_SIZE, 0);
    if (this.left > 0) this.#flash.erase(at, SECTOR_SIZE);
    this.#spend(1);
  }

  #spend(amount: number): void {
    this.written += Math.min(amount, this.left);
    this.left -= amount;
    if (this.left < 0) throw new PowerCut();
  }
}

const files = (store: VfsStore) =>
  new Map([...store.tree()].map(({ path, data }) => [path, data && Buffer.from(data).toString()]));

const mounted = (flash: NorFlash) => {
  const store = new VfsStore(new FragileFlash(flash));
  assert.ok(store.mount(), 'mounts');
  return store;
};

const blank = (sectors: number) => {
  const flash = NorFlash.blank(sectors * SECTOR_SIZE);
  const store = new VfsStore(new FragileFlash(flash));
  store.format();
  return { flash, store };
};

describe('virtual board: vfs store', () => {
  it('mounts what it wrote', () => {
    const { flash, store } = blank(16);
    store.mkdir('/d');
    store.writeFile('/d/a', Buffer.from('a'.repeat(5000)));
    store.writeFile('/b', Buffer.from('b'));
    store.rename('/d', '/e');
    store.writeFile('/c', Buffer.from(''));
    store.remove('/b');
    assert.deepEqual(
      files(mounted(flash)),
      new Map([
        ['/c', ''],
        ['/e', undefined],
        ['/e/a', 'a'.repeat(5000)],
      ]),
    );
  });

  it('does not mount a blank or foreign flash', () => {
    assert.equal(new VfsStore(new FragileFlash(NorFlash.blank(16 * SECTOR_SIZE))).mount(), false);
    const foreign = NorFlash.blank(16 * SECTOR_SIZE);
    foreign.program(0, Buffer.from('littlefs'));
    const store = new VfsStore(new FragileFlash(foreign));
    assert.equal(store.mount(), false);
    assert.equal(store.isBlank, false);
  });

  it('keeps sectors that did not change when a file grows', () => {
    const { store } = blank(16);
    store.writeFile('/log', Buffer.alloc(8 * SECTOR_SIZE, 'x'));
    store.writeFile('/log', Buffer.alloc(9 * SECTOR_SIZE, 'x'));
    assert.equal(store.freeSectors, 16 - 4 - 9);
  });

  it('is full when it is full, and then still whole', () => {
    const { flash, store } = blank(16);
    store.writeFile('/a', Buffer.alloc(10 * SECTOR_SIZE, 'a'));
    assert.throws(() => store.writeFile('/b', Buffer.alloc(3 * SECTOR_SIZE)), StoreFullError);
    assert.deepEqual([...files(mounted(flash)).keys()], ['/a']);
  });

  it('writes its log anew when a bank is full', () => {
    const { flash, store } = blank(16);
    for (let i = 0; i < 1000; i++) store.writeFile(`/f${i % 5}`, Buffer.from(String(i)));
    const kept = [995, 996, 997, 998, 999].map((i) => [`/f${i % 5}`, String(i)] as const);
    assert.deepEqual(files(mounted(flash)), new Map(kept));
  });

  it('is old or new, file by file, wherever power fails', () => {
    const steps: ((store: VfsStore) => void)[] = [
      (store) => store.writeFile('/a', Buffer.from('new'.repeat(2000))),
      (store) => store.mkdir('/d'),
      (store) => store.writeFile('/d/x', Buffer.from('x')),
      (store) => store.rename('/d', '/e'),
      (store) => store.remove('/b'),
    ];
    const prepare = (fill: number) => {
      const { flash, store } = blank(16);
      store.writeFile('/a', Buffer.from('old'));
      store.writeFile('/b', Buffer.from('b'));
      // So that the log runs full at different steps.
      for (let i = 0; i < fill; i++) store.writeFile('/c', Buffer.from('c'));
      return flash;
    };
    for (const fill of [1, 83, 84, 85, 86]) {
      const base = prepare(fill);
      const copy = () => {
        const flash = NorFlash.blank(base.size);
        flash.bytes.set(base.bytes);
        return flash;
      };
      // Every state that a completed step leaves is one that may be found.
      const states: string[] = [];
      const whole = new FragileFlash(copy());
      const store = new VfsStore(whole);
      store.mount();
      const state = (of: VfsStore) => JSON.stringify([...files(of)]);
      states.push(state(store));
      for (const step of steps) {
        step(store);
        states.push(state(store));
      }
      for (let cut = 0; cut < whole.written; cut += 1 + (cut % 13)) {
        const flash = copy();
        const area = new FragileFlash(flash);
        const dying = new VfsStore(area);
        dying.mount();
        area.left = cut;
        try {
          for (const step of steps) step(dying);
        } catch (error) {
          assert.ok(error instanceof PowerCut, String(error));
        }
        const found = mounted(flash);
        assert.ok(states.includes(state(found)), `after ${cut} bytes: ${state(found)}`);
        found.writeFile('/after', Buffer.from('works'));
        assert.equal(files(mounted(flash)).get('/after'), 'works');
      }
    }
  });
});
