/**
 * What chips tell of themselves. The expected texts are what esptool v5.3.1 printed for the same virtual boards
 * (`flash-id`); the ESP32-C6 has no entry there for packages without flash.
 */
import assert from 'node:assert/strict';
import { boardInfo } from '../../lib/esp/info.ts';
import type { BoardInfo } from '../../lib/esp/info.ts';
import { strategiesFor } from '../../lib/esp/reset.ts';
import { withSession } from '../../lib/esp/session.ts';
import type { SessionOptions } from '../../lib/esp/session.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { ChipName } from '../virtual-board/chips.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions } from '../virtual-board/launch.ts';

interface Told {
  info: BoardInfo;
  /** Rates and code the board was given. */
  log: { name: string; facts: Record<string, unknown> }[];
}

async function tell(options: LaunchOptions, session: Partial<SessionOptions> = {}): Promise<Told> {
  const board = await launchBoard({ timing: 'none', bootMs: 0, ...options });
  const transport = await openTransport(board.rfc2217);
  try {
    const { kind, hasModemLines } = transport;
    const { result } = await withSession(
      transport,
      {
        strategies: strategiesFor({ kind, hasModemLines, platform: process.platform }),
        timeoutMs: 8000,
        baudRate: 921600,
        after: { baudRate: 115200, idleLines: undefined },
        signal: new AbortController().signal,
        onEvent: () => undefined,
        ...session,
      },
      boardInfo,
    );
    return { info: result, log: board.log() };
  } finally {
    await transport.close();
    await board.close();
  }
}

interface Expected {
  chip: ChipName;
  package: string;
  revision?: string;
  features: string;
  crystal: number;
}

const CHIPS: Expected[] = [
  {
    chip: 'esp32',
    package: 'ESP32-D0WD-V3',
    revision: 'v3.0',
    features: 'Wi-Fi, BT, Dual Core + LP Core, Vref calibration in eFuse, Coding Scheme None',
    crystal: 40,
  },
  {
    chip: 'esp32s2',
    package: 'ESP32-S2',
    revision: 'v1.0',
    features:
      'Wi-Fi, Single Core, 240MHz, No Embedded Flash, No Embedded PSRAM, No calibration in BLK2 of efuse',
    crystal: 40,
  },
  {
    chip: 'esp32s3',
    package: 'ESP32-S3 (QFN56)',
    revision: 'v0.2',
    features: 'Wi-Fi, BT 5 (LE), Dual Core + LP Core, 240MHz, Embedded PSRAM 8MB (AP_1v8)',
    crystal: 40,
  },
  {
    chip: 'esp32c2',
    package: 'ESP32-C2',
    revision: 'v1.2',
    features: 'Wi-Fi, BT 5 (LE), Single Core, 120MHz, Embedded Flash 4MB (XMC)',
    crystal: 40,
  },
  {
    chip: 'esp32c3',
    package: 'ESP32-C3 (QFN32)',
    revision: 'v0.4',
    features: 'Wi-Fi, BT 5 (LE), Single Core, 160MHz, Embedded Flash 4MB (XMC)',
    crystal: 40,
  },
  {
    chip: 'esp32c5',
    package: 'ESP32-C5',
    revision: 'v1.0',
    features: 'Wi-Fi 6 (dual-band), BT 5 (LE), IEEE802.15.4, Single Core + LP Core, 240MHz',
    crystal: 48,
  },
  {
    chip: 'esp32c6',
    package: 'ESP32-C6 (QFN40)',
    revision: 'v0.1',
    features: 'Wi-Fi 6, BT 5 (LE), IEEE802.15.4, Single Core + LP Core, 160MHz, Embedded Flash 4MB',
    crystal: 40,
  },
  {
    chip: 'esp32c61',
    package: 'ESP32-C61',
    revision: 'v1.0',
    features: 'Wi-Fi 6, BT 5 (LE), Single Core, 160MHz',
    crystal: 40,
  },
  {
    chip: 'esp32h2',
    package: 'ESP32-H2',
    revision: 'v0.2',
    features: 'BT 5 (LE), IEEE802.15.4, Single Core, 96MHz',
    crystal: 32,
  },
  {
    chip: 'esp32p4',
    package: 'ESP32-P4',
    revision: 'v3.0',
    features: 'Dual Core + LP Core, 400MHz',
    crystal: 40,
  },
  { chip: 'esp8266', package: 'ESP8266EX', features: 'Wi-Fi, 160MHz', crystal: 26 },
];

