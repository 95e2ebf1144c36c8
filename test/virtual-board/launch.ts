/**
 * Starts a virtual board in a process of its own and controls it. The process ends with `close()`, and
 * also when its parent is gone.
 */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BoardEvent } from './board-options.ts';
import type { ChipName } from './chips.ts';
import type { BoardAddresses, BoardStats, Control, FromBoard, ToBoard } from './control.ts';
import type { Fault } from './faults.ts';
import type { InterpreterName } from './micropython/webassembly.ts';
import type { Protection } from './protection.ts';

export interface LaunchOptions {
  /** Default `esp32`. */
  chip?: ChipName;
  flashMb?: number;
  /** `demo` (default), `none`, or the path of a merged image. */
  firmware?: string;
  /** MicroPython's build; default `usual`. */
  interpreter?: InterpreterName;
  /** Built-in modules that MicroPython was made without. */
  lacks?: string[];
  /** File that keeps the flash between runs. */
  flashFile?: string;
  /** Port of the RFC 2217 door, default any free one; `false`: no such door. */
  rfc2217?: number | false;
  /** Open a pty as well (Linux). */
  pty?: boolean;
  /** A symbolic link to the pty, the same after a replug unless asked otherwise. */
  ptyLink?: string;
  /** The chip's own USB instead: comes and goes in a folder made like `/sys` and `/dev` (Linux). */
  usb?: { kind: 'otg' | 'jtag'; root: string };
  /** Address of the chip, 12 hexadecimal digits. */
  mac?: string;
  /** Rate of the program's console, default 115200. */
  replBaud?: number;
  latencyMs?: number;
  timing?: 'datasheet' | 'none';
  bootMs?: number;
  enRiseMs?: number;
  firstSync?: 'lost' | 'answered';
  seed?: number;
  stubFolders?: string[];
  /** Another crystal than the chip usually has. */
  crystalMhz?: number;
  /** What the chip's owner has burnt. */
  protection?: Partial<Protection>;
  /** Registers with other values than the chip's own. */
  registers?: [address: number, value: number][];
}

type ControlAnswers = {
  readFlash: Uint8Array;
  stats: BoardStats;
  unplug: BoardAddresses;
};

interface Answering {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

export class VirtualBoard {
  readonly #child: ReturnType<typeof fork>;
  #addresses: BoardAddresses;
  #events: BoardEvent[] = [];
  readonly #waiters = new Set<(event: BoardEvent) => void>();
  readonly #pending = new Map<number, Answering>();
  readonly #exited: Promise<void>;
  #nextId = 1;

