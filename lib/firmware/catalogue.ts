/**
 * MicroPython's downloads: which file is for this board. The index is the page of a board,
 * `<catalogue>/<BOARD>/`, as micropython.org/download has it (the same page that mpflash and Thonny's lists
 * are made from); of it only the links are read, whose file names say all:
 * `BOARD[-VARIANT]-YYYYMMDD-vX.Y.Z.bin`. So any mirror will do, and any text with such links in quotes: a
 * list in JSON (Thonny's `micropython-variants-esptool.json`), a web server's folder listing.
 * Boards and variants: `ports/esp32/boards/*\/board.json` and `ports/esp8266` of MicroPython.
 */
import { FirmwareError } from './errors.ts';
import { download } from '../web/download.ts';
import { WebError } from '../web/errors.ts';
import { urlOf } from '../web/fetch.ts';
import type { DownloadOptions } from '../web/download.ts';
import type { FirmwarePart } from './parts.ts';

/** The official index. */
export const MICROPYTHON_DOWNLOADS = 'https://micropython.org/download/';
const MAX_INDEX = 4 * 1024 * 1024;
const VERSIONS_TOLD = 12;
const MB = 1024 * 1024;

/** What is known of the board when the file is chosen. */
export interface CatalogueTarget {
  /** `ESP32-C3`. */
  chip: string;
  /** Major * 100 + minor, as in image headers. */
  revision?: number;
  /** External RAM: there, and how it is connected where that is known. */
  psram?: boolean | 'quad' | 'octal';
  /** Bytes. */
  flashSize: number;
  /** In esptool's words. */
  features?: readonly string[];
}

export interface CatalogueName {
  /** Absent: the newest stable one. Two or three numbers; of two, the newest of that line. */
  version?: readonly number[];
  /** Absent: as the chip needs it. */
  board?: string;
  variant?: string;
}

/**
 * Reads a name out of the catalogue; `undefined` for any other text (a path, say).
 *
 *     name    = "micropython" [ (":" | spaces) version ] [ "/" board [ "-" variant ] ]
 *     version = "latest" | "stable" | "newest" | ["v"] number "." number [ "." number ]
 *
 * Upper and lower case are alike up to the slash: `MicroPython`, `micropython:latest`, `MicroPython 1.24.0`,
 * `micropython:1.24/ESP32_GENERIC-SPIRAM`. A file that is called so is written with its folder, `./micropython`.
 */
export function parseCatalogueName(text: string): CatalogueName | undefined {
  const found =
    /^micropython(?:(?:\s*:\s*|\s+)(?:latest|newest|stable|v?(\d{1,4}\.\d{1,4}(?:\.\d{1,4})?)))?(?:\/(\w{1,64})(?:-(\w{1,64}))?)?$/i.exec(
      text.trim(),
    );
  if (!found) return undefined;
  const [, version, board, variant] = found;
  return {
    ...(version ? { version: version.split('.').map(Number) } : {}),
    ...(board ? { board } : {}),
    ...(variant ? { variant } : {}),
  };
}

interface Entry {
  url: string;
  file: string;
  board: string;
  /** Empty for a board's standard firmware. */
  variant: string;
  /** Major, minor, patch, date. */
  order: readonly number[];
}

/** Variants that a board needs, the best first; `''` is the standard one. */
interface Need {
  when: (target: CatalogueTarget) => boolean;
  variants: readonly string[];
}

const smallFlash =
  (bytes: number) =>
  ({ flashSize }: CatalogueTarget) =>
    flashSize <= bytes;

const BOARDS: Readonly<Record<string, { board: string; needs?: readonly Need[] }>> = {
  ESP8266: {
    board: 'ESP8266_GENERIC',
    needs: [
      { when: smallFlash(MB / 2), variants: ['FLASH_512K'] },
      { when: smallFlash(MB), variants: ['FLASH_1M'] },
    ],
  },
  ESP32: {
    board: 'ESP32_GENERIC',
    needs: [
      { when: smallFlash(2 * MB), variants: ['D2WD'] },
      {
        when: ({ features }) => features?.some((feature) => feature.startsWith('Single Core')) === true,
        variants: ['UNICORE'],
      },
      // The standard one runs there, too, but does not use that RAM.
      { when: ({ psram }) => psram !== undefined && psram !== false, variants: ['SPIRAM', ''] },
    ],
  },
  'ESP32-S2': { board: 'ESP32_GENERIC_S2' },
  'ESP32-S3': {
    board: 'ESP32_GENERIC_S3',
    // The standard one finds quad RAM by itself, and starts whatever RAM there is.
    needs: [
      { when: ({ psram }) => psram === 'octal', variants: ['SPIRAM_OCT', ''] },
      // Its own variant up to 1.25; later the standard one fits.
      { when: smallFlash(4 * MB), variants: ['FLASH_4M', ''] },
    ],
  },
  'ESP32-C2': {
    board: 'ESP32_GENERIC_C2',
    needs: [{ when: smallFlash(2 * MB), variants: ['FLASH_2M', 'FLASH_2MiB'] }],
  },
  'ESP32-C3': { board: 'ESP32_GENERIC_C3' },
  'ESP32-C5': { board: 'ESP32_GENERIC_C5' },
  'ESP32-C6': { board: 'ESP32_GENERIC_C6' },
  'ESP32-C61': { board: 'ESP32_GENERIC_C61' },
  'ESP32-H2': { board: 'ESP32_GENERIC_H2' },
  'ESP32-P4': {
    board: 'ESP32_GENERIC_P4',
    needs: [
      // Before that variant came, the standard one was for these revisions.
      { when: ({ revision }) => revision !== undefined && revision < 300, variants: ['PRE_REV3', ''] },
    ],
  },
};

