/**
 * The serial protocol as the mask ROM speaks it.
 *
 * Its manners, all seen on silicon: the answer is a buffer that keeps its old contents, so the value
 * field shows the last register read and a command the ROM does not know is answered eight times under
 * the op of the command before, with status 01 05. It erases before it answers FLASH_BEGIN. It writes
 * before it answers FLASH_DATA.
 */

import type { ChipFacts } from './chips.ts';
import { ascii, checksum, concat, u32 } from './bytes.ts';
import type { Request } from './commands.ts';
import { isSyncPayload, OP, opName, parseRequest, response } from './commands.ts';
import type { FlashChip } from './flash-chip.ts';
import { BLOCK_SIZE } from './flash-chip.ts';
import { InflateStream } from './inflate-stream.ts';
import type { LoaderLink } from './loader-link.ts';
import type { Protection } from './protection.ts';
import { isAllowed, scramble, securityInfo, UNPROTECTED } from './protection.ts';
import type { Ram, Registers } from './registers.ts';
import { SECTOR_SIZE } from './nor-flash.ts';
import { createHash } from 'node:crypto';

export interface LoaderChip {
  facts: ChipFacts;
  flash: FlashChip;
  registers: Registers;
  ram: Ram;
  protection?: Protection;
  /** Code is started while half of the answer is still on the wire. */
  isHasty?: boolean;
}

/** Where the chip goes when the loader is left. */
export type LoaderExit = { kind: 'entry'; address: number } | { kind: 'reboot' } | { kind: 'run-flash' };

/** Reasons in the second status byte. */
const INVALID = 0x05;
const FAILED = 0x06;
const BAD_CHECKSUM = 0x07;
const INFLATE_FAILED = 0x0b;

/** Without SPI_SET_PARAMS the ROM believes in a 2 MB flash. */
const DEFAULT_FLASH_SIZE = 0x200000;
/** What the SPI status register leaves in the value field after a write to the flash. */
const VALUE_AFTER_FLASH = 0x100000;
const REPEATS = 8;
const SLOW_READ = 64;
/** What the ROM waits before it jumps: half of its answer is on the wire then. */
const HASTE_MS = 0.7;

interface Write {
  offset: number;
  end: number;
  inflate: InflateStream | undefined;
  encrypted: boolean;
}

const DATA = new Set<number>([OP.MEM_DATA, OP.FLASH_DATA, OP.FLASH_DEFL_DATA]);

/** A block that has lost bytes, to which a ROM says what it says to one with flipped bits. */
function isTornBlock(frame: Uint8Array, request: Request | undefined): boolean {
  return !request && frame[0] === 0 && DATA.has(frame[1] ?? 0);
}

type Result = { reason: number } | { body?: Uint8Array; exit?: LoaderExit; repeat?: number } | undefined;

export class RomLoader {
  readonly #chip: LoaderChip;
  readonly #link: LoaderLink;
  #lastOp = 0;
  #value = 0;
  #flashSize: number;
  #memory: { address: number; left: number } | undefined;
  #write: Write | undefined;

  constructor(chip: LoaderChip, link: LoaderLink) {
    this.#chip = chip;
    this.#link = link;
    this.#flashSize = chip.facts.rom.setParams ? DEFAULT_FLASH_SIZE : chip.flash.size;
  }

