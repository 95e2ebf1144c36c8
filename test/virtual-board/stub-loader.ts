/**
 * The serial protocol as the official flasher stub speaks it (esp-flasher-stub 1.x).
 *
 * It answers a block before it writes it, so that the next one can be on its way: a write that fails
 * is told in the answer to the next command, whatever that is, which then is not carried out. It erases
 * as it goes, 64 KB at a time where that fits, and leaves sectors alone that are blank already for as
 * long as it has met no other.
 */

import { createHash } from 'node:crypto';
import { ascii, checksum, concat, u32 } from './bytes.ts';
import type { Request } from './commands.ts';
import { OP, opName, parseRequest, response } from './commands.ts';
import { BLOCK_SIZE } from './flash-chip.ts';
import { InflateStream } from './inflate-stream.ts';
import type { LoaderLink } from './loader-link.ts';
import { SECTOR_SIZE } from './nor-flash.ts';
import { scramble, securityInfo, UNPROTECTED } from './protection.ts';
import type { LoaderChip, LoaderExit } from './rom-loader.ts';

/** First status byte; the second is 0. */
const STATUS = {
  OK: 0,
  BAD_LENGTH: 0xc0,
  BAD_CHECKSUM: 0xc1,
  INVALID_COMMAND: 0xc3,
  NOT_IN_FLASH_MODE: 0xc6,
  INFLATE: 0xc7,
  NOT_ENOUGH_DATA: 0xc8,
  TOO_MUCH_DATA: 0xc9,
  NOT_IMPLEMENTED: 0xff,
} as const;

const LENGTHS = new Map<number, number>([
  [OP.SYNC, 36],
  [OP.FLASH_END, 4],
  [OP.FLASH_DEFL_END, 4],
  [OP.MEM_BEGIN, 16],
  [OP.MEM_END, 8],
  [OP.READ_REG, 4],
  [OP.SPI_ATTACH, 4],
  [OP.SPI_SET_PARAMS, 24],
  [OP.CHANGE_BAUDRATE, 8],
  [OP.SPI_FLASH_MD5, 16],
  [OP.GET_SECURITY_INFO, 0],
  [OP.READ_FLASH, 16],
  [OP.ERASE_REGION, 8],
]);

interface Write {
  offset: number;
  left: number;
  eraseAt: number;
  eraseLeft: number;
  dirtySeen: boolean;
  encrypted: boolean;
  inflate: InflateStream | undefined;
}

interface Reply {
  status: number;
  value?: number;
  body?: Uint8Array;
  /** Work done after the answer; its status goes into the next answer. */
  after?: () => Promise<number>;
  exit?: LoaderExit;
}

const OK: Reply = { status: STATUS.OK };

export class StubLoader {
  readonly #chip: LoaderChip;
  readonly #link: LoaderLink;
  #write: Write | undefined;
  #memory: { address: number; left: number } | undefined;

  constructor(chip: LoaderChip, link: LoaderLink) {
    this.#chip = chip;
    this.#link = link;
    chip.registers.flashAttached = true;
  }

  async run(): Promise<LoaderExit> {
    this.#link.send(ascii('OHAI'));
    let owed: number = STATUS.OK;
    for (;;) {
      const frame = await this.#link.receive();
      const op = frame[1] ?? 0;
      const request = parseRequest(frame);
      if (!request) {
        this.#respond(op, { status: frame[0] === 0 ? STATUS.BAD_LENGTH : STATUS.INVALID_COMMAND });
        continue;
      }
      this.#link.event('command', { loader: 'stub', op: opName(op) });
      if (owed !== STATUS.OK) {
        this.#respond(op, { status: owed });
        owed = STATUS.OK;
        continue;
      }
      // This one has no answer and does nothing in this stub.
      if (op === OP.RUN_USER_CODE) continue;
      const reply = await this.#handle(request);
      if (op === OP.SYNC && reply.status === STATUS.OK) {
        for (let i = 0; i < 7; i++) this.#respond(op, reply);
      }
      this.#respond(op, reply);
      if (reply.exit) {
        await this.#link.drained();
        return reply.exit;
      }
      if (reply.after) owed = await reply.after();
    }
  }