  constructor(child: ReturnType<typeof fork>, addresses: BoardAddresses, events: BoardEvent[]) {
    this.#child = child;
    this.#addresses = addresses;
    this.#events = events;
    child.on('message', (message: FromBoard) => {
      this.#hear(message);
    });
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => {
        for (const { reject } of this.#pending.values()) reject(new Error('the virtual board has ended'));
        this.#pending.clear();
        resolve();
      });
    });
  }

  /** `rfc2217://127.0.0.1:PORT`; empty without that door. */
  get rfc2217(): string {
    return this.#addresses.rfc2217 ?? '';
  }

  /** Path of the pty; empty without that door. */
  get pty(): string {
    return this.#addresses.pty ?? '';
  }

  /** Presses the EN button for `ms` (default 20) and lets go. */
  pressEn(ms = 20): Promise<void> {
    return this.#do({ do: 'pressEn', ms }) as Promise<void>;
  }

  /** What a driver with lines would tell a board on its own USB. */
  setUsbLines(dtr: boolean, rts: boolean): Promise<void> {
    return this.#do({ do: 'usbLines', dtr, rts }) as Promise<void>;
  }

  holdBoot(held: boolean): Promise<void> {
    return this.#do({ do: 'holdBoot', held }) as Promise<void>;
  }

  /** Off the cable for `ms`, then back (with `newPath` under another pty path). Resolves when it is back. */
  async unplug({ ms, newPath = false }: { ms: number; newPath?: boolean }): Promise<void> {
    this.#addresses = (await this.#do({ do: 'unplug', ms, newPath })) as ControlAnswers['unplug'];
  }

  fault(fault: Fault): Promise<void> {
    return this.#do({ do: 'fault', fault }) as Promise<void>;
  }

  clearFaults(): Promise<void> {
    return this.#do({ do: 'clearFaults' }) as Promise<void>;
  }

  async readFlash(offset: number, length: number): Promise<Uint8Array> {
    const bytes = (await this.#do({ do: 'readFlash', offset, length })) as ControlAnswers['readFlash'];
    return Uint8Array.from(bytes);
  }

  /** Puts bytes into the flash past all rules of NOR: for preparing a test. */
  writeFlash(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#do({ do: 'writeFlash', offset, bytes }) as Promise<void>;
  }

  async stats(): Promise<BoardStats> {
    return (await this.#do({ do: 'stats' })) as ControlAnswers['stats'];
  }

  /** What has happened so far: `reset`, `boot`, `program`, `command`, `run-code`, `baud`, `request`, … */
  log(): BoardEvent[] {
    return [...this.#events];
  }

  clearLog(): void {
    this.#events = [];
  }

  /** The next event that fits; rejects when the board ends or `timeoutMs` (default 10 s) has passed. */
  nextEvent(fits: (event: BoardEvent) => boolean, timeoutMs = 30_000): Promise<BoardEvent> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
      };
      const look = (event: BoardEvent): void => {
        if (!fits(event)) return;
        done();
        resolve(event);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`no such event of the virtual board within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiters.add(look);
    });
  }

  /** Ends the process; the flash file is written first. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const last = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.#do({ do: 'close' }).catch(() => undefined);
    await this.#exited;
    clearTimeout(last);
  }

  #hear(message: FromBoard): void {
    if (message.kind === 'event') {
      this.#events.push(message.event);
      for (const look of [...this.#waiters]) look(message.event);
    } else if (message.kind === 'answer') {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error === undefined) pending?.resolve(message.value);
      else pending?.reject(new Error(message.error));
    }
  }

  #do(control: Control): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) {
        reject(new Error('the virtual board has ended'));
        return;
      }
      this.#pending.set(id, { resolve, reject });
      this.#child.send({ ...control, id } satisfies ToBoard);
    });
  }
}

function flags(options: LaunchOptions): string[] {
  const list: string[] = [];
  const add = (flag: string, value: string | number | undefined): void => {
    if (value !== undefined) list.push(flag, String(value));
  };
  add('--chip', options.chip);
  add('--flash-mb', options.flashMb);
  add('--firmware', options.firmware);
  add('--interpreter', options.interpreter);
  for (const name of options.lacks ?? []) add('--lacks', name);
  add('--flash-file', options.flashFile);
  if (options.rfc2217 !== false) add('--rfc2217', options.rfc2217 ?? 0);
  if (options.pty) list.push('--pty');
  add('--pty-link', options.ptyLink);
  add('--usb', options.usb?.kind);
  add('--usb-root', options.usb?.root);
  add('--mac', options.mac);
  add('--repl-baud', options.replBaud);
  add('--latency', options.latencyMs);
  add('--timing', options.timing);
  add('--boot-ms', options.bootMs);
  add('--en-ms', options.enRiseMs);
  add('--first-sync', options.firstSync);
  add('--seed', options.seed);
  for (const folder of options.stubFolders ?? []) add('--stubs', folder);
  add('--crystal', options.crystalMhz);
  for (const [address, value] of options.registers ?? []) add('--register', `${address}=${value}`);
  const { secureBoot, cryptCount, secureDownload, noDownloadEncryption } = options.protection ?? {};
  add('--crypt-count', cryptCount);
  if (secureBoot) list.push('--secure-boot');
  if (secureDownload) list.push('--secure-download');
  if (noDownloadEncryption) list.push('--no-download-encryption');
  return list;
}

/** Starts a board and resolves when its doors are open and it has power. */
export function launchBoard(options: LaunchOptions = {}): Promise<VirtualBoard> {
  const child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), flags(options), {
    execPath: process.execPath,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    const events: BoardEvent[] = [];
    const onExit = (code: number | null): void => {
      reject(new Error(`the virtual board did not start (exit code ${String(code)})`));
    };
    const onMessage = (message: FromBoard): void => {
      if (message.kind === 'event') events.push(message.event);
      if (message.kind === 'failed') {
        child.off('exit', onExit);
        reject(new Error(`the virtual board did not start: ${message.message}`));
      }
      if (message.kind !== 'ready') return;
      child.off('exit', onExit);
      child.off('message', onMessage);
      resolve(new VirtualBoard(child, message.addresses, events));
    };
    child.once('exit', onExit);
    child.on('message', onMessage);
  });
}
