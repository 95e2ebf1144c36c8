/** Which chip answers, and what protects it. */
import { chipByImageId, chipByMagic } from './chips.ts';
import type { Chip } from './chips.ts';
import { EspError, isEspError } from './errors.ts';
import type { Loader } from './loader.ts';

const MAGIC_REGISTER = 0x40001000;
const SECURITY_INFO_LENGTH = 20;
const ESP32_ID = 0;
const ESP32_S2_ID = 2;

/** What protects the chip; absent on the ESP8266, which has nothing. */
export interface SecurityInfo {
  secureBoot: boolean;
  /** The first kind of Secure Boot, which only ESP32s have; else it is the second. */
  secureBootV1?: boolean;
  secureDownload: boolean;
  flashEncryption: boolean;
}

/** What else the fuses say, as GET_SECURITY_INFO gives it. */
export interface SecurityDetails {
  jtagDisabled: boolean;
  usbDisabled: boolean;
  /** How often flash encryption was switched, as bits that are burnt one after the other. */
  cryptCount: number;
  /** What each key block is for, by the chip's own numbers; 0 is free. */
  keyPurposes: number[];
  /** Digests of Secure Boot that are revoked, 0 to 2. */
  revokedKeys: number[];
  /** Of the ROM's secure services; absent on the ESP32-S2. */
  apiVersion?: number;
}

export interface Identity {
  chip: Chip;
  security?: SecurityInfo;
  details?: SecurityDetails;
}

/**
 * An answer carries no checksum: a chip that nobody knows, or that cannot say what it should, has to be so twice.
 * Throws `EspError` 'unknown-chip'.
 */
export async function identify(loader: Loader): Promise<Identity> {
  try {
    return await identifyOnce(loader);
  } catch (error) {
    if (!(error instanceof EspError) || error.code === 'command-timeout') throw error;
    return identifyOnce(loader);
  }
}

/**
 * Which chip answers: the three oldest by a word in their ROM, all others by the id they tell.
 * The word is asked first as the ESP32's ROM takes a quarter second to refuse the other question.
 */
async function identifyOnce(loader: Loader): Promise<Identity> {
  const magic = await readMagic(loader);
  const known = magic === undefined ? undefined : chipByMagic(magic);
  if (known?.romIsMinimal) return { chip: known };
  if (known?.imageId === ESP32_ID) return { chip: known, security: await readEsp32Security(loader) };
  const info = await readSecurityInfo(loader);
  const chip = known ?? chipByAnswer(info);
  if (!chip) {
    const facts = { magic, id: info.chipId };
    throw new EspError('unknown-chip', `no chip has magic ${magic} and id ${info.chipId}`, facts);
  }
  return { chip, security: info.security, details: info.details };
}

/** In Secure Download Mode the word cannot be read; of the chips that have that mode only one tells no id. */
function chipByAnswer({ security, chipId }: { security: SecurityInfo; chipId?: number }): Chip | undefined {
  if (chipId !== undefined) return chipByImageId(chipId);
  return security.secureDownload ? chipByImageId(ESP32_S2_ID) : undefined;
}

/** The word is not readable in Secure Download Mode. */
async function readMagic(loader: Loader): Promise<number | undefined> {
  try {
    return await loader.readRegister(MAGIC_REGISTER);
  } catch (error) {
    if (isEspError(error, 'command-unsupported') || isEspError(error, 'command-failed')) return undefined;
    throw error;
  }
}

/** 20 bytes: flags, crypt count, key purposes, chip id, api version. The ESP32-S2 leaves out the last two. */
async function readSecurityInfo(
  loader: Loader,
): Promise<{ security: SecurityInfo; details: SecurityDetails; chipId?: number }> {
  const { result } = await readInfo(loader);
  const view = new DataView(result.buffer, result.byteOffset, result.length);
  const flags = view.getUint32(0, true);
  const security = {
    secureBoot: (flags & 1) !== 0,
    secureDownload: (flags & 4) !== 0,
    flashEncryption: hasOddBits(view.getUint8(4)),
  };
  const details = {
    jtagDisabled: (flags & 0xc0) !== 0,
    usbDisabled: (flags & 0x100) !== 0,
    cryptCount: view.getUint8(4),
    keyPurposes: [...result.subarray(5, 12)],
    revokedKeys: [0, 1, 2].filter((key) => flags & (8 << key)),
  };
  if (result.length < SECURITY_INFO_LENGTH) return { security, details };
  const apiVersion = view.getUint32(16, true);
  return { security, details: { ...details, apiVersion }, chipId: view.getUint32(12, true) };
}

async function readInfo(loader: Loader): Promise<{ result: Uint8Array }> {
  try {
    return await loader.command('GET_SECURITY_INFO', undefined, { resultLength: SECURITY_INFO_LENGTH });
  } catch (error) {
    if (!isEspError(error, 'bad-answer') && !isEspError(error, 'command-failed')) throw error;
    return loader.command('GET_SECURITY_INFO', undefined, { resultLength: 12 });
  }
}

/** Words 0 and 6 of the ESP32's eFuse block 0. */
const ESP32_EFUSE_CRYPT = 0x3ff5a000;
const ESP32_EFUSE_BOOT = 0x3ff5a018;

/**
 * The ESP32's ROM does not tell, but its eFuses can be read: FLASH_CRYPT_CNT, and ABS_DONE_0 and _1 for the two
 * kinds of Secure Boot. Source: ESP-IDF `esp_efuse_table.csv`.
 */
async function readEsp32Security(loader: Loader): Promise<SecurityInfo> {
  const first = await readEsp32Fuses(loader);
  if (!first.secureBoot && !first.flashEncryption) return first;
  // An answer carries no checksum: what refuses a board has to come twice.
  const second = await readEsp32Fuses(loader);
  return {
    secureBoot: first.secureBoot && second.secureBoot,
    ...(first.secureBootV1 && second.secureBootV1 ? { secureBootV1: true } : {}),
    secureDownload: false,
    flashEncryption: first.flashEncryption && second.flashEncryption,
  };
}

async function readEsp32Fuses(loader: Loader): Promise<SecurityInfo> {
  const cryptCount = ((await loader.readRegister(ESP32_EFUSE_CRYPT)) >>> 20) & 0x7f;
  const secureBoot = ((await loader.readRegister(ESP32_EFUSE_BOOT)) >>> 4) & 0b11;
  return {
    secureBoot: secureBoot !== 0,
    ...(secureBoot & 1 ? { secureBootV1: true } : {}),
    secureDownload: false,
    flashEncryption: hasOddBits(cryptCount),
  };
}

/** Each change of flash encryption burns one bit more: it is on while their number is odd. */
function hasOddBits(value: number): boolean {
  let odd = false;
  for (let rest = value; rest; rest &= rest - 1) odd = !odd;
  return odd;
}
