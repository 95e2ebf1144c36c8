/** The vfs partition while the chip has power; without power the program stands still. */
import { NorFlash, SECTOR_SIZE } from '../nor-flash.ts';
import type { Channel } from './channel.ts';
import type { FlashArea } from './vfs-store.ts';

/** What a flash chip programs in one go: power may fail between two of them. */
const PAGE_SIZE = 256;

export class PoweredFlash implements FlashArea {
  readonly bytes: Uint8Array;
  readonly #flash: NorFlash;
  readonly #offset: number;
  readonly #channel: Channel;

  constructor(flash: NorFlash, vfs: { offset: number; size: number }, channel: Channel) {
    this.#flash = flash;
    this.#offset = vfs.offset;
    this.#channel = channel;
    this.bytes = flash.bytes.subarray(vfs.offset, vfs.offset + vfs.size);
  }

  program(at: number, data: Uint8Array): void {
    for (let done = 0; done < data.length; done += PAGE_SIZE) {
      const page = data.subarray(done, done + PAGE_SIZE);
      this.#powered(() => this.#flash.program(this.#offset + at + done, page));
    }
  }

  erase(at: number): void {
    this.#powered(() => this.#flash.erase(this.#offset + at, SECTOR_SIZE));
  }

  #powered(write: () => void): void {
    if (this.#channel.whilePowered(write)) return;
    for (;;) this.#channel.wait(this.#channel.event);
  }
}