  /** A flash in the package of an ESP32 hangs on pins of its own, which the host has to name. */
  #flashPins(): number {
    const { registers, facts } = this.#chip;
    if (facts.name !== 'esp32') return 0;
    const [low, high] = [registers.read(0x3ff5a014), registers.read(0x3ff5a00c)];
    const pins = [0, 5, 10, 15].map((shift, i) => ((low >>> shift) & 0x1f) << (6 * i));
    return pins.reduce((sum, pin) => sum | pin, ((high >>> 4) & 0x1f) << 24) >>> 0;
  }

  get #protection(): Protection {
    return this.#chip.protection ?? UNPROTECTED;
  }

  /** Serves the host until it starts code elsewhere. */
  async run(): Promise<LoaderExit> {
    for (;;) {
      const frame = await this.#link.receive();
      const request = parseRequest(frame);
      const result = request ? await this.#handle(request) : { reason: INVALID };
      if (request) this.#link.event('command', { loader: 'rom', op: opName(request.op) });
      if (isTornBlock(frame, request)) {
        this.#lastOp = frame[1] ?? 0;
        this.#answer(new Uint8Array(0), BAD_CHECKSUM, 1);
        continue;
      }
      if (!request || !result) {
        this.#answer(new Uint8Array(0), INVALID, REPEATS);
        continue;
      }
      this.#lastOp = request.op;
      if ('reason' in result) {
        this.#answer(new Uint8Array(0), result.reason, 1);
        continue;
      }
      this.#answer(result.body ?? new Uint8Array(0), 0, result.repeat ?? 1);
      await this.#afterAnswer(request);
      if (result.exit) {
        if (result.exit.kind === 'entry' && this.#chip.isHasty) await this.#link.sleep(HASTE_MS);
        else await this.#link.drained();
        return result.exit;
      }
    }
  }

  #answer(body: Uint8Array, reason: number, times: number): void {
    const status = new Uint8Array(this.#chip.facts.rom.statusLength);
    if (reason !== 0) status.set([1, reason]);
    const frame = response(this.#lastOp, this.#value, concat(body, status));
    for (let i = 0; i < times; i++) this.#link.send(frame);
  }

  async #handle(request: Request): Promise<Result> {
    const { data } = request;
    const { rom } = this.#chip.facts;
    if (!isAllowed(request.op, this.#chip.facts, this.#protection)) return undefined;
    const beginLength = rom.encryptedWord ? 20 : 16;
    switch (request.op) {
      case OP.SYNC:
        if (!isSyncPayload(data)) return undefined;
        this.#value = u32(data, 0);
        return { repeat: REPEATS };
      case OP.READ_REG:
        if (data.length !== 4) return undefined;
        this.#value = this.#chip.registers.read(u32(data, 0));
        return {};
      case OP.WRITE_REG:
        if (data.length === 0 || data.length % 16 !== 0) return undefined;
        for (let at = 0; at < data.length; at += 16) {
          this.#chip.registers.write(u32(data, at), u32(data, at + 4), u32(data, at + 8));
        }
        return {};
      case OP.MEM_BEGIN:
        if (data.length !== 16) return undefined;
        this.#memory = { address: u32(data, 12), left: u32(data, 0) };
        return {};
      case OP.MEM_DATA:
        return this.#memData(request);
      case OP.MEM_END:
        if (data.length !== 8) return undefined;
        if (!this.#memory) return { reason: FAILED };
        this.#memory = undefined;
        return u32(data, 0) === 0 ? { exit: { kind: 'entry', address: u32(data, 4) } } : {};
      case OP.SPI_ATTACH:
        if (rom.attach !== 'command' || data.length !== 8) return undefined;
        this.#chip.registers.flashAttached = u32(data, 0) === this.#flashPins();
        return {};
      case OP.SPI_SET_PARAMS:
        if (!rom.setParams || data.length !== 24) return undefined;
        this.#flashSize = Math.min(u32(data, 4), this.#chip.flash.size);
        this.#value = 0;
        return {};
      case OP.CHANGE_BAUDRATE:
        return rom.changeBaud && data.length === 8 && u32(data, 0) > 0 ? {} : undefined;
      case OP.FLASH_BEGIN:
        return data.length === beginLength ? this.#begin(data, undefined) : undefined;
      case OP.FLASH_DEFL_BEGIN:
        if (!rom.compressed || data.length !== beginLength) return undefined;
        return this.#begin(data, new InflateStream());
      case OP.FLASH_DATA:
        return this.#flashData(request, false);
      case OP.FLASH_DEFL_DATA:
        return rom.compressed ? this.#flashData(request, true) : undefined;
      case OP.FLASH_END:
        return this.#end(data);
      case OP.FLASH_DEFL_END:
        return rom.compressed ? this.#end(data) : undefined;
      case OP.SPI_FLASH_MD5:
        return rom.md5 === 'ascii' && data.length === 16 ? this.#md5(data) : undefined;
      case OP.READ_FLASH_SLOW:
        return rom.readFlash && data.length === 8 ? this.#readSlow(data) : undefined;
      case OP.GET_SECURITY_INFO:
        if (rom.securityInfo === 0 || data.length !== 0) return undefined;
        return { body: securityInfo(rom.securityInfo, this.#chip.facts.imageChipId ?? 0, this.#protection) };
      default:
        return undefined;
    }
  }

  /** A rate changes when the answer has left, not before. */
  async #afterAnswer(request: Request): Promise<void> {
    if (request.op !== OP.CHANGE_BAUDRATE) return;
    await this.#link.drained();
    this.#link.setBaudRate(u32(request.data, 0) * this.#rateError());
  }

  /** The ROM divides the clock it believes in; a host scales its request by the same error. */
  #rateError(): number {
    const { calibration, crystalHz, romCrystalHz = crystalHz } = this.#chip.facts;
    const believed = calibration ? (calibration.value * 15625 * calibration.ck8m) / 40 : romCrystalHz;
    return crystalHz / believed;
  }

  #payload(request: Request): Uint8Array | { reason: number } | undefined {
    if (request.data.length < 16) return undefined;
    const payload = request.data.subarray(16);
    if (payload.length !== u32(request.data, 0)) return undefined;
    return checksum(payload) === (request.checksum & 0xff) ? payload : { reason: BAD_CHECKSUM };
  }

  #memData(request: Request): Result {
    const payload = this.#payload(request);
    if (!(payload instanceof Uint8Array)) return payload;
    if (!this.#memory || payload.length > this.#memory.left) return { reason: FAILED };
    this.#chip.ram.write(this.#memory.address, payload);
    this.#memory.address += payload.length;
    this.#memory.left -= payload.length;
    return {};
  }

  async #begin(data: Uint8Array, inflate: InflateStream | undefined): Promise<Result> {
    const size = u32(data, 0);
    const offset = u32(data, 12);
    if (this.#chip.facts.rom.attach === 'flash-begin') this.#chip.registers.flashAttached = true;
    if (!this.#chip.registers.flashAttached || offset + size > this.#flashSize) return { reason: FAILED };
    await this.#link.sleep(this.#chip.flash.eraseRange(offset, this.#eraseLength(offset, size)));
    const encrypted = data.length === 20 && u32(data, 16) === 1;
    if (encrypted && this.#protection.noDownloadEncryption) return { reason: FAILED };
    this.#write = { offset, end: offset + u32(data, 4) * u32(data, 8), inflate, encrypted };
    if (inflate) this.#write.end = offset + size;
    this.#value = VALUE_AFTER_FLASH;
    return {};
  }

  /** See `eraseCountsHeadTwice`: hosts ask for less than they want and get what they want. */
  #eraseLength(offset: number, size: number): number {
    if (!this.#chip.facts.rom.eraseCountsHeadTwice) return size;
    const sectors = Math.ceil(size / SECTOR_SIZE);
    const perBlock = BLOCK_SIZE / SECTOR_SIZE;
    const head = perBlock - (Math.floor(offset / SECTOR_SIZE) % perBlock);
    return (sectors < head ? 2 * sectors : sectors + head) * SECTOR_SIZE;
  }

  async #flashData(request: Request, deflated: boolean): Promise<Result> {
    const payload = this.#payload(request);
    if (!(payload instanceof Uint8Array)) return payload;
    const write = this.#write;
    if (!write || (write.inflate !== undefined) !== deflated) return { reason: FAILED };
    const pieces = write.inflate ? write.inflate.push(payload) : [payload];
    if (!pieces) return { reason: INFLATE_FAILED };
    for (const piece of pieces) {
      if (write.offset + piece.length > write.end) return { reason: FAILED };
      const stored = write.encrypted ? scramble(write.offset, piece) : piece;
      await this.#link.sleep(this.#chip.flash.program(write.offset, stored));
      write.offset += piece.length;
    }
    this.#value = VALUE_AFTER_FLASH;
    return {};
  }

  #end(data: Uint8Array): Result {
    if (data.length !== 4) return undefined;
    if (!this.#write) return { reason: FAILED };
    this.#write = undefined;
    return { exit: u32(data, 0) === 0 ? { kind: 'reboot' } : { kind: 'run-flash' } };
  }

  async #md5(data: Uint8Array): Promise<Result> {
    const offset = u32(data, 0);
    const size = u32(data, 4);
    if (!this.#chip.registers.flashAttached || offset + size > this.#flashSize) return { reason: FAILED };
    await this.#link.sleep(size * this.#chip.flash.timing.hashMsPerByte);
    const digest = createHash('md5').update(this.#chip.flash.cells.read(offset, size)).digest('hex');
    return { body: ascii(digest) };
  }

  #readSlow(data: Uint8Array): Result {
    const offset = u32(data, 0);
    const length = u32(data, 4);
    const outside = offset + length > this.#flashSize;
    if (!this.#chip.registers.flashAttached || length > SLOW_READ || outside) return { reason: FAILED };
    const body = new Uint8Array(SLOW_READ);
    body.set(this.#chip.flash.cells.read(offset, length));
    return { body };
  }
}
