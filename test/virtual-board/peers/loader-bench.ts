/** A loader on the bench: frames in, frames out, no wire and no time. */

import { CHIPS } from '../chips.ts';
import type { ChipName } from '../chips.ts';
import { checksum, concat, putU16, putU32, words } from '../bytes.ts';
import { FlashChip, NO_TIME } from '../flash-chip.ts';
import type { LoaderLink } from '../loader-link.ts';
import { NorFlash } from '../nor-flash.ts';
import { Ram, Registers } from '../registers.ts';
import type { LoaderChip, LoaderExit } from '../rom-loader.ts';
import { RomLoader } from '../rom-loader.ts';
import { StubLoader } from '../stub-loader.ts';

const MAC = Uint8Array.of(0x24, 0x0a, 0xc4, 0x12, 0x34, 0x56);
const HEADED = new Set([0x03, 0x07, 0x11]);

export const toHex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

export const fromHex = (text: string): Uint8Array =>
  Uint8Array.from(text.split(' ').map((byte) => parseInt(byte, 16)));

/** A request with its checksum where the op has one. */
export function request(op: number, data: Uint8Array, sum?: number): Uint8Array {
  const frame = new Uint8Array(8 + data.length);
  frame[1] = op;
  putU16(frame, 2, data.length);
  putU32(frame, 4, sum ?? (HEADED.has(op) ? checksum(data.subarray(16)) : 0));
  frame.set(data, 8);
  return frame;
}

/** The payload of a *_DATA command: its header and the bytes. */
export const block = (sequence: number, bytes: Uint8Array): Uint8Array =>
  concat(words(bytes.length, sequence, 0, 0), bytes);

export class LoaderBench {
  readonly chip: LoaderChip;
  readonly exit: Promise<LoaderExit>;
  /** Rates set and milliseconds slept, in order. */
  readonly rates: number[] = [];
  sleptMs = 0;
  #sent: Uint8Array[] = [];
  #give: ((frame: Uint8Array) => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(chip: ChipName, kind: 'rom' | 'stub', timing = NO_TIME, flashMb = 4) {
    const facts = CHIPS[chip];
    const flash = new FlashChip(NorFlash.blank(flashMb * 0x100000), timing);
    const registers = new Registers(facts, flash, MAC, () => 115200);
    this.chip = { facts, flash, registers, ram: new Ram() };
    const link: LoaderLink = {
      receive: () =>
        new Promise((resolve) => {
          this.#give = resolve;
          this.#idle?.();
        }),
      send: (frame) => this.#sent.push(frame),
      drained: () => Promise.resolve(),
      sleep: (ms) => {
        this.sleptMs += ms;
        return Promise.resolve();
      },
      setBaudRate: (baudRate) => this.rates.push(baudRate),
      event: () => undefined,
    };
    const loader = kind === 'rom' ? new RomLoader(this.chip, link) : new StubLoader(this.chip, link);
    this.exit = loader.run();
  }

  /** Sends one frame; resolves with what was answered when the loader waits for the next (or has left). */
  async send(frame: Uint8Array): Promise<Uint8Array[]> {
    if (!this.#give) await this.#untilIdle();
    this.#sent = [];
    const give = this.#give;
    this.#give = undefined;
    const idle = this.#untilIdle();
    give?.(frame);
    await Promise.race([idle, this.exit]);
    return this.#sent;
  }

  /** Sends a request and returns the answers in hex. */
  async ask(op: number, data: Uint8Array = new Uint8Array(0), sum?: number): Promise<string[]> {
    return (await this.send(request(op, data, sum))).map(toHex);
  }

  /** The two status bytes of the single answer. */
  async status(op: number, data: Uint8Array, sum?: number): Promise<string> {
    const [answer] = await this.send(request(op, data, sum));
    return answer ? toHex(answer.subarray(8, 10)) : 'no answer';
  }

  #untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }
}
