import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from 'mocha';

/** Programs tests use if they are there, and the Debian package each comes from. */
const PACKAGES = {
  socat: 'socat',
  ser2net: 'ser2net',
  stty: 'coreutils',
  python3: 'python3',
  pyserial: 'python3-serial',
  'qemu-system-arm': 'qemu-system-arm',
  'microbit-firmware': 'firmware-microbit-micropython',
} as const;

export type Program = keyof typeof PACKAGES;

/** Debian's own Python: `python3-serial` is installed for it, not for one a user may have put before it. */
export const PYTHON = '/usr/bin/python3';

/** Skips the test, or in `before` the whole suite, with the reason printed, unless the programs are there. */
export function needs(context: Context, ...programs: Program[]): void {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => PACKAGES[program]).join(' ');
  const are = missing.length === 1 ? 'is' : 'are';
  console.log(`SKIPPED: ${missing.join(', ')} ${are} not installed (apt-get install ${packages})`);
  context.skip();
}

/** The full path of a program, also where /usr/sbin is not in the PATH. */
export function programPath(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function isThere(program: Program): boolean {
  if (process.platform === 'win32') return false;
  if (program === 'python3') return existsSync(PYTHON);
  if (program === 'pyserial') return spawnSync(PYTHON, ['-c', 'import serial.rfc2217']).status === 0;
  if (program === 'microbit-firmware')
    return existsSync('/usr/share/firmware-microbit-micropython/firmware.hex');
  return programPath(program) !== undefined;
}
