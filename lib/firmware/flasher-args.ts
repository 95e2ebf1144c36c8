/**
 * `flasher_args.json`: what an ESP-IDF build says about where its files go. Source: ESP-IDF
 * `components/esptool_py/flasher_args.json.in` and "Flashing with idf.py".
 */
import { FirmwareError } from './errors.ts';
import { checkOverlaps, chipNamed, MAX_FLASH } from './parts.ts';
import type { Contents, FirmwarePart } from './parts.ts';

export const FLASHER_ARGS = 'flasher_args.json';
/** The file has some hundred bytes. */
const MAX_FLASHER_ARGS = 256 * 1024;
const MAX_FILES = 64;

export interface FlasherArgs {
  /** By offset; `path` is relative to the file, with `/`, and stays under its folder. */
  files: { offset: number; path: string }[];
  /** Name of the chip, `ESP32-C3`. */
  chip?: string;
}

/**
 * Reads the file's text. Whether its files are to be encrypted on their way is told by the chip, not by the build: the
 * first time they are written plain.
 * Throws `FirmwareError` 'flasher-args-unusable'.
 */
export function parseFlasherArgs(bytes: Uint8Array, source: string): FlasherArgs {
  const fail = (what: string, cause?: unknown): FirmwareError =>
    new FirmwareError('flasher-args-unusable', `${source}: ${what}`, { what, source }, cause);
  if (bytes.length > MAX_FLASHER_ARGS) throw fail('size');
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw fail('no JSON', error);
  }
  const args = record(parsed);
  const listed = Object.entries(record(args['flash_files']));
  if (listed.length === 0 || listed.length > MAX_FILES) throw fail('flash_files');
  const files = listed.map(([key, path]) => {
    const offset = /^(0x[\da-f]+|\d+)$/i.test(key) ? Number(key) : NaN;
    if (!(offset < MAX_FLASH)) throw fail(`offset ${key.slice(0, 40)}`);
    if (typeof path !== 'string' || !staysInside(path)) throw fail(`file ${String(path).slice(0, 200)}`);
    return { offset, path };
  });
  const word = record(args['extra_esptool_args'])['chip'];
  if (typeof word !== 'string') return { files };
  const chip = chipNamed(word);
  if (chip === undefined) throw fail(`chip ${word.slice(0, 40)}`);
  return { files, chip };
}

/** The parts that the file lists, each read by `read`. Throws what `read` throws, and 'parts-overlap'. */
export async function listedParts(
  args: FlasherArgs,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Contents> {
  const parts: FirmwarePart[] = [];
  for (const { offset, path } of args.files) parts.push({ bytes: await read(path), offset, name: path });
  parts.sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
  checkOverlaps(parts);
  return { parts, ...(args.chip ? { chip: args.chip } : {}) };
}

function staysInside(path: string): boolean {
  if (path === '' || path.length > 400 || path.includes('\0') || path.includes('\\')) return false;
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) return false;
  return !path.split('/').includes('..');
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
