/**
 * The wires between the chip (event loop) and the interpreter (its own thread), in shared memory,
 * because a program that reads, prints or sleeps really blocks and can take no messages meanwhile.
 */

/** ports/esp32 keeps 260 bytes for stdin; a ring that tells full from empty holds one less. */
const INPUT_SLOTS = 260;
/** The UART's transmit FIFO: what the wire has not taken blocks the writer. */
const OUTPUT_SLOTS = 128 + 1;

const HEADER_WORDS = 9;
const EVENT = 0;
const INPUT_READ = 1;
const INPUT_WRITE = 2;
const OUTPUT_READ = 3;
const OUTPUT_WRITE = 4;
const OUTPUT_TOLD = 5;
const POWER = 6;
const FEEDS = 7;
const ANSWERS = 8;

const POWER_IDLE = 0;
const POWER_WRITING = 1;
const POWER_OFF = 2;

/** One writer, one reader, on two threads. */
class Ring {
  readonly #words: Int32Array;
  readonly #read: number;
  readonly #write: number;
  readonly #bytes: Uint8Array;

  constructor(words: Int32Array, read: number, write: number, bytes: Uint8Array) {
    this.#words = words;
    this.#read = read;
    this.#write = write;
    this.#bytes = bytes;
  }

  get length(): number {
    const { length } = this.#bytes;
    return (Atomics.load(this.#words, this.#write) - Atomics.load(this.#words, this.#read) + length) % length;
  }

  /** False when there is no room. */
  put(byte: number): boolean {
    const at = Atomics.load(this.#words, this.#write);
    const next = (at + 1) % this.#bytes.length;
    if (next === Atomics.load(this.#words, this.#read)) return false;
    this.#bytes[at] = byte;
    Atomics.store(this.#words, this.#write, next);
    return true;
  }

  get(): number | undefined {
    const at = Atomics.load(this.#words, this.#read);
    if (at === Atomics.load(this.#words, this.#write)) return undefined;
    const byte = this.#bytes[at];
    Atomics.store(this.#words, this.#read, (at + 1) % this.#bytes.length);
    return byte;
  }
}

export class Channel {
  readonly memory: SharedArrayBuffer;
  /** From the wire to the program. */
  readonly input: Ring;
  /** From the program to the wire. */
  readonly output: Ring;
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    const words = new Int32Array(memory, 0, HEADER_WORDS);
    const start = words.byteLength;
    this.#words = words;
    this.input = new Ring(words, INPUT_READ, INPUT_WRITE, new Uint8Array(memory, start, INPUT_SLOTS));
    this.output = new Ring(
      words,
      OUTPUT_READ,
      OUTPUT_WRITE,
      new Uint8Array(memory, start + INPUT_SLOTS, OUTPUT_SLOTS),
    );
  }

  static create(): Channel {
    return new Channel(new SharedArrayBuffer(HEADER_WORDS * 4 + INPUT_SLOTS + OUTPUT_SLOTS));
  }

  /** A number that changes with every `wake()`; read it before looking whether to `wait()`. */
  get event(): number {
    return Atomics.load(this.#words, EVENT);
  }

  wake(): void {
    Atomics.add(this.#words, EVENT, 1);
    Atomics.notify(this.#words, EVENT);
  }

  /** Blocks this thread until something happened since `seen`, at most `ms`. */
  wait(seen: number, ms?: number): void {
    Atomics.wait(this.#words, EVENT, seen, ms);
  }

  /** True for the first writer since the reader last looked: one message then is enough. */
  tellOutput(): boolean {
    return Atomics.exchange(this.#words, OUTPUT_TOLD, 1) === 0;
  }

  outputSeen(): void {
    Atomics.store(this.#words, OUTPUT_TOLD, 0);
  }

  /** What the program asked of the chip is done. */
  answer(): void {
    Atomics.add(this.#words, ANSWERS, 1);
    this.wake();
  }

  /** Asks and blocks until it is done. */
  ask(question: () => void): void {
    const before = Atomics.load(this.#words, ANSWERS);
    question();
    for (let seen = this.event; Atomics.load(this.#words, ANSWERS) === before; seen = this.event) {
      this.wait(seen);
    }
  }

  feedWatchdog(): void {
    Atomics.add(this.#words, FEEDS, 1);
  }

  get watchdogFeeds(): number {
    return Atomics.load(this.#words, FEEDS);
  }

  /** Runs one write to the flash if there is power. False, and nothing done, if there is none. */
  whilePowered(write: () => void): boolean {
    if (Atomics.compareExchange(this.#words, POWER, POWER_IDLE, POWER_WRITING) !== POWER_IDLE) return false;
    write();
    Atomics.store(this.#words, POWER, POWER_IDLE);
    return true;
  }

  /**
   * After this no byte of the flash changes any more, although the thread may still run for a
   * moment. It waits out a page write that is under way: microseconds.
   */
  cutPower(): void {
    while (Atomics.compareExchange(this.#words, POWER, POWER_IDLE, POWER_OFF) === POWER_WRITING);
  }
}
