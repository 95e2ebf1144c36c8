/**
 * The official flasher stubs. A virtual chip cannot run uploaded code, so it knows the only code it is
 * ever sent: when the RAM at the entry point holds one of these images, byte for byte, the stub "runs".
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type { Ram } from './registers.ts';

interface StubImage {
  entry: number;
  text: Uint8Array;
  textStart: number;
  data: Uint8Array;
  dataStart: number;
}

/** The stubs that esptool-js ships (esp-flasher-stub, Apache-2.0 or MIT). */
export const ESPTOOL_JS_STUBS = fileURLToPath(
  new URL('./targets/stub_flasher/', import.meta.resolve('esptool-js')),
);

function load(folder: string, chip: string): StubImage | undefined {
  let json: Record<string, string | number>;
  try {
    json = JSON.parse(readFileSync(join(folder, `${chip}.json`), 'utf8')) as Record<string, string | number>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const bytes = (key: string): Uint8Array => Uint8Array.from(Buffer.from(String(json[key] ?? ''), 'base64'));
  return {
    entry: Number(json['entry']),
    text: bytes('text'),
    textStart: Number(json['text_start']),
    data: bytes('data'),
    dataStart: Number(json['data_start']),
  };
}

export class OfficialStubs {
  readonly #images: StubImage[];

  /** `folders`: where other releases of the official stubs lie (`<chip>.json` each). */
  constructor(chip: string, folders: string[]) {
    this.#images = [ESPTOOL_JS_STUBS, ...folders].flatMap((folder) => load(folder, chip) ?? []);
  }

  /** Whether jumping to `entry` starts an official stub. */
  isLoaded(ram: Ram, entry: number): boolean {
    const holds = (start: number, bytes: Uint8Array): boolean =>
      Buffer.compare(ram.read(start, bytes.length), bytes) === 0;
    return this.#images.some(
      (stub) => stub.entry === entry && holds(stub.textStart, stub.text) && holds(stub.dataStart, stub.data),
    );
  }
}
