/** Which program an app's descriptor stands for. */

import { existsSync } from 'node:fs';
import type { ProgramBoot } from './board-options.ts';
import { putU32 } from './bytes.ts';
import type { ResetReason } from './chips.ts';
import { DescriptorProgram } from './descriptor-program.ts';
import { crc32 } from './image.ts';
import type { Partition } from './image.ts';
import type { NorFlash } from './nor-flash.ts';
import type { InterpreterName } from './micropython/webassembly.ts';
import type { Program, ProgramHost } from './program.ts';

interface MicroPythonOptions {
  interpreter: InterpreterName;
  lacks: readonly string[];
  tickMs: number;
  flash: NorFlash;
  vfs: { offset: number; size: number };
  version: string;
  machine: string;
  mac: Uint8Array;
  platform: string;
  resetCause: number;
}

type MicroPythonClass = new (host: ProgramHost, options: MicroPythonOptions) => Program;

const MACHINES = {
  esp32: 'Generic ESP32 module with ESP32',
  esp32s2: 'Generic ESP32S2 module with ESP32S2',
  esp32s3: 'Generic ESP32S3 module with ESP32S3',
  esp32c3: 'ESP32C3 module with ESP32C3',
  esp32c2: 'ESP32C2 module with ESP32C2',
  esp32c5: 'ESP32C5 module with ESP32C5',
  esp32c6: 'ESP32C6 module with ESP32C6',
  esp32c61: 'ESP32C61 module with ESP32C61',
  esp32h2: 'ESP32H2 module with ESP32H2',
  esp32p4: 'ESP32P4 module with ESP32P4',
  esp8266: 'ESP module with ESP8266',
} as const;

const NVS = 0x02;
const FAT = 0x81;

/** `machine.reset_cause()`; EN counts as power-on, as on the chip. */
const RESET_CAUSES: Record<ResetReason, number> = {
  'power-on': 1,
  'brown-out': 2,
  watchdog: 3,
  'rtc-watchdog': 3,
  'deep-sleep': 4,
  cpu: 5,
  software: 5,
};

/** Loads the interpreter once, before anything boots. */
export async function loadPrograms(
  interpreter: InterpreterName,
  lacks: readonly string[],
  tickMs: number,
): Promise<(host: ProgramHost, boot: ProgramBoot) => Program> {
  const source = new URL('./micropython/micropython.ts', import.meta.url);
  let MicroPython: MicroPythonClass | undefined;
  if (existsSync(source)) {
    ({ MicroPython } = (await import(source.href)) as { MicroPython: MicroPythonClass });
  }
  return (host, boot) => {
    const { descriptor, partitions, flash, mac, chip, reason } = boot;
    const vfs = partitions.find((partition) => partition.type === 1 && partition.subtype === FAT);
    if (!MicroPython || descriptor?.project !== 'micropython' || !vfs) {
      return new DescriptorProgram(host, descriptor);
    }
    initialiseSettings(flash, partitions);
    return new MicroPython(host, {
      interpreter,
      lacks,
      tickMs,
      flash,
      vfs: { offset: vfs.offset, size: vfs.size },
      version: descriptor.version,
      machine: descriptor.machine ?? MACHINES[chip.name],
      mac,
      platform: chip.imageChipId === undefined ? 'esp8266' : 'esp32',
      resetCause: RESET_CAUSES[reason],
    });
  };
}

/** ESP-IDF begins its settings when a firmware first starts. Source: "NVS", structure of a page. */
function initialiseSettings(flash: NorFlash, partitions: readonly Partition[]): void {
  const nvs = partitions.find(({ type, subtype }) => type === 1 && subtype === NVS);
  if (!nvs || flash.bytes[nvs.offset] !== 0xff) return;
  const page = new Uint8Array(32).fill(0xff);
  page.set([0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xfe]);
  putU32(page, 28, crc32(page.subarray(4, 28)));
  flash.program(nvs.offset, page);
}
