/** The ROM measures the rate of the host's bits until a sync has come through; what it measured on is lost. */

import type { Hardware } from './hardware.ts';

/** So many are lost of the sync that the ROM measures on. */
const MEASURED_BYTES = 40;
const BITS_PER_BYTE = 10;
/** A rate that is nearer than this is no other one. */
const SAME_RATE = 0.02;

export class Autobaud {
  readonly #board: Hardware;
  readonly #losesFirst: boolean;
  #state: 'off' | 'armed' | 'trained';
  /** While it measures it reads nothing: until this time of the clock. */
  #deafUntil = 0;

  constructor(board: Hardware) {
    this.#board = board;
    this.#losesFirst = board.options.firstSync !== 'answered';
    this.#state = this.#losesFirst ? 'armed' : 'trained';
  }

  /** Takes the rate of bytes that come in; whether they are lost by that. */
  losesBytesAt(hostBaud: number): boolean {
    if (this.#state === 'off') return false;
    const { uart, clock } = this.#board;
    const learns = this.#state === 'armed' || Math.abs(hostBaud / uart.baudRate - 1) > SAME_RATE;
    uart.baudRate = hostBaud;
    this.#state = 'trained';
    if (learns && this.#losesFirst) {
      this.#deafUntil = clock.now() + (MEASURED_BYTES * BITS_PER_BYTE * 1000) / hostBaud;
    }
    return clock.now() < this.#deafUntil;
  }

  end(): void {
    this.#state = 'off';
  }
}