  #respond(op: number, reply: Reply): void {
    const body = concat(reply.body ?? new Uint8Array(0), Uint8Array.of(reply.status, 0));
    this.#link.send(response(op, reply.value ?? 0, body));
  }

  async #handle(request: Request): Promise<Reply> {
    const { op, data } = request;
    const { facts, flash, registers } = this.#chip;
    const length = LENGTHS.get(op);
    if (length !== undefined && data.length !== length) return { status: STATUS.BAD_LENGTH };
    switch (op) {
      case OP.SYNC:
        return OK;
      case OP.READ_REG:
        return { status: STATUS.OK, value: registers.read(u32(data, 0)) };
      case OP.WRITE_REG:
        if (data.length === 0 || data.length % 16 !== 0) return { status: STATUS.NOT_ENOUGH_DATA };
        for (let at = 0; at < data.length; at += 16) {
          registers.write(u32(data, at), u32(data, at + 4), u32(data, at + 8));
        }
        return OK;
      case OP.MEM_BEGIN:
        this.#memory = { address: u32(data, 12), left: u32(data, 0) };
        return OK;
      case OP.MEM_DATA:
        return this.#memData(request);
      case OP.MEM_END:
        if (!this.#memory) return { status: STATUS.NOT_IN_FLASH_MODE };
        this.#memory = undefined;
        return u32(data, 0) === 0
          ? { status: STATUS.OK, exit: { kind: 'entry', address: u32(data, 4) } }
          : OK;
      case OP.SPI_ATTACH:
      case OP.SPI_SET_PARAMS:
        return OK;
      case OP.CHANGE_BAUDRATE:
        return { status: STATUS.OK, after: () => this.#changeBaudRate(u32(data, 0)) };
      case OP.FLASH_BEGIN:
        return this.#begin(data, undefined);
      case OP.FLASH_DEFL_BEGIN:
        return this.#begin(data, new InflateStream());
      case OP.FLASH_DATA:
      case OP.FLASH_DEFL_DATA:
        return this.#flashData(request);
      case OP.FLASH_END:
      case OP.FLASH_DEFL_END:
        if (!this.#write) return { status: STATUS.NOT_IN_FLASH_MODE };
        if (this.#write.left !== 0) return { status: STATUS.BAD_LENGTH };
        this.#write = undefined;
        return OK;
      case OP.SPI_FLASH_MD5: {
        const size = u32(data, 4);
        await this.#link.sleep(size * flash.timing.hashMsPerByte);
        const digest = createHash('md5')
          .update(flash.cells.read(u32(data, 0), size))
          .digest();
        return { status: STATUS.OK, body: Uint8Array.from(digest) };
      }
      case OP.GET_SECURITY_INFO:
        if (facts.rom.securityInfo === 0) return { status: STATUS.NOT_IMPLEMENTED };
        return {
          status: STATUS.OK,
          body: securityInfo(
            facts.rom.securityInfo,
            facts.imageChipId ?? 0,
            this.#chip.protection ?? UNPROTECTED,
          ),
        };
      case OP.READ_FLASH:
        if (u32(data, 8) > 4096)
          return { status: STATUS.OK, after: () => Promise.resolve(STATUS.BAD_LENGTH) };
        return { status: STATUS.OK, after: () => this.#readFlash(data) };
      case OP.ERASE_FLASH:
        await this.#link.sleep(flash.eraseChip());
        return OK;
      case OP.ERASE_REGION:
        return this.#eraseRegion(u32(data, 0), u32(data, 4));
      default:
        return { status: op >= 0xd5 && op <= 0xef ? STATUS.NOT_IMPLEMENTED : STATUS.INVALID_COMMAND };
    }
  }

  async #changeBaudRate(baudRate: number): Promise<number> {
    await this.#link.drained();
    this.#link.setBaudRate(baudRate);
    return STATUS.OK;
  }

  #memData(request: Request): Reply {
    const { data } = request;
    if (data.length < 16) return { status: STATUS.NOT_ENOUGH_DATA };
    if (!this.#memory) return { status: STATUS.NOT_IN_FLASH_MODE };
    const payload = data.subarray(16);
    const claimed = u32(data, 0);
    if (claimed > this.#memory.left || claimed !== payload.length) return { status: STATUS.TOO_MUCH_DATA };
    this.#chip.ram.write(this.#memory.address, payload);
    this.#memory.address += payload.length;
    this.#memory.left -= payload.length;
    return OK;
  }

  async #begin(data: Uint8Array, inflate: InflateStream | undefined): Promise<Reply> {
    if (data.length !== 16 && data.length !== 20) return { status: STATUS.BAD_LENGTH };
    const size = u32(data, 0);
    const offset = u32(data, 12);
    const eraseAt = offset - (offset % SECTOR_SIZE);
    const eraseEnd = Math.ceil((offset + size) / SECTOR_SIZE) * SECTOR_SIZE;
    const encrypted = data.length === 20 && u32(data, 16) === 1;
    const eraseLeft = eraseEnd - eraseAt;
    this.#write = { offset, left: size, eraseAt, eraseLeft, dirtySeen: false, encrypted, inflate };
    await this.#eraseNext(this.#write);
    return OK;
  }

  async #eraseNext(write: Write): Promise<void> {
    const { flash } = this.#chip;
    if (write.eraseLeft === 0) return;
    let step = SECTOR_SIZE;
    if (write.dirtySeen || !flash.isBlank(write.eraseAt)) {
      write.dirtySeen = true;
      const block = write.eraseAt % BLOCK_SIZE === 0 && write.eraseLeft >= BLOCK_SIZE;
      step = block ? BLOCK_SIZE : SECTOR_SIZE;
      await this.#link.sleep(block ? flash.eraseBlock(write.eraseAt) : flash.eraseSector(write.eraseAt));
    }
    write.eraseAt += step;
    write.eraseLeft -= Math.min(step, write.eraseLeft);
  }

  #flashData(request: Request): Reply {
    const { op, data } = request;
    const deflated = op === OP.FLASH_DEFL_DATA;
    if (data.length < 16) return { status: deflated ? STATUS.BAD_LENGTH : STATUS.NOT_ENOUGH_DATA };
    const write = this.#write;
    if (!write) return { status: STATUS.NOT_IN_FLASH_MODE };
    const payload = data.slice(16);
    if (u32(data, 0) !== payload.length) return { status: STATUS.TOO_MUCH_DATA };
    if (checksum(payload) !== request.checksum) return { status: STATUS.BAD_CHECKSUM };
    if (!deflated) {
      const wanted = payload.subarray(0, Math.min(payload.length, write.left));
      return { status: STATUS.OK, after: () => this.#store(write, wanted) };
    }
    // A stream begins anew at sequence number 0.
    if (u32(data, 4) === 0 || !write.inflate) write.inflate = new InflateStream();
    const inflate = write.inflate;
    return { status: STATUS.OK, after: () => this.#storeDeflated(write, inflate, payload) };
  }

  async #storeDeflated(write: Write, inflate: InflateStream, block: Uint8Array): Promise<number> {
    const pieces = inflate.push(block);
    if (!pieces) return STATUS.INFLATE;
    await this.#eraseNext(write);
    for (const piece of pieces) {
      const status = await this.#store(write, piece);
      if (status !== STATUS.OK) return status;
    }
    return STATUS.OK;
  }

  async #store(write: Write, bytes: Uint8Array): Promise<number> {
    while (write.eraseAt < write.offset + bytes.length && write.eraseLeft > 0) await this.#eraseNext(write);
    const stored = write.encrypted ? scramble(write.offset, bytes) : bytes;
    await this.#link.sleep(this.#chip.flash.program(write.offset, stored));
    write.offset += bytes.length;
    write.left -= bytes.length;
    return STATUS.OK;
  }

  async #eraseRegion(offset: number, length: number): Promise<Reply> {
    if (offset % SECTOR_SIZE || length % SECTOR_SIZE) return { status: STATUS.BAD_LENGTH };
    await this.#link.sleep(this.#chip.flash.eraseRange(offset, length));
    return OK;
  }

  /** One packet in flight, whatever the host offers: what the released stub does. */
  async #readFlash(data: Uint8Array): Promise<number> {
    let offset = u32(data, 0);
    let left = u32(data, 4);
    const total = left;
    const packet = u32(data, 8);
    const hash = createHash('md5');
    let acknowledged = 0;
    while (left > 0 || acknowledged < total) {
      if (left > 0) {
        const bytes = this.#chip.flash.cells.read(offset, Math.min(left, packet));
        hash.update(bytes);
        this.#link.send(bytes);
        offset += bytes.length;
        left -= bytes.length;
      }
      const ack = await this.#link.receive();
      if (ack.length !== 4) break;
      acknowledged = u32(ack, 0);
    }
    this.#link.send(Uint8Array.from(hash.digest()));
    return STATUS.OK;
  }
}
