/**
 * Packets of the Espressif serial protocol: what a request and an answer are made of.
 * Source: Espressif "Serial Protocol" (esptool documentation) and recordings of a mask ROM.
 */

export const OPS = {
  FLASH_BEGIN: 0x02,
  FLASH_DATA: 0x03,
  FLASH_END: 0x04,
  MEM_BEGIN: 0x05,
  MEM_END: 0x06,
  MEM_DATA: 0x07,
  SYNC: 0x08,
  WRITE_REG: 0x09,
  READ_REG: 0x0a,
  SPI_SET_PARAMS: 0x0b,
  SPI_ATTACH: 0x0d,
  READ_FLASH_SLOW: 0x0e,
  CHANGE_BAUDRATE: 0x0f,
  FLASH_DEFL_BEGIN: 0x10,
  FLASH_DEFL_DATA: 0x11,
  FLASH_DEFL_END: 0x12,
  SPI_FLASH_MD5: 0x13,
  GET_SECURITY_INFO: 0x14,
  // Only the stub knows these.
  ERASE_FLASH: 0xd0,
  ERASE_REGION: 0xd1,
  READ_FLASH: 0xd2,
  RUN_USER_CODE: 0xd3,
} as const;

export type Operation = keyof typeof OPS;

const CHECKSUM_SEED = 0xef;

/** XOR of all bytes, seeded with EF: how a data block is checked on arrival. */
export function checksum(data: Uint8Array, seed = CHECKSUM_SEED): number {
  let sum = seed;
  for (const byte of data) sum ^= byte;
  return sum;
}

/** Little-endian 32-bit words, as most parameters are. */
export function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setUint32(i * 4, value >>> 0, true));
  return bytes;
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A request packet, not yet framed. `check` is non-zero for data blocks only. */
export function encodeRequest(operation: Operation, data: Uint8Array, check = 0): Uint8Array {
  const packet = new Uint8Array(8 + data.length);
  const view = new DataView(packet.buffer);
  packet[1] = OPS[operation];
  view.setUint16(2, data.length, true);
  view.setUint32(4, check, true);
  packet.set(data, 8);
  return packet;
}

/** The body of MEM_DATA, FLASH_DATA and FLASH_DEFL_DATA: length, sequence number, two unused words, bytes. */
export function dataBlock(bytes: Uint8Array, sequence: number): Uint8Array {
  return concat(words(bytes.length, sequence, 0, 0), bytes);
}

export interface Answer {
  op: number;
  /** The register read by READ_REG; left over from earlier commands otherwise. */
  value: number;
  /** Result bytes, then the status bytes. */
  body: Uint8Array;
}

/**
 * An answer packet, or `undefined` for a frame that is none: an echo of our own request, or damage. A byte that came
 * twice would shift those behind it, and with them the value of a register.
 */
export function decodeAnswer(frame: Uint8Array): Answer | undefined {
  if (frame.length < 8 || frame[0] !== 0x01) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length !== 8 + view.getUint16(2, true)) return undefined;
  return { op: view.getUint8(1), value: view.getUint32(4, true), body: frame.subarray(8) };
}

/** ROM reasons are 00..0F and 64..69, the stub's C0..CB and FF. */
const REASONS: Readonly<Record<number, string>> = {
  0x00: 'undefined error',
  0x01: 'a parameter is invalid',
  0x02: 'out of memory',
  0x03: 'the message could not be sent',
  0x04: 'the message could not be received',
  0x05: 'the message is invalid or the command unknown',
  0x06: 'the command failed to run',
  0x07: 'the checksum of the data does not match: bytes were lost or changed on the way',
  0x08: 'writing the flash failed when read back',
  0x09: 'reading the flash failed',
  0x0a: 'reading the flash was asked for too many bytes',
  0x0b: 'inflating the data failed',
  0x0c: 'the inflated data has a wrong Adler-32',
  0x0d: 'a compressed-data parameter is invalid',
  0x0e: 'the binary size is invalid',
  0x0f: 'the binary address is invalid',
  0x64: 'a parameter is invalid',
  0x65: 'the format is invalid',
  0x66: 'the description is too long',
  0x67: 'the encoding is bad',
  0x69: 'there is not enough memory',
  0xc0: 'the data length is wrong',
  0xc1: 'the checksum of the data does not match: bytes were lost or changed on the way',
  0xc2: 'the block size is wrong',
  0xc3: 'the command is unknown',
  0xc4: 'an SPI operation on the flash failed',
  0xc5: 'the flash could not be unlocked',
  0xc6: 'the stub is not in flash mode',
  0xc7: 'inflating the data failed',
  0xc8: 'not enough data came',
  0xc9: 'too much data came',
  0xff: 'the command is not implemented',
};

/** The words for a status' reason byte. */
export function reasonText(reason: number): string {
  return REASONS[reason] ?? 'an unknown reason';
}

/** Data that arrived damaged or too short may be sent again; any other reason would come back the same. */
export function isTransmissionFault(reason: unknown): boolean {
  return reason === 0x07 || reason === 0xc0 || reason === 0xc1;
}
