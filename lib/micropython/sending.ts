/**
 * Which bytes may go out: the board invites a packet and what its input ring takes beyond it, tells by dots how far it
 * has read, and asks again for what was damaged. See `board/packets.py`.
 */
import type { Packet, Packets } from './packets.ts';

/** How the board tells what it has read within a packet, and how much may be underway. */
export interface Pace {
  /** Bytes for which a dot stands. */
  every: number;
  dot: string;
  /** What goes with a line for which this side waits. */
  rest: string;
  /** Bytes. */
  window: number;
}

/** Bytes that the board's input ring takes while it reads nothing: 259 on an ESP32, 255 on an ESP8266. */
const RING = 255;
/** More than this is all of it. */
const MOST_UNDERWAY = 8192;
/** What fills a USB packet of an FTDI adapter, 62 bytes: it is sent at once when it is full, else after up to 16 ms. */
const REST = ' '.repeat(61);
const FULL_PACKET_MS = 3;
/** The shortest round trip was a lucky one. */
const LUCK = 1.5;

/**
 * What the ring holds is safe, however the board dawdles, and keeps a line busy whose answers come soon. An adapter
 * that keeps them back is given full packets.
 */
export function paceOf(line: { roundTripMs: number; wireMs: (bytes: number) => number }): Pace {
  const prompt = { every: 64, dot: '.', rest: '', window: RING };
  if (prompt.every + (LUCK * line.roundTripMs) / line.wireMs(1) <= RING) return prompt;
  const padded = { every: 128, dot: `.${REST}`, rest: REST, window: RING };
  const answerMs = FULL_PACKET_MS + line.wireMs(padded.dot.length);
  return padded.every + answerMs / line.wireMs(1) <= RING ? padded : { ...padded, every: prompt.every };
}

/**
 * With turbo a board that dozes while it waits is trusted no more than its ring, and fills packets with its dots. One
 * that is woken is trusted to read as fast as bytes come, until one is lost.
 */
export function turboPace(dozes = true): Pace {
  return { every: 64, dot: '.', rest: REST, window: dozes ? RING : Infinity };
}

/** As `board/packets.py` takes it. */
export function onBoard({ every, dot, rest }: Pace): [number, string, string] {
  return [every, dot, rest];
}

/** Bytes that the board reads one after the other, dot by dot. */
export class Input {
  readonly #bytes: Uint8Array;
  readonly #pace: Pace;
  #written = 0;
  #dots = 0;

  constructor(bytes: Uint8Array, pace: Pace) {
    this.#bytes = bytes;
    this.#pace = pace;
  }

  dot(): void {
    this.#dots += 1;
  }

  get isRead(): boolean {
    return this.#dots * this.#pace.every >= this.#bytes.length;
  }

  /** What is to go out now; counts as written. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(this.#written, this.#dots * this.#pace.every + RING);
    this.#written += bytes.length;
    return bytes;
  }
}

export class Sending {
  readonly #packets: Packets;
  readonly #pace: Pace;
  #window: number;
  /** What the window grows to. */
  #ceiling: number;
  /** What the board has not taken yet, from the packet it wants next on. */
  #queue: Packet[];
  /** Bytes of the queue that have gone out. */
  #written = 0;
  /** Since the packet at the head of the queue was invited. */
  #dots = 0;
  #epoch = 0;
  #isInvited = false;
  #reached = 0;
  /** Invitations anew since a packet came through. */
  damagedInRow = 0;

  constructor(packets: Packets, pace: Pace) {
    this.#packets = packets;
    this.#pace = pace;
    this.#window = pace.window;
    this.#ceiling = pace.window;
    this.#queue = [packets.after(undefined, 0)].filter((packet) => packet !== undefined);
  }

  /** Where in the stream the board is, about. */
  get position(): number {
    const [first] = this.#queue;
    if (!first) return this.#reached;
    const share = Math.min(1, (this.#dots * this.#pace.every) / first.wire.length);
    return first.begin + Math.floor(share * (first.end - first.begin));
  }

  /** Up to where in the stream the board may have got all. */
  get reached(): number {
    return this.#reached;
  }

  /** Whether the board is known to have read a part of a packet only. */
  get isAmid(): boolean {
    const [first] = this.#queue;
    return first !== undefined && (this.#dots + 1) * this.#pace.every <= first.wire.length;
  }

  dot(): void {
    this.#dots += 1;
  }

  /** The board wants this packet. */
  invited(number: number): void {
    this.#taken(number);
    this.#dots = 0;
    this.#isInvited = true;
  }

  /** The board wants it from its begin, in packets of this epoch: what has gone out is lost. */
  again(number: number, epoch: number): void {
    this.invited(number);
    const [first] = this.#queue;
    if (first?.number !== number) return;
    this.damagedInRow += 1;
    this.#packets.wasDamaged();
    this.#queue = [this.#packets.again(first, epoch)];
    this.#written = 0;
    this.#epoch = epoch;
    this.#ceiling = Math.max(RING, Math.min(this.#ceiling, MOST_UNDERWAY) / 2);
    // Once may be an accident.
    this.#window = this.damagedInRow > 1 ? RING : this.#ceiling;
  }

  /** What is to go out now; counts as written. */
  take(): Uint8Array {
    const [first] = this.#queue;
    if (!first || !this.#isInvited) return new Uint8Array();
    const allowed = Math.min(first.wire.length + RING, this.#dots * this.#pace.every + this.#window);
    this.#fill(allowed);
    const bytes = Buffer.concat(this.#queue.map(({ wire }) => wire)).subarray(this.#written, allowed);
    this.#written += bytes.length;
    this.#noteReached();
    return bytes;
  }

  /** The packets before this one are done with. */
  #taken(number: number): void {
    for (let first = this.#queue[0]; first && isAhead(number, first.number); [first] = this.#queue) {
      this.#queue.shift();
      this.#written = Math.max(0, this.#written - first.wire.length);
      this.damagedInRow = 0;
      this.#window = Math.min(this.#ceiling, this.#window * 2);
      this.#packets.arrived();
      const next = this.#queue.length > 0 ? undefined : this.#packets.after(first, this.#epoch);
      if (next) this.#queue.push(next);
    }
  }

  #fill(bytes: number): void {
    let length = this.#queue.reduce((sum, { wire }) => sum + wire.length, 0);
    while (length < bytes) {
      const next = this.#packets.after(this.#queue.at(-1), this.#epoch);
      if (!next) return;
      this.#queue.push(next);
      length += next.wire.length;
    }
  }

  #noteReached(): void {
    let at = 0;
    for (const { wire, end } of this.#queue) {
      at += wire.length;
      if (at <= this.#written) this.#reached = Math.max(this.#reached, end);
    }
  }
}

/** Numbers have 16 bits; a line that is heard late may speak of a packet that is done with. */
function isAhead(number: number, of: number): boolean {
  const distance = (number - of) & 0xffff;
  return distance > 0 && distance < 0x8000;
}
