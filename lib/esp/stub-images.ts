/**
 * Espressif's official flasher stubs (esp-flasher-stub, Apache-2.0 OR MIT), read from the JSON files that
 * the package esptool-js ships. Nothing else of that package is used.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface StubImage {
  /** Where execution starts. */
  entry: number;
  text: { address: number; bytes: Uint8Array };
  data: { address: number; bytes: Uint8Array };
}

interface StubFile {
  entry: number;
  text: string;
  text_start: number;
  data: string;
  data_start: number;
}

/** Reads the stub of a chip (`Chip.stub`). Rejects when the installed package lacks it. */
export async function stubImage(name: string): Promise<StubImage> {
  const library = dirname(createRequire(import.meta.url).resolve('esptool-js'));
  const path = join(library, 'targets', 'stub_flasher', `${name}.json`);
  const file = JSON.parse(await readFile(path, 'utf8')) as StubFile;
  return {
    entry: file.entry,
    text: { address: file.text_start, bytes: Buffer.from(file.text, 'base64') },
    data: { address: file.data_start, bytes: Buffer.from(file.data, 'base64') },
  };
}
