/** Keeps the flash in a file, so that a board started again still has its firmware and its files. */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { NorFlash } from './nor-flash.ts';

const SAVE_EVERY_MS = 2000;

export class FlashFile {
  readonly #path: string;
  readonly #flash: NorFlash;
  readonly #timer: NodeJS.Timeout;
  #saved: Buffer;
  /** The file was there and is in the flash now. */
  readonly loaded: boolean;

  constructor(path: string, flash: NorFlash) {
    this.#path = path;
    this.#flash = flash;
    this.loaded = this.#load();
    this.#saved = Buffer.from(flash.bytes);
    this.#timer = setInterval(() => {
      this.save();
    }, SAVE_EVERY_MS);
    this.#timer.unref();
  }

  #load(): boolean {
    let content: Buffer;
    try {
      content = readFileSync(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    if (content.length !== this.#flash.size) {
      throw new Error(`${this.#path} holds ${content.length} bytes, the flash ${this.#flash.size}`);
    }
    this.#flash.bytes.set(content);
    return true;
  }

  /** Writes the file if anything changed; whole or not at all. */
  save(): void {
    const now = Buffer.from(this.#flash.bytes);
    if (now.equals(this.#saved)) return;
    const part = `${this.#path}.part`;
    writeFileSync(part, now);
    renameSync(part, this.#path);
    this.#saved = now;
  }

  close(): void {
    clearInterval(this.#timer);
    this.save();
  }
}
