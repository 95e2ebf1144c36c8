/** "MicroPython" on a message: the variant is chosen by what the chip on the port tells of itself. */
import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { readFirmware } from '../../lib/runtime/firmware.ts';
import { withBench } from '../firmware/server.ts';
import { flashPartsAt } from '../support/flash-board.ts';
import type { ChipName } from '../virtual-board/chips.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions } from '../virtual-board/launch.ts';

const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  ESP32_GENERIC: ['', 'D2WD', 'SPIRAM', 'UNICORE'],
  ESP32_GENERIC_S3: ['', 'SPIRAM_OCT'],
  ESP32_GENERIC_P4: ['', 'PRE_REV3'],
  ESP32_GENERIC_C2: ['', 'FLASH_2M'],
};

const CASES: [string, LaunchOptions & { chip: ChipName }, string, string][] = [
  ['an ESP32 that tells of nothing special', { chip: 'esp32' }, 'ESP32_GENERIC', ''],
  [
    'an ESP32 with one core',
    { chip: 'esp32', registers: [[0x3ff5a00c, 0x8201]] },
    'ESP32_GENERIC',
    'UNICORE',
  ],
  [
    'an ESP32 with RAM in its package',
    { chip: 'esp32', registers: [[0x3ff5a00c, 0x8c00]] },
    'ESP32_GENERIC',
    'SPIRAM',
  ],
  ['an ESP32-S3 with octal RAM', { chip: 'esp32s3' }, 'ESP32_GENERIC_S3', 'SPIRAM_OCT'],
  [
    'an ESP32-S3 with quad RAM',
    { chip: 'esp32s3', registers: [[0x60007054, 2 << 3]] },
    'ESP32_GENERIC_S3',
    '',
  ],
  ['an ESP32-P4 of revision 3', { chip: 'esp32p4' }, 'ESP32_GENERIC_P4', ''],
  [
    'an ESP32-P4 of revision 1',
    { chip: 'esp32p4', registers: [[0x5012d04c, 0x13]] },
    'ESP32_GENERIC_P4',
    'PRE_REV3',
  ],
];

describe('runtime: firmware for the chip found', () => {
  const bench = withBench();

  for (const [what, options, board, variant] of CASES) {
    it(`is ${[board, variant].filter(Boolean).join('-')} for ${what}`, async () => {
      const files = VARIANTS[board]!.map(
        (one) => `${[board, one].filter(Boolean).join('-')}-20251209-v1.27.0.bin`,
      );
      bench.server.file(`/download/${board}/`, files.map((file) => `<a href="/${file}">`).join(''));
      for (const file of files) {
        const banner = `MicroPython v1.27.0 on 2025-12-09\0; ${file}`;
        bench.server.file(`/${file}`, demoImage({ chip: options.chip, payloadSize: 2000, banner }).bytes);
      }
      const settings = { userDir: bench.folder, esp32FlashCatalogue: bench.server.url('/download/') };
      const reading = {
        signal: new AbortController().signal,
        progress: () => undefined,
        phase: () => undefined,
      };
      const source = await readFirmware(
        { settings } as unknown as NodeAPI,
        'MicroPython',
        { force: false },
        reading,
      );
      const device = await launchBoard({ timing: 'none', firmware: 'none', ...options });
      try {
        const { result } = await flashPartsAt(device.rfc2217, source, { dryRun: true });
        const wanted = `${[board, variant].filter(Boolean).join('-')}-20251209-v1.27.0.bin`;
        assert.equal(result.image?.micropython?.machine, wanted);
      } finally {
        await device.close();
      }
    });
  }
});
