/** What a file of firmware holds, told by its first bytes: never by its name. */
import { FirmwareError } from './errors.ts';
import { FLASHER_ARGS, listedParts, parseFlasherArgs } from './flasher-args.ts';
import { isIntelHex, parseIntelHex } from './intel-hex.ts';
import type { Contents } from './parts.ts';
import { isUf2, parseUf2 } from './uf2.ts';
import { isGzip, isZip, unpackGzip, Zip } from './zip.ts';

export interface ContentsOptions {
  /** File name or the like, for messages to people. */
  name: string;
  /** Most bytes that the parts may have together, unpacked. */
  maxBytes: number;
  signal: AbortSignal;
}

/** How many files of an archive an error names. */
const NAMES_TOLD = 20;

/**
 * The parts of a UF2, Intel HEX, zip or gzip file; anything else is one part as it is, an ESP image
 * presumably: who places it checks that.
 * Throws `FirmwareError` with the code of the format, 'source-too-large', and the signal's reason.
 */
export async function readContents(
  bytes: Uint8Array,
  options: ContentsOptions,
  mayBePacked = true,
): Promise<Contents> {
  options.signal.throwIfAborted();
  if (isUf2(bytes)) return parseUf2(bytes, options);
  if (isIntelHex(bytes)) return parseIntelHex(bytes, options);
  // An archive in an archive is left as it is, and refused as no image.
  if (mayBePacked && isGzip(bytes)) return readContents(await unpackGzip(bytes, options), options, false);
  if (mayBePacked && isZip(bytes)) return zipContents(bytes, options);
  return { parts: [{ bytes, name: options.name }] };
}

/** An ESP-IDF build in a zip, at any depth; or a zip around a single firmware. */
async function zipContents(bytes: Uint8Array, options: ContentsOptions): Promise<Contents> {
  const zip = new Zip(bytes, options);
  const depth = (path: string): number => path.split('/').length;
  const [list] = zip.entries
    .filter(({ path }) => path === FLASHER_ARGS || path.endsWith(`/${FLASHER_ARGS}`))
    .sort((a, b) => depth(a.path) - depth(b.path));
  if (list) {
    const folder = list.path.slice(0, -FLASHER_ARGS.length);
    const args = parseFlasherArgs(await zip.read(list), options.name);
    return listedParts(args, async (path) => {
      options.signal.throwIfAborted();
      const entry = zip.entries.find((one) => one.path === folder + path.replace(/^(\.\/)+/, ''));
      if (!entry) throw missing(options.name, `${folder}${path} is not in the archive`, zip);
      return zip.read(entry);
    });
  }
  const firmware = zip.entries.filter(
    ({ path }) => /\.(bin|uf2|hex)$/i.test(path) && !path.startsWith('__MACOSX/'),
  );
  const [only] = firmware;
  if (!only || firmware.length > 1) throw missing(options.name, `no ${FLASHER_ARGS}`, zip);
  return readContents(await zip.read(only), { ...options, name: only.path }, false);
}

function missing(source: string, message: string, zip: Zip): FirmwareError {
  const files = zip.entries.slice(0, NAMES_TOLD).map(({ path }) => path);
  return new FirmwareError('flasher-args-missing', `${source}: ${message}`, { source, files });
}
