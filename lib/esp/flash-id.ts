/** What flash chip is there: its JEDEC id, asked through the SPI controller, and the size in it. */
import type { Chip } from './chips.ts';
import { EspError } from './errors.ts';
import type { Loader } from './loader.ts';

export interface FlashId {
  /** Manufacturer (low byte), type, size as the flash chip sends them. */
  id: number;
  /** Bytes; absent where nothing answers, or the id names none. */
  size?: number;
}

const READ_ID = 0x9f;
const ID_BITS = 24;
/** Both in a row reset a flash chip that was left in a mode in which it understands no 9F. */
const RESETS = [0x66, 0x99];
const USR_COMMAND = 2 ** 31;
const USR_MISO = 2 ** 28;
const COMMAND_BITS_MINUS_ONE = 7 * 2 ** 28;
const START = 1 << 18;
/** The SPI controller needs microseconds; each question is a round trip of a millisecond or more. */
const MAX_POLLS = 20;
const ATTEMPTS = 3;

/** Throws `EspError` 'flash-not-found' when the controller itself does not work. */
export async function readFlashId(loader: Loader, chip: Chip): Promise<FlashId> {
  let id = 0;
  // What the questions are made of carries no checksum: a byte changed on the way asks something else.
  for (let i = 0; i < ATTEMPTS; i++) {
    id = await askFlash(loader, chip, READ_ID, ID_BITS);
    const size = flashSize(id);
    if (size !== undefined) return { id, size };
    for (const command of RESETS) await askFlash(loader, chip, command, 0);
  }
  return { id };
}

/** As data sheets have it: manufacturer first, `ef4016`. */
export function jedecText(id: number): string {
  return Buffer.from([id, id >> 8, id >> 16]).toString('hex');
}

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

/** Sends one command to the flash chip and reads so many bits of what it answers. */
async function askFlash(loader: Loader, chip: Chip, command: number, bits: number): Promise<number> {
  const { base, usr, usr1, usr2, misoLength, w0 } = chip.spi;
  const [oldUsr, oldUsr2] = [await loader.readRegister(base + usr), await loader.readRegister(base + usr2)];
  const lengthIsInUsr1 = misoLength === undefined;
  await loader.writeRegisters(
    [base + (misoLength ?? usr1), Math.max(0, bits - 1) << (lengthIsInUsr1 ? 8 : 0)],
    [base + usr, USR_COMMAND + (bits > 0 ? USR_MISO : 0)],
    [base + usr2, COMMAND_BITS_MINUS_ONE + command],
    [base + w0, 0],
    [base, START],
  );
  for (let i = 0; (await loader.readRegister(base)) & START; i++) {
    if (i === MAX_POLLS) {
      throw new EspError('flash-not-found', 'the flash controller does not finish', { id: 'none' });
    }
  }
  const answer = (await loader.readRegister(base + w0)) & (2 ** bits - 1);
  await loader.writeRegisters([base + usr, oldUsr], [base + usr2, oldUsr2]);
  return answer;
}
