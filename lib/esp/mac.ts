/** The factory MAC address out of a chip's eFuses (ESP8266: its OTP). Source: register headers of ESP-IDF. */
import { ESP8266 } from './chips.ts';
import type { Chip } from './chips.ts';
import type { Loader } from './loader.ts';

/** `aa:bb:cc:dd:ee:ff`, the base address from which Wi-Fi and Bluetooth addresses are made. */
export async function readMac(loader: Loader, chip: Chip): Promise<string> {
  const bytes = chip === ESP8266 ? await esp8266Mac(loader, chip) : await efuseMac(loader, chip);
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

async function efuseMac(loader: Loader, chip: Chip): Promise<number[]> {
  const low = await loader.readRegister(chip.macRegister);
  const high = await loader.readRegister(chip.macRegister + 4);
  return [high >> 8, high, low >>> 24, low >> 16, low >> 8, low].map((value) => value & 0xff);
}

/** Without a maker's prefix of its own (word 3) the chip carries one of two, told apart in word 1. */
async function esp8266Mac(loader: Loader, chip: Chip): Promise<number[]> {
  const [word0, word1, word3] = [
    await loader.readRegister(chip.macRegister),
    await loader.readRegister(chip.macRegister + 4),
    await loader.readRegister(chip.macRegister + 12),
  ];
  const prefixes = [
    [0x18, 0xfe, 0x34],
    [0xac, 0xd0, 0x74],
  ];
  const prefix =
    word3 === 0 ? (prefixes[(word1 >> 16) & 0xff] ?? [0, 0, 0]) : [word3 >> 16, word3 >> 8, word3];
  return [...prefix, word1 >> 8, word1, word0 >>> 24].map((value) => value & 0xff);
}
