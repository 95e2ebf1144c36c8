/**
 * The virtual board as a process of its own. `launch.ts` starts it for tests; by hand:
 *
 *   npx node test/virtual-board/main.ts --rfc2217 4000 --firmware demo
 *
 * --chip NAME          esp32 (default), esp32s2, esp32s3, esp32c2, …; the names of `chips.ts`
 * --flash-file PATH    keep the flash in this file
 * --flash-mb N         size of the flash, default 4
 * --firmware X         demo (default), none, or the path of a merged image
 * --lacks NAME         a built-in module that MicroPython was made without (repeatable)
 * --interpreter X      MicroPython's build: usual (default), newest or oldest
 * --rfc2217 PORT       open the RFC 2217 door on 127.0.0.1 (0: any free port)
 * --pty                open a pty (Linux); --pty-link PATH: a stable name for it
 * --usb KIND           otg or jtag: the chip's own USB, in a folder made like /sys and /dev: --usb-root DIR
 * --mac HEX            address of the chip, 12 digits
 * --repl-baud N        rate of the program's console, default 115200
 * --latency MS         USB adapter's latency timer, default 1; 0: none
 * --timing MODE        of the flash, and of an interpreter that waits for its UART: datasheet (default) or none
 * --boot-ms MS         silence before the program's first output, default 300
 * --en-ms MS           rise time of EN, default 5. Hosts that move DTR and RTS in separate round trips
 *                      (pyserial's rfc2217) reach the loader with 100, as on boards with a large capacitor
 * --first-sync X       lost (default) or answered
 * --seed N             for the faults
 * --stubs DIR          official stubs of another release (repeatable)
 * --register A=V       a register with another value, e.g. a fuse word of another revision (repeatable)
 * --crystal MHZ        another crystal than the chip usually has
 * --secure-boot        Secure Boot V2 is on
 * --crypt-count N      flash encryption: on while N has an odd number of bits
 * --no-download-encryption   the chip no longer encrypts what is written in download mode
 * --secure-download    Secure Download Mode is on
 */

import { parseArgs } from 'node:util';
import { runBoard, tell } from './run.ts';
import type { RunOptions } from './run.ts';
import type { ChipName } from './chips.ts';
import { CHIPS } from './chips.ts';

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (!found) throw new Error(`--${name}: ${value} is none of ${allowed.join(', ')}`);
  return found;
}

function number(name: string, value: string): number {
  const parsed = Number(value);
  if (!Number.isFinite(parsed) || parsed < 0) throw new Error(`--${name}: ${value} is not a number`);
  return parsed;
}

function options(): RunOptions {
  const { values } = parseArgs({
    options: {
      chip: { type: 'string', default: 'esp32' },
      'flash-file': { type: 'string' },
      'flash-mb': { type: 'string', default: '4' },
      firmware: { type: 'string', default: 'demo' },
      interpreter: { type: 'string', default: 'usual' },
      lacks: { type: 'string', multiple: true, default: [] },
      rfc2217: { type: 'string' },
      pty: { type: 'boolean', default: false },
      'pty-link': { type: 'string' },
      usb: { type: 'string' },
      'usb-root': { type: 'string' },
      mac: { type: 'string' },
      'repl-baud': { type: 'string' },
      latency: { type: 'string', default: '1' },
      timing: { type: 'string', default: 'datasheet' },
      'boot-ms': { type: 'string', default: '300' },
      'en-ms': { type: 'string', default: '5' },
      'first-sync': { type: 'string', default: 'lost' },
      seed: { type: 'string', default: '1' },
      stubs: { type: 'string', multiple: true, default: [] },
      register: { type: 'string', multiple: true, default: [] },
      crystal: { type: 'string' },
      'secure-boot': { type: 'boolean', default: false },
      'crypt-count': { type: 'string', default: '0' },
      'no-download-encryption': { type: 'boolean', default: false },
      'secure-download': { type: 'boolean', default: false },
    },
  });
  return {
    chip: oneOf('chip', values.chip, Object.keys(CHIPS) as ChipName[]),
    flashMb: number('flash-mb', values['flash-mb']),
    firmware: values.firmware,
    lacks: values.lacks,
    interpreter: oneOf('interpreter', values.interpreter, ['usual', 'newest', 'oldest']),
    ...(values['flash-file'] !== undefined && { flashFile: values['flash-file'] }),
    ...(values.rfc2217 !== undefined && { rfc2217Port: number('rfc2217', values.rfc2217) }),
    ...(values.crystal !== undefined && { crystalMhz: number('crystal', values.crystal) }),
    pty: values.pty || values['pty-link'] !== undefined,
    ...(values['pty-link'] !== undefined && { ptyLink: values['pty-link'] }),
    ...(values.usb !== undefined && { usb: oneOf('usb', values.usb, ['otg', 'jtag']) }),
    ...(values['usb-root'] !== undefined && { usbRoot: values['usb-root'] }),
    ...(values.mac !== undefined && { mac: Uint8Array.from(Buffer.from(values.mac, 'hex')) }),
    ...(values['repl-baud'] !== undefined && { replBaud: number('repl-baud', values['repl-baud']) }),
    latencyMs: number('latency', values.latency),
    timing: oneOf('timing', values.timing, ['datasheet', 'none']),
    bootMs: number('boot-ms', values['boot-ms']),
    enRiseMs: number('en-ms', values['en-ms']),
    firstSync: oneOf('first-sync', values['first-sync'], ['lost', 'answered']),
    seed: number('seed', values.seed),
    stubFolders: values.stubs,
    registers: values.register.map((text) => {
      const [address = '', value = ''] = text.split('=');
      return [number('register', address), number('register', value)];
    }),
    protection: {
      secureBoot: values['secure-boot'],
      cryptCount: number('crypt-count', values['crypt-count']),
      secureDownload: values['secure-download'],
      noDownloadEncryption: values['no-download-encryption'],
    },
  };
}

try {
  await runBoard(options());
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.exitCode = 2;
  if (process.connected) {
    tell({ kind: 'failed', message });
    process.disconnect();
  } else {
    console.error(message);
  }
}
