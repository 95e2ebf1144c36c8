/**
 * Ctrl-C for running code. The interpreter never asks whether one came; on the chip the UART's
 * interrupt handler sets its pending exception. The same is done here from the other thread, in
 * the interpreter's shared memory, at places learned by watching what its own calls change.
 */

export interface InterruptPlaces {
  readonly memory: SharedArrayBuffer;
  /** The byte that interrupts, or -1 for none: `micropython.kbd_intr()`. */
  readonly charAt: number;
  /** Where the exception to raise next is kept, and the KeyboardInterrupt that belongs there. */
  readonly pendingAt: number;
  readonly exception: number;
  /** The scheduler's state, 16 bits: the virtual machine looks at nothing else while it is idle. */
  readonly stateAt: number;
  readonly idle: number;
  readonly pending: number;
}

/** `mp_obj_exception_t`: type, two half words of sizes, then the traceback to be cleared. */
const TRACEBACK_OFFSET = 8;

export class Interrupt {
  readonly places: InterruptPlaces;
  readonly #words: Int32Array;
  readonly #halves: Int16Array;

  constructor(places: InterruptPlaces) {
    this.places = places;
    this.#words = new Int32Array(places.memory);
    this.#halves = new Int16Array(places.memory);
  }

  get char(): number {
    return Atomics.load(this.#words, this.places.charAt >> 2);
  }

  set char(value: number) {
    Atomics.store(this.#words, this.places.charAt >> 2, value);
  }

  get isPending(): boolean {
    return Atomics.load(this.#words, this.places.pendingAt >> 2) !== 0;
  }

  raise(): void {
    const { exception, pendingAt, stateAt, idle, pending } = this.places;
    Atomics.store(this.#words, (exception + TRACEBACK_OFFSET) >> 2, 0);
    Atomics.store(this.#words, pendingAt >> 2, exception);
    Atomics.compareExchange(this.#halves, stateAt >> 1, idle, pending);
  }

  clear(): void {
    Atomics.store(this.#words, this.places.pendingAt >> 2, 0);
  }
}

/**
 * @param setChar `micropython.kbd_intr`
 * @param schedule what the interpreter's own interrupt handler would call
 * @param end everything static lies below it
 */
export function learnInterruptPlaces(
  memory: SharedArrayBuffer,
  end: number,
  setChar: (char: number) => void,
  getChar: () => number,
  schedule: () => void,
): InterruptPlaces {
  const words = new Int32Array(memory, 0, end >> 2);
  const holding = (value: number) => {
    setChar(value);
    return new Set([...words.keys()].filter((at) => words[at] === value));
  };
  // Values no other static word has twice.
  const first = holding(0x5a17c3e9 | 0);
  const second = holding(0x3b29d471 | 0);
  setChar(-1);
  // The stack keeps copies; only the real one is what the module answers.
  const chars = [...second].filter((at) => {
    const kept = words[at] ?? 0;
    words[at] = 0x1d;
    const isReal = getChar() === 0x1d;
    words[at] = kept;
    return first.has(at) && isReal;
  });

  const before = words.slice();
  schedule();
  const changed = [...words.keys()].filter((at) => words[at] !== before[at]);
  const pendings = changed.filter((at) => before[at] === 0);
  const states = changed.filter((at) => before[at] !== 0);
  if (chars.length !== 1 || pendings.length !== 1 || states.length !== 1) {
    throw new Error(
      `interrupt places not found: ${chars.length} chars, ${pendings.length} pendings, ${states.length} states`,
    );
  }
  const [charAt, pendingAt, stateWord] = [chars[0] ?? 0, pendings[0] ?? 0, states[0] ?? 0];
  const halves = new Int16Array(memory);
  const beforeHalves = new Int16Array(before.buffer);
  const stateAt = [stateWord * 2, stateWord * 2 + 1].find((at) => halves[at] !== beforeHalves[at]) ?? 0;
  const places = {
    memory,
    charAt: charAt * 4,
    pendingAt: pendingAt * 4,
    exception: words[pendingAt] ?? 0,
    stateAt: stateAt * 2,
    idle: beforeHalves[stateAt] ?? 0,
    pending: halves[stateAt] ?? 0,
  };
  for (const at of changed) words[at] = before[at] ?? 0;
  return places;
}
