/**
 * Cuts a stream into the packets that `board/receive.py` takes. A packet is deflated when that makes it smaller; all
 * deflated ones are pieces of one stream, so that each may refer to what the ones before it held.
 */
import { constants, crc32, deflateRawSync } from 'node:zlib';

export interface Packet {
  number: number;
  /** Header and data as they travel. */
  wire: Buffer;
  /** The part of the stream it stands for. */
  begin: number;
  end: number;
  /** What the board's decoder remembers before this packet. */
  memory: Buffer;
}

/** As the board said it has memory. */
export interface PacketLimits {
  /** Bytes of data in a packet at most. */
  block: number;
  /** Base-2 logarithm of the decoder's window; 0: it has no decoder. */
  windowBits: number;
}

const HEADER = 12;
const AS_IT_IS = 0x52;
const DEFLATED = 0x5a;
const MOST_PLAIN = 0xffff;
const SMALLEST = 128;
/** After so many good ones in a row they become longer again. */
const GOOD_ROW = 8;
/** What text comes to, until the first packet has shown it. */
const FIRST_RATIO = 3;

export class Packets {
  readonly #stream: Buffer;
  readonly #limits: PacketLimits;
  #size: number;
  #ratio = FIRST_RATIO;
  #good = 0;

  constructor(stream: Buffer, limits: PacketLimits) {
    this.#stream = stream;
    this.#limits = limits;
    this.#size = limits.block;
  }

  /** The one that follows `before`, or the first; `undefined` behind the end of the stream. */
  after(before: Packet | undefined, epoch: number): Packet | undefined {
    if (!before) return this.#make(0, 0, epoch, Buffer.alloc(0));
    const fed =
      before.wire[0] === DEFLATED ? this.#stream.subarray(before.begin, before.end) : Buffer.alloc(0);
    const memory = Buffer.concat([before.memory, fed]).subarray(-(1 << this.#limits.windowBits));
    return this.#make((before.number + 1) & 0xffff, before.end, epoch, memory);
  }

  /** The same begin, cut and deflated anew: it must be one that the board has not taken. */
  again({ number, begin, memory }: Packet, epoch: number): Packet {
    return this.#make(number, begin, epoch, memory) as Packet;
  }

  /** A shorter packet has a better chance, and a slow board that has lost bytes follows it. */
  wasDamaged(): void {
    this.#good = 0;
    this.#size = Math.max(SMALLEST, this.#size >> 1);
  }

  arrived(): void {
    this.#good += 1;
    if (this.#good % GOOD_ROW === 0) this.#size = Math.min(this.#limits.block, this.#size * 2);
  }

  #make(number: number, begin: number, epoch: number, memory: Buffer): Packet | undefined {
    if (begin >= this.#stream.length) return undefined;
    const { kind, data, plain } = this.#data(begin, memory);
    const header = Buffer.alloc(HEADER);
    header.writeUInt8(kind, 0);
    header.writeUInt8(epoch, 1);
    header.writeUInt16LE(number, 2);
    header.writeUInt16LE(data.length, 4);
    header.writeUInt16LE(plain, 6);
    header.writeUInt32LE(crc32(data, crc32(header.subarray(0, 8))), 8);
    return { number, wire: Buffer.concat([header, data]), begin, end: begin + plain, memory };
  }

  #data(begin: number, memory: Buffer): { kind: number; data: Buffer; plain: number } {
    const rest = this.#stream.subarray(begin, begin + MOST_PLAIN);
    let plain = Math.min(rest.length, Math.floor(this.#size * this.#ratio));
    while (this.#limits.windowBits > 0 && plain > 0) {
      const data = deflated(rest.subarray(0, plain), this.#limits.windowBits, memory);
      if (data.length >= plain) break;
      this.#ratio = plain / data.length;
      if (data.length <= this.#size) return { kind: DEFLATED, data, plain };
      plain = Math.floor(this.#size * this.#ratio * 0.9);
    }
    this.#ratio = FIRST_RATIO;
    const data = rest.subarray(0, this.#size);
    return { kind: AS_IT_IS, data, plain: data.length };
  }
}

function deflated(plain: Uint8Array, windowBits: number, memory: Buffer): Buffer {
  return deflateRawSync(plain, {
    level: 9,
    memLevel: 9,
    windowBits,
    // To a whole byte, and the stream goes on.
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(memory.length > 0 ? { dictionary: memory } : {}),
  });
}