const stubRan = ({ log }: Told): boolean =>
  log.some(({ name, facts }) => name === 'run-code' && facts['stub'] === true);

describe('esp: what a chip tells', () => {
  for (const { chip, features, ...expected } of CHIPS) {
    it(`of an ${chip}`, async () => {
      const told = await tell({ chip });
      const { info } = told;
      assert.equal(info.features.join(', '), features);
      const { package: name, revision, crystal } = info;
      assert.deepEqual({ package: name, revision, crystal }, { revision: undefined, ...expected });
      assert.equal(info.mac, '24:0a:c4:12:34:56');
      assert.equal(info.flashSize, 4 * 1024 * 1024);
      assert.ok(stubRan(told));
      assert.equal(info.micropython?.version, 'v1.27.0');
      if (chip === 'esp8266') return;
      assert.equal(info.security?.secureBoot, false);
      assert.deepEqual(info.application, {
        label: 'factory',
        project: 'micropython',
        version: 'v1.27.0',
        idf: 'v5.5.1',
        built: 'Jan  1 2026 12:00:00',
      });
    });
  }

  it('by the mask ROM alone, what is in the flash, too', async () => {
    const told = await tell({ chip: 'esp32' }, { stub: 'avoid' });
    assert.deepEqual(
      told.info.partitions.map(({ label }) => label),
      ['nvs', 'phy_init', 'factory', 'vfs'],
    );
    assert.equal(told.info.application?.label, 'factory');
    assert.ok(!stubRan(told));
  });

  it('leaves an ESP32-C2 of revision 0 to its ROM', async () => {
    const told = await tell({ chip: 'esp32c2', registers: [[0x60008844, 0x240a]] });
    assert.equal(told.info.revision, 'v0.0');
    assert.ok(!told.log.some(({ name }) => name === 'run-code'));
  });

  it('gives an ESP32-P4 below revision 3 a stub of its own', async () => {
    const told = await tell({ chip: 'esp32p4', registers: [[0x5012d04c, 0x13]] });
    assert.equal(told.info.revision, 'v1.3');
    assert.ok(stubRan(told));
  });

  const packages: [string, ChipName, [number, number][], string, RegExp | undefined][] = [
    ['ESP32-D2WD', 'esp32', [[0x3ff5a00c, 0x8400]], 'ESP32-D2WD', /Embedded Flash/],
    ['single-core ESP32', 'esp32', [[0x3ff5a00c, 0x8201]], 'ESP32-S0WD', /Single Core/],
    ['ESP32-PICO-V3-02', 'esp32', [[0x3ff5a00c, 0x8c00]], 'ESP32-PICO-V3-02', /Embedded PSRAM/],
    ['ESP32-S2FNR2', 'esp32s2', [[0x3f41a050, 0x10440000]], 'ESP32-S2FNR2', /Flash 4MB, Embedded PSRAM 2MB/],
    ['ESP8285', 'esp8266', [[0x3ff00050, 0x56000010]], 'ESP8285N08', /Embedded Flash/],
  ];
  for (const [what, chip, registers, name, features] of packages) {
    it(`knows an ${what} by its package`, async () => {
      const { info } = await tell({ chip, registers });
      assert.equal(info.package, name);
      if (features) assert.match(info.features.join(', '), features);
    });
  }
});
