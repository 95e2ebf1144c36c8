/**
 * What goes wrong on demand. Faults on the wire are drawn from a seeded generator, so that a failing
 * run can be had again.
 */

export type Direction = 'to-chip' | 'to-host' | 'both';

export type Fault =
  /** One byte in `every` (on average) is lost, flipped in a bit, or comes twice; only `above` so many bits a second. */
  | {
      kind: 'drop' | 'flip' | 'duplicate';
      every: number;
      direction?: Direction;
      times?: number;
      above?: number;
      /** The generator begins anew, so that the same bytes are harmed again. */
      seed?: number;
    }
  /** The line stands still once, for so long. */
  | { kind: 'stall'; ms: number; direction?: Direction }
  /** The supply sags whenever a program starts: it boots again and again. */
  | { kind: 'brown-out' }
  /** The supply sags now: what runs is cut off, the loader too, and the chip starts anew. */
  | { kind: 'sag' }
  /** The server's port, or its driver, knows no faster rate, and keeps the one it has. */
  | { kind: 'slow-port'; maxBaud: number }
  /** Garbage before every boot text. */
  | { kind: 'boot-noise'; bytes: number }
  /** The sector at this flash offset no longer erases. */
  | { kind: 'worn-sector'; offset: number }
  /** Code started from RAM crashes, the stub too: as where that part of the RAM is bad. */
  | { kind: 'bad-ram' }
  /** The chip does not say a word and hears none. */
  | { kind: 'silent' };

type ByteFault = Extract<Fault, { every: number }>;

/** A small generator (mulberry32): enough for noise, and the same everywhere. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const reaches = (direction: Direction | undefined, way: 'to-chip' | 'to-host'): boolean =>
  (direction ?? 'both') === 'both' || direction === way;

export class Faults {
  #random: () => number;
  #list: Fault[] = [];
  /** How many bytes were harmed, by kind. */
  readonly counts = { drop: 0, flip: 0, duplicate: 0 };

  constructor(seed: number) {
    this.#random = random(seed);
  }

  add(fault: Fault): void {
    if ('every' in fault && fault.seed !== undefined) this.#random = random(fault.seed);
    this.#list.push({ ...fault });
  }

  clear(): void {
    this.#list = [];
  }

  find<K extends Fault['kind']>(kind: K): Extract<Fault, { kind: K }> | undefined {
    return this.#list.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind);
  }

  noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.#random() * 256));
  }

  /** What is left of these bytes on their way. */
  onWire(bytes: Uint8Array, way: 'to-chip' | 'to-host', baudRate: number): Uint8Array {
    const active = this.#list.filter(
      (fault): fault is ByteFault =>
        'every' in fault && reaches(fault.direction, way) && baudRate > (fault.above ?? 0),
    );
    if (active.length === 0) return bytes;
    const out: number[] = [];
    for (const byte of bytes) {
      let copies = [byte];
      for (const fault of active) {
        if (fault.times === 0 || this.#random() * fault.every >= 1) continue;
        if (fault.times !== undefined) fault.times -= 1;
        this.counts[fault.kind] += 1;
        if (fault.kind === 'drop') copies = [];
        else if (fault.kind === 'duplicate') copies = [...copies, byte];
        else copies = copies.map((each) => each ^ (1 << Math.floor(this.#random() * 8)));
      }
      out.push(...copies);
    }
    return Uint8Array.from(out);
  }
}
