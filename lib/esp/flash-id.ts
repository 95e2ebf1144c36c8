/** What flash chip is there: its JEDEC id, asked through the SPI controller, and the size in it. */
import type { Chip } from './chips.ts';
import { EspError } from './errors.ts';
import type { Loader } from './loader.ts';

export interface FlashId {
  /** Manufacturer (low byte), type, size as the flash chip sends them. */
  id: number;
  /** Bytes. */
  size: number;
}

const READ_ID = 0x9f;
const ID_BITS = 24;
const USR_COMMAND = 2 ** 31;
const USR_MISO = 2 ** 28;
const COMMAND_BITS_MINUS_ONE = 7 * 2 ** 28;
const START = 1 << 18;
/** The SPI controller needs microseconds; each question is a round trip of a millisecond or more. */
const MAX_POLLS = 20;

/** Throws `EspError` 'flash-not-found' when nothing answers or the id names no size. */
export async function readFlashId(loader: Loader, chip: Chip): Promise<FlashId> {
  let id = 0;
  // What the questions are made of carries no checksum: a byte changed on the way asks something else.
  for (let i = 0; i < ATTEMPTS; i++) {
    id = await readJedecId(loader, chip);
    const size = flashSize(id);
    if (size !== undefined) return { id, size };
  }
  const hex = id.toString(16).padStart(6, '0');
  throw new EspError('flash-not-found', `the flash chip answers with the id ${hex}`, { id: hex });
}

const ATTEMPTS = 3;
const KB_256_LOG2 = 18;
const ADESTO = 0x1f;
/** Series of size codes: from the first to the last code the size doubles, starting at 2^log2 bytes. */
const SIZE_CODES = [
  { first: 0x12, last: 0x1c, log2: KB_256_LOG2 },
  { first: 0x20, last: 0x22, log2: 26 },
  { first: 0x32, last: 0x3a, log2: KB_256_LOG2 },
];
const ADESTO_SIZE_CODES = [{ first: 0x04, last: 0x09, log2: 19 }];

/** Bytes by JEDEC id; `undefined` when the id is that of a bus without a chip, or names no known size. */
export function flashSize(id: number): number | undefined {
  const isAdesto = (id & 0xff) === ADESTO;
  const code = isAdesto ? (id >> 8) & 0x1f : id >> 16;
  const series = isAdesto ? ADESTO_SIZE_CODES : SIZE_CODES;
  const match = series.find(({ first, last }) => code >= first && code <= last);
  return match && 2 ** (match.log2 + code - match.first);
}

async function readJedecId(loader: Loader, chip: Chip): Promise<number> {
  const { base, usr, usr1, usr2, misoLength, w0 } = chip.spi;
  const [oldUsr, oldUsr2] = [await loader.readRegister(base + usr), await loader.readRegister(base + usr2)];
  if (misoLength === undefined) {
    await loader.writeRegister(base + usr1, (ID_BITS - 1) << 8);
  } else {
    await loader.writeRegister(base + misoLength, ID_BITS - 1);
  }
  await loader.writeRegister(base + usr, USR_COMMAND + USR_MISO);
  await loader.writeRegister(base + usr2, COMMAND_BITS_MINUS_ONE + READ_ID);
  await loader.writeRegister(base + w0, 0);
  await loader.writeRegister(base, START);
  for (let i = 0; (await loader.readRegister(base)) & START; i++) {
    if (i === MAX_POLLS) {
      throw new EspError('flash-not-found', 'the flash controller does not finish', { id: 'none' });
    }
  }
  const id = (await loader.readRegister(base + w0)) & 0xffffff;
  await loader.writeRegister(base + usr, oldUsr);
  await loader.writeRegister(base + usr2, oldUsr2);
  return id;
}
