/**
 * The chip's own USB: the board is a device on the bus, not a wire behind an adapter. A folder is made like `/sys`
 * and `/dev` of Linux, in which it comes and goes under other names and numbers, as the kernel shows it.
 *
 * `otg`: the program and the mask ROM are two devices, and each restart takes the board off the bus for a while.
 * `jtag`: the unit in the chip stays; only a reset by power, EN or a watchdog takes it off the bus.
 */

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../board.ts';
import type { BoardEvent } from '../board-options.ts';
import { PtyDoor } from './pty.ts';

export type UsbPersonality = 'otg' | 'jtag';

/** Between a restart and the port: the host asks a new device many things. */
const ENUMERATION_MS = 200;
/** MicroPython's program waits for a quarter second before it goes into the loader. */
const TOUCH_MS = 250;
const LOCATION = '1-1';
const ESPRESSIF = '303a';

interface Device {
  product: string;
  serial: string;
}

export class UsbDoor {
  readonly #board: Board;
  readonly #kind: UsbPersonality;
  readonly #root: string;
  readonly #mac: string;
  readonly #pty: PtyDoor;
  #path = '';
  #plugged = false;
  #isLoader = false;
  #downloadFlag = false;
  #lines = { dtr: false, rts: false };
  #number = 0;
  #shown: Device | undefined;
  /** One after the other, or a vanishing device would be overtaken by its return. */
  #moving: Promise<void> = Promise.resolve();

  constructor(board: Board, kind: UsbPersonality, root: string) {
    this.#board = board;
    this.#kind = kind;
    this.#root = root;
    this.#mac = Buffer.from(board.mac).toString('hex').toUpperCase();
    this.#pty = new PtyDoor(board, undefined, { hasRate: false });
    for (const folder of ['sys/class/tty', 'dev', `sys/devices/${LOCATION}/${LOCATION}:1.0`]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
  }

  /** Where the port is now, in `<root>/dev`. */
  get path(): string {
    return this.#path;
  }

  /** From now on the board is on the bus; resolves when one that is there at once has a port. */
  async plugIn(): Promise<string> {
    this.#plugged = true;
    await this.#moving;
    return this.#path;
  }

  async pullOut(): Promise<void> {
    this.#plugged = false;
    this.#hide();
    await this.#moving;
  }

  /** What the host's driver does with DTR and RTS: a message to the device, none of them a wire. */
  setLines(dtr: boolean, rts: boolean): void {
    const before = this.#lines;
    this.#lines = { dtr, rts };
    if (this.#kind === 'jtag') this.#jtagLines(dtr, rts);
    else if (this.#isLoader && rts && !dtr && !(before.rts && !before.dtr)) this.#board.resetOverUsb(false);
    else if (!this.#isLoader && before.rts && !before.dtr && dtr && !rts) {
      setTimeout(() => this.#board.enterLoader(), TOUCH_MS);
    }
  }

  /** USB-Serial/JTAG takes DTR alone for "into the loader next time", none for "not", and RTS alone for a reset. */
  #jtagLines(dtr: boolean, rts: boolean): void {
    if (!rts) this.#downloadFlag = dtr;
    else if (!dtr) this.#board.resetOverUsb(this.#downloadFlag);
  }

  /** Follows what the chip does. */
  event({ name, facts }: BoardEvent): void {
    const isLoader = facts['download'] === true;
    if (this.#kind === 'otg') {
      if (name === 'stop') this.#hide();
      if (name === 'reset') this.#isLoader = isLoader;
      if (name === 'reset' && isLoader) this.#show(this.#rom);
      if (name === 'program' && facts['project'] === 'micropython') this.#show(this.#program);
      return;
    }
    const ofWholeChip = facts['reason'] === 'power-on' || facts['reason'] === 'rtc-watchdog';
    if (name !== 'reset' || !ofWholeChip) return;
    this.#hide();
    this.#show(this.#jtag);
  }

  get #rom(): Device {
    return { product: this.#board.chip.usb?.otgRom ?? '', serial: '0' };
  }

  get #program(): Device {
    return { product: '4001', serial: this.#mac.toLowerCase() };
  }

  get #jtag(): Device {
    return { product: '1001', serial: this.#mac.replace(/..(?!$)/g, '$&:') };
  }

  #hide(): void {
    this.#shown = undefined;
    this.#move(async () => {
      if (this.#path === '') return;
      const name = `ttyACM${this.#number}`;
      rmSync(join(this.#root, 'sys/class/tty', name), { recursive: true, force: true });
      rmSync(this.#path, { force: true });
      this.#path = '';
      await this.#pty.close();
    });
  }

  #show(device: Device): void {
    this.#shown = device;
    this.#move(async () => {
      await new Promise((resolve) => setTimeout(resolve, ENUMERATION_MS));
      // It may have left again before the host was done with it.
      if (!this.#plugged || this.#shown !== device || this.#path !== '') return;
      const usb = join(this.#root, 'sys/devices', LOCATION);
      writeFileSync(join(usb, 'idVendor'), `${ESPRESSIF}\n`);
      writeFileSync(join(usb, 'idProduct'), `${device.product}\n`);
      writeFileSync(join(usb, 'serial'), `${device.serial}\n`);
      // The old name is often still taken by whoever has it open.
      this.#number = (this.#number + 1) % 4;
      const name = `ttyACM${this.#number}`;
      const path = join(this.#root, 'dev', name);
      rmSync(path, { force: true });
      symlinkSync(await this.#pty.open(true), path);
      mkdirSync(join(this.#root, 'sys/class/tty', name));
      symlinkSync(join(usb, `${LOCATION}:1.0`), join(this.#root, 'sys/class/tty', name, 'device'));
      this.#path = path;
    });
  }

  #move(step: () => Promise<void>): void {
    this.#moving = this.#moving.then(step);
  }
}
