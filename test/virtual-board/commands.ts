/** Op codes of the serial protocol and the frames around them. */

import { concat, putU16, putU32, u16, u32 } from './bytes.ts';

export const OP = {
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
  ERASE_FLASH: 0xd0,
  ERASE_REGION: 0xd1,
  READ_FLASH: 0xd2,
  RUN_USER_CODE: 0xd3,
} as const;

const NAMES = new Map<number, string>(Object.entries(OP).map(([name, op]) => [op, name]));

export const opName = (op: number): string => NAMES.get(op) ?? `0x${op.toString(16)}`;

export interface Request {
  op: number;
  checksum: number;
  data: Uint8Array;
}

/** `undefined`: not a request, or its length field does not fit the frame. */
export function parseRequest(frame: Uint8Array): Request | undefined {
  if (frame.length < 8 || frame[0] !== 0 || u16(frame, 2) !== frame.length - 8) return undefined;
  return { op: frame[1] ?? 0, checksum: u32(frame, 4), data: frame.subarray(8) };
}

/** `body` is the answer's data followed by the status bytes. */
export function response(op: number, value: number, body: Uint8Array): Uint8Array {
  const head = new Uint8Array(8);
  head[0] = 1;
  head[1] = op;
  putU16(head, 2, body.length);
  putU32(head, 4, value);
  return concat(head, body);
}

const SYNC_TAIL = 32;

export function isSyncPayload(data: Uint8Array): boolean {
  return (
    data.length === 4 + SYNC_TAIL &&
    u32(data, 0) === 0x20120707 &&
    data.subarray(4).every((byte) => byte === 0x55)
  );
}
