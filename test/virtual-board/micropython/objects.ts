/**
 * Makes the interpreter's built-in objects those of an ESP32: names and functions in built-in
 * modules, which Python cannot assign to, are exchanged where they lie in memory.
 */
import type { EmscriptenModule } from './webassembly.ts';

/** `mp_obj_dict_t`: type, then the map: flags and count in use, slots, table of key and value. */
const MAP_OFFSET = 4;
const USED_SHIFT = 3;
const SLOT_SIZE = 8;
/** `mp_obj_str_t`: type, hash (0 is "not known"), length, data. */
const STRING_HASH = 4;
/** `mp_obj_vfs_posix_file_t`: type, file descriptor. */
const FILE_DESCRIPTOR = 4;

/** `mp_obj_type_t`: its own type, 16 bits of flags, 16 bits of the name's number. */
const TYPE_FLAGS = 4;
const QSTR_SHIFT = 3;

/** The first of the Python modules that are compiled in; the list of their names ends at an empty one. */
const FROZEN_NAMES = 'asyncio/event.py\0asyncio/funcs.py\0';

export class Objects {
  readonly #module: EmscriptenModule;
  readonly #memory: () => Uint8Array;
  readonly #staticEnd: number;
  /** Static data outlives a soft reset, the objects it was made to point at do not. */
  readonly #original = new Map<number, number>();

  constructor(module: EmscriptenModule, memory: () => Uint8Array, staticEnd: number) {
    this.#module = module;
    this.#memory = memory;
    this.#staticEnd = staticEnd;
  }

  /** Before the interpreter's state is made anew. */
  restore(): void {
    for (const [at, word] of this.#original) this.#words().setInt32(at, word, true);
    this.#original.clear();
  }

  /** A board has its own set of frozen modules, and none of these in this form. */
  hideFrozenModules(): void {
    const at = Buffer.from(this.#memory().buffer).indexOf(FROZEN_NAMES, 0, 'latin1');
    if (at < 0 || at >= this.#staticEnd) throw new Error('list of frozen modules not found');
    this.#memory()[at] = 0;
  }

  setString(object: number, text: string): void {
    const bytes = Buffer.from(text);
    const data = this.#module._malloc(bytes.length + 1);
    this.#memory().set(bytes, data);
    this.#memory()[data + bytes.length] = 0;
    this.#set(object + STRING_HASH, 0);
    this.#set(object + STRING_HASH + 4, bytes.length);
    this.#set(object + STRING_HASH + 8, data);
  }

  setTypeName(type: number, name: number): void {
    const at = type + TYPE_FLAGS;
    this.#set(at, (this.#get(at) & 0xffff) | ((name >> QSTR_SHIFT) << 16));
  }

  setDescriptor(file: number, descriptor: number): void {
    this.#set(file + FILE_DESCRIPTOR, descriptor);
  }

  /** Exchanges or adds one entry of a dict that Python may not change. */
  setItem(dict: number, key: number, value: number): void {
    this.#setInMap(dict + MAP_OFFSET, key, value);
  }

  /** The built-in modules: `modules` by name come in, `hidden` ones are found no more. */
  setModules(known: { key: number; value: number }, hidden: number[], modules: [number, number][]): void {
    const map = this.#findMap(known.key, known.value);
    for (const key of hidden) {
      const slot = this.#findSlot(map, key);
      if (slot !== undefined) this.#set(slot, 0);
    }
    for (const [key, value] of modules) this.#setInMap(map, key, value);
  }

  /** A built-in module is found no more. */
  hide(known: { key: number; value: number }): void {
    const slot = this.#findSlot(this.#findMap(known.key, known.value), known.key);
    if (slot !== undefined) this.#set(slot, 0);
  }

  #words(): DataView {
    return new DataView(this.#memory().buffer);
  }

  #get(at: number): number {
    return this.#words().getInt32(at, true);
  }

  #set(at: number, word: number): void {
    if (!this.#original.has(at)) this.#original.set(at, this.#get(at));
    this.#words().setInt32(at, word, true);
  }

  #table(map: number): { used: number; start: number } {
    return { used: this.#get(map) >>> USED_SHIFT, start: this.#get(map + 8) };
  }

  #findSlot(map: number, key: number): number | undefined {
    const { used, start } = this.#table(map);
    return Array.from({ length: used }, (_, i) => start + i * SLOT_SIZE).find((at) => this.#get(at) === key);
  }

  #setInMap(map: number, key: number, value: number): void {
    const slot = this.#findSlot(map, key);
    if (slot !== undefined) {
      this.#set(slot + 4, value);
      return;
    }
    const { used, start } = this.#table(map);
    const table = this.#module._malloc((used + 1) * SLOT_SIZE);
    this.#memory().copyWithin(table, start, start + used * SLOT_SIZE);
    this.#words().setInt32(table + used * SLOT_SIZE, key, true);
    this.#words().setInt32(table + used * SLOT_SIZE + 4, value, true);
    this.#set(map, this.#get(map) + (1 << USED_SHIFT));
    this.#set(map + 4, used + 1);
    this.#set(map + 8, table);
  }

  /** The static map that holds this entry. */
  #findMap(key: number, value: number): number {
    const words = new Int32Array(this.#memory().buffer, 0, this.#staticEnd >> 2);
    const pair = words.findIndex((word, i) => word === key && words[i + 1] === value) * 4;
    const map = words.findIndex((start, i) => {
      const slots = words[i - 1] ?? 0;
      const inside = start > 0 && start <= pair && pair < start + slots * SLOT_SIZE;
      return inside && slots < 1000 && (words[i - 2] ?? 0) >>> USED_SHIFT === slots;
    });
    if (pair < 0 || map < 0) throw new Error('map of built-in modules not found');
    return (map - 2) * 4;
  }
}
