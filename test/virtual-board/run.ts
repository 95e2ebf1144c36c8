/** Puts board, flash, doors and control together in this process and runs until told to end. */

import { readFileSync } from 'node:fs';
import { Board } from './board.ts';
import type { ChipName } from './chips.ts';
import { CHIPS } from './chips.ts';
import type { BoardAddresses, BoardStats, Control, FromBoard, ToBoard } from './control.ts';
import { demoImage } from './demo-image.ts';
import { PtyDoor } from './doors/pty.ts';
import { Rfc2217Door } from './doors/rfc2217-server.ts';
import { UsbDoor } from './doors/usb.ts';
import type { UsbPersonality } from './doors/usb.ts';
import { FlashFile } from './flash-file.ts';
import { NorFlash } from './nor-flash.ts';
import type { Protection } from './protection.ts';
import type { InterpreterName } from './micropython/webassembly.ts';
import { loadPrograms } from './programs.ts';

export interface RunOptions {
  chip: ChipName;
  flashMb: number;
  firmware: string;
  interpreter: InterpreterName;
  /** Built-in modules that MicroPython was made without. */
  lacks: string[];
  flashFile?: string;
  rfc2217Port?: number;
  pty: boolean;
  ptyLink?: string;
  /** The chip's own USB, shown in a folder made like `/sys` and `/dev`. */
  usb?: UsbPersonality;
  usbRoot?: string;
  mac?: Uint8Array;
  replBaud?: number;
  latencyMs: number;
  timing: 'datasheet' | 'none';
  bootMs: number;
  enRiseMs: number;
  firstSync: 'lost' | 'answered';
  seed: number;
  stubFolders: string[];
  crystalMhz?: number;
  protection: Protection;
  registers: [address: number, value: number][];
}

function installFirmware(flash: NorFlash, chip: ChipName, firmware: string): void {
  if (firmware === 'none') return;
  const image =
    firmware === 'demo'
      ? demoImage({ chip })
      : { offset: CHIPS[chip].bootloaderOffset, bytes: Uint8Array.from(readFileSync(firmware)) };
  flash.bytes.set(image.bytes, image.offset);
}

const NOTICE_MS = 10;
/** FreeRTOS, as firmware of the ESP32 has it; its driver of USB wakes the interpreter. */
const TICK_MS = 10;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Runner {
  readonly #options: RunOptions;
  readonly #board: Board;
  readonly #file: FlashFile | undefined;
  readonly #rfc2217: Rfc2217Door | undefined;
  readonly #pty: PtyDoor | undefined;
  readonly #usb: UsbDoor | undefined;

  constructor(options: RunOptions, createProgram: Awaited<ReturnType<typeof loadPrograms>>) {
    this.#options = options;
    const flash = NorFlash.blank(options.flashMb * 0x100000);
    this.#file = options.flashFile === undefined ? undefined : new FlashFile(options.flashFile, flash);
    if (!this.#file?.loaded) installFirmware(flash, options.chip, options.firmware);
    this.#board = new Board({
      ...options,
      flash,
      createProgram,
      onEvent: (event) => {
        tell({ kind: 'event', event });
        this.#usb?.event(event);
      },
    });
    if (options.rfc2217Port !== undefined) this.#rfc2217 = new Rfc2217Door(this.#board);
    if (options.usb) this.#usb = new UsbDoor(this.#board, options.usb, options.usbRoot ?? '.');
    if (options.pty) this.#pty = new PtyDoor(this.#board, options.ptyLink);
  }

  /** Opens the doors and gives the board power. */
  async plugIn(newPath = false): Promise<BoardAddresses> {
    const addresses: BoardAddresses = {};
    if (this.#rfc2217) {
      // After an unplug the same port again.
      const port = await this.#rfc2217.open(this.#rfc2217.port || (this.#options.rfc2217Port ?? 0));
      addresses.rfc2217 = `rfc2217://127.0.0.1:${port}`;
    }
    if (this.#pty) addresses.pty = await this.#pty.open(newPath);
    this.#board.powerOn();
    if (this.#usb) addresses.usb = await this.#usb.plugIn();
    return addresses;
  }

  async #pullOut(): Promise<void> {
    this.#board.powerOff();
    // The host's kernel notices a pulled plug a moment later; what was sent before still comes through.
    await wait(NOTICE_MS);
    await this.#rfc2217?.close();
    await this.#pty?.close();
    await this.#usb?.pullOut();
  }

  async close(): Promise<void> {
    await this.#pullOut();
    this.#file?.close();
  }

  async control(command: Control): Promise<unknown> {
    switch (command.do) {
      case 'pressEn':
        this.#board.circuit.holdEn(true);
        await wait(command.ms);
        this.#board.circuit.holdEn(false);
        return undefined;
      case 'holdBoot':
        this.#board.circuit.holdBoot(command.held);
        return undefined;
      case 'usbLines':
        this.#usb?.setLines(command.dtr, command.rts);
        return undefined;
      case 'unplug':
        await this.#pullOut();
        await wait(command.ms);
        return this.plugIn(command.newPath);
      case 'fault':
        this.#board.fault(command.fault);
        return undefined;
      case 'clearFaults':
        this.#board.clearFaults();
        return undefined;
      case 'readFlash':
        return this.#board.flash.cells.read(command.offset, command.length);
      case 'writeFlash':
        this.#board.flash.cells.bytes.set(command.bytes, command.offset);
        return undefined;
      case 'stats':
        return { ...this.#board.uart.stats, ...this.#board.faults.counts } satisfies BoardStats;
      case 'close':
        await this.close();
        return undefined;
    }
  }
}

/** Says something to the process that started this one; without one nobody hears it. */
export function tell(message: FromBoard): void {
  if (process.send && process.connected) process.send(message);
}

/** Runs the board; ends with its parent, with its standard input when started by a pipe, or on a signal. */
export async function runBoard(options: RunOptions): Promise<void> {
  const { interpreter, lacks } = options;
  const tickMs = options.timing === 'datasheet' && !options.usb ? TICK_MS : 0;
  const runner = new Runner(options, await loadPrograms(interpreter, lacks, tickMs));
  const end = (code: number): void => {
    void runner.close().finally(() => process.exit(code));
    // Whatever hangs must not keep the process.
    setTimeout(() => process.exit(code), 1000).unref();
  };
  process.on('disconnect', () => {
    end(0);
  });
  process.on('SIGTERM', () => {
    end(0);
  });
  process.on('SIGINT', () => {
    end(0);
  });
  process.on('message', (message: ToBoard) => {
    runner.control(message).then(
      (value) => {
        tell({ kind: 'answer', id: message.id, value });
        if (message.do === 'close') process.disconnect();
      },
      (error: unknown) => {
        tell({ kind: 'answer', id: message.id, error: String(error) });
      },
    );
  });
  const addresses = await runner.plugIn();
  if (process.connected) {
    tell({ kind: 'ready', addresses });
  } else {
    for (const address of Object.values(addresses)) console.log(address);
    if (!process.stdin.isTTY) {
      process.stdin.on('end', () => {
        end(0);
      });
      process.stdin.resume();
    }
  }
}