/**
 * Finds and downloads the firmware for a board: one part, without an offset (its image says it).
 * Throws `FirmwareError` 'not-in-catalogue' and what `download` throws.
 */
export async function loadFromCatalogue(
  name: CatalogueName,
  target: CatalogueTarget,
  options: DownloadOptions & { catalogueUrl: string },
): Promise<FirmwarePart[]> {
  const known = BOARDS[target.chip];
  const board = name.board ?? known?.board;
  if (board === undefined) throw notThere(`MicroPython for ${target.chip}`, [], options.catalogueUrl);
  const index = indexUrl(options.catalogueUrl, board);
  const entries = entriesOf(await readIndex(index, board, options), index).filter(
    (one) => one.board === board,
  );
  const entry = choose(entries, name, board === known?.board ? variantsFor(target) : ['']);
  if (entry) return [{ bytes: await download(entry.url, options), name: entry.file }];
  const wanted = [
    'MicroPython',
    name.version?.join('.'),
    'for',
    [board, name.variant].filter(Boolean).join('-'),
  ];
  const available = name.version
    ? entries.map(({ order }) => order.slice(0, 3).join('.'))
    : entries.map(label);
  throw notThere(wanted.filter(Boolean).join(' '), available, index);
}

/** The releases that MicroPython's downloads have, `1.27.0` first. Throws as `loadFromCatalogue`. */
export async function catalogueVersions(
  options: DownloadOptions & { catalogueUrl: string },
): Promise<string[]> {
  const board = 'ESP32_GENERIC';
  const index = indexUrl(options.catalogueUrl, board);
  const entries = entriesOf(await readIndex(index, board, options), index);
  const newestFirst = entries.toSorted((a, b) => compare(b.order, a.order));
  return [...new Set(newestFirst.map(({ order }) => order.slice(0, 3).join('.')))].slice(0, VERSIONS_TOLD);
}

/** The newest entry of the best variant of the newest version that has one. */
function choose(entries: Entry[], name: CatalogueName, wished: readonly string[]): Entry | undefined {
  const variants = name.variant === undefined ? wished : [name.variant];
  const fitting = entries
    .filter(({ variant }) => variants.includes(variant))
    .filter(({ order }) => name.version?.every((number, i) => order[i] === number) ?? true)
    .sort((a, b) => compare(b.order, a.order));
  const newest = fitting[0]?.order.slice(0, 3);
  const same = fitting.filter(({ order }) => newest && compare(order.slice(0, 3), newest) === 0);
  return variants.flatMap((variant) => same.find((entry) => entry.variant === variant) ?? [])[0];
}

function variantsFor(target: CatalogueTarget): readonly string[] {
  return BOARDS[target.chip]?.needs?.find(({ when }) => when(target))?.variants ?? [''];
}

/** A page that is not there means a board that is not there. */
async function readIndex(index: string, board: string, options: DownloadOptions): Promise<string> {
  try {
    // The hash is the firmware's, not the page's.
    const page = await download(index, { ...options, maxBytes: MAX_INDEX, sha256: undefined });
    return Buffer.from(page).toString('utf8');
  } catch (error) {
    const gone = error instanceof WebError && [404, 410].includes(Number(error.facts['status']));
    throw gone ? notThere(`MicroPython for ${board}`, [], index) : error;
  }
}

/** `{board}` in the URL is replaced; a file (`.json`, `.html`) is taken as it is; a folder has one a board. */
function indexUrl(catalogueUrl: string, board: string): string {
  const url = catalogueUrl.trim();
  if (url.includes('{board}')) return url.replaceAll('{board}', board);
  return /\.(json|html?)$/i.test(url) ? url : `${url.replace(/\/+$/, '')}/${board}/`;
}

/** The links in quotes whose file name has the pattern of a release; previews have another. */
function entriesOf(page: string, index: string): Entry[] {
  const entries: Entry[] = [];
  for (const [, link = ''] of page.matchAll(/["']([^"'\s<>]{1,400})["']/g)) {
    const [, file = '', board = '', variant = '', ...numbers] =
      /(?:^|\/)((\w+)(?:-(\w+))?-(\d{8})-v(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?\.bin)$/.exec(link) ?? [];
    const url = file === '' ? undefined : urlOf(link, index);
    if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && index.startsWith('http:'))))
      continue;
    // A part that is not there is 0: v1.18 is 1.18.0.
    const [date = 0, major = 0, minor = 0, patch = 0] = [0, 1, 2, 3].map((i) => Number(numbers[i] ?? 0));
    entries.push({ url: url.href, file, board, variant, order: [major, minor, patch, date] });
  }
  return entries;
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((number, i) => number - (b[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function label({ variant, order }: Entry): string {
  return `${order.slice(0, 3).join('.')}${variant === '' ? '' : ` ${variant}`}`;
}

function notThere(wanted: string, available: string[], url: string): FirmwareError {
  const told = [...new Set(available)].slice(0, VERSIONS_TOLD);
  return new FirmwareError('not-in-catalogue', `${wanted} is not at ${url}`, {
    wanted,
    available: told,
    url,
  });
}
