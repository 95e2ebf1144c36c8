/** MicroPython's catalogue: which file is chosen for which board, from pages as micropython.org has them. */
import assert from 'node:assert/strict';
import { parseCatalogueName } from '../../lib/firmware/catalogue.ts';
import type { CatalogueTarget } from '../../lib/firmware/catalogue.ts';
import { sha256Of } from '../../lib/bytes/sha256.ts';
import { firmwareSource } from '../../lib/firmware/source.ts';
import type { FirmwarePart, SourceOptions } from '../../lib/firmware/source.ts';
import { refuses, withBench } from './server.ts';

const MB = 1024 * 1024;
const HASH = 'g932f76c6b';

/** A board's page: links to releases and previews of each variant, to ELF, map and application files. */
function page(board: string, variants: readonly string[], releases: readonly string[]): string {
  const rows = variants.flatMap((variant) =>
    [...releases, `20260619-v1.30.0-preview.12.${HASH}`, '20210902-unstable-v1.17-2-gabcdef'].flatMap(
      (release) => {
        const file = `/resources/firmware/${[board, variant, release].filter(Boolean).join('-')}`;
        return [
          `<strong><a href="${file}.bin">${release} .bin</a></strong>`,
          ...['.app-bin', '.elf', '.map', '.uf2'].map((end) => `<a href="${file}${end}">[${end}]</a>`),
        ];
      },
    ),
  );
  return `<!doctype html><html><body><a href="/download/">all</a>${rows.join('\n')}</body></html>`;
}

const RELEASES = ['20251209-v1.27.0', '20241129-v1.24.1', '20241025-v1.24.0', '20220117-v1.18'];

describe('firmware: catalogue names', () => {
  const NAMES: readonly [string, ReturnType<typeof parseCatalogueName>][] = [
    ['MicroPython', {}],
    ['  micropython:latest ', {}],
    ['MicroPython newest', {}],
    ['micropython: stable', {}],
    ['MicroPython 1.24.0', { version: [1, 24, 0] }],
    ['MICROPYTHON v1.24', { version: [1, 24] }],
    [
      'micropython:1.24.0/ESP32_GENERIC-SPIRAM',
      { version: [1, 24, 0], board: 'ESP32_GENERIC', variant: 'SPIRAM' },
    ],
    ['micropython/LOLIN_C3_MINI', { board: 'LOLIN_C3_MINI' }],
    ['micropython:latest/nanos3', { board: 'nanos3' }],
    ['./micropython', undefined],
    ['micropython.bin', undefined],
    ['micropython-1.24.0', undefined],
    ['micropython 1', undefined],
    ['micropython files/x.bin', undefined],
    ['micropython/../x', undefined],
    ['micropython/a/b', undefined],
    ['circuitpython', undefined],
    ['', undefined],
  ];
  for (const [text, name] of NAMES) {
    it(`reads "${text}"`, () => assert.deepEqual(parseCatalogueName(text), name));
  }
});

describe('firmware: catalogue', () => {
  const bench = withBench();

  /** Puts a board's page on the server, and behind each link a file that holds its own name. */
  function offer(board: string, variants: readonly string[], releases: readonly string[] = RELEASES): void {
    const html = page(board, variants, releases);
    bench.server.file(`/download/${board}/`, html);
    for (const [, path = ''] of html.matchAll(/href="([^"]+\.bin)"/g))
      bench.server.file(path, path.split('/')[3]!);
  }

  async function load(
    name: string,
    target: CatalogueTarget,
    changes: Partial<SourceOptions> = {},
  ): Promise<FirmwarePart[]> {
    const source = await firmwareSource(name, bench.options(changes));
    assert.ok(source.kind === 'for-chip');
    return source.load(target, new AbortController().signal);
  }

  beforeEach(() => {
    offer('ESP32_GENERIC', ['', 'D2WD', 'SPIRAM', 'UNICORE', 'OTA']);
    offer('ESP32_GENERIC_S3', ['', 'SPIRAM_OCT']);
    offer('ESP32_GENERIC_C2', ['', 'FLASH_2M']);
    offer('ESP32_GENERIC_P4', ['', 'C6_WIFI', 'PRE_REV3', 'PRE_REV3_C6_WIFI'], ['20251209-v1.27.0']);
    offer('ESP8266_GENERIC', ['', 'FLASH_1M', 'FLASH_512K']);
    offer('LOLIN_C3_MINI', ['']);
  });

  const CHOICES: readonly [string, CatalogueTarget, string][] = [
    ['MicroPython', { chip: 'ESP32', flashSize: 4 * MB }, 'ESP32_GENERIC-20251209-v1.27.0.bin'],
    ['MicroPython', { chip: 'ESP32', flashSize: 4 * MB, psram: false }, 'ESP32_GENERIC-20251209-v1.27.0.bin'],
    [
      'MicroPython',
      { chip: 'ESP32', flashSize: 4 * MB, psram: true },
      'ESP32_GENERIC-SPIRAM-20251209-v1.27.0.bin',
    ],
    [
      'MicroPython',
      { chip: 'ESP32', flashSize: 4 * MB, features: ['Wi-Fi', 'Single Core + LP Core'], psram: 'quad' },
      'ESP32_GENERIC-UNICORE-20251209-v1.27.0.bin',
    ],
    [
      'MicroPython',
      { chip: 'ESP32', flashSize: 4 * MB, features: ['Wi-Fi', 'Dual Core + LP Core'] },
      'ESP32_GENERIC-20251209-v1.27.0.bin',
    ],
    ['MicroPython', { chip: 'ESP32', flashSize: 2 * MB }, 'ESP32_GENERIC-D2WD-20251209-v1.27.0.bin'],
    [
      'MicroPython',
      { chip: 'ESP32-S3', flashSize: 8 * MB, psram: true },
      'ESP32_GENERIC_S3-20251209-v1.27.0.bin',
    ],
    [
      'MicroPython',
      { chip: 'ESP32-S3', flashSize: 16 * MB, psram: 'octal' },
      'ESP32_GENERIC_S3-SPIRAM_OCT-20251209-v1.27.0.bin',
    ],
    ['MicroPython', { chip: 'ESP32-S3', flashSize: 4 * MB }, 'ESP32_GENERIC_S3-20251209-v1.27.0.bin'],
    [
      'MicroPython',
      { chip: 'ESP32-C2', flashSize: 2 * MB },
      'ESP32_GENERIC_C2-FLASH_2M-20251209-v1.27.0.bin',
    ],
    ['MicroPython', { chip: 'ESP32-C2', flashSize: 4 * MB }, 'ESP32_GENERIC_C2-20251209-v1.27.0.bin'],
    ['MicroPython', { chip: 'ESP8266', flashSize: MB }, 'ESP8266_GENERIC-FLASH_1M-20251209-v1.27.0.bin'],
    ['MicroPython', { chip: 'ESP8266', flashSize: 4 * MB }, 'ESP8266_GENERIC-20251209-v1.27.0.bin'],
    [
      'MicroPython',
      { chip: 'ESP32-P4', revision: 103, flashSize: 16 * MB },
      'ESP32_GENERIC_P4-PRE_REV3-20251209-v1.27.0.bin',
    ],
    [
      'MicroPython',
      { chip: 'ESP32-P4', revision: 300, flashSize: 16 * MB },
      'ESP32_GENERIC_P4-20251209-v1.27.0.bin',
    ],
    ['MicroPython 1.24.0', { chip: 'ESP32', flashSize: 4 * MB }, 'ESP32_GENERIC-20241025-v1.24.0.bin'],
    ['MicroPython 1.24', { chip: 'ESP32', flashSize: 4 * MB }, 'ESP32_GENERIC-20241129-v1.24.1.bin'],
    ['MicroPython 1.18.0', { chip: 'ESP32', flashSize: 4 * MB }, 'ESP32_GENERIC-20220117-v1.18.bin'],
    [
      'micropython:latest/ESP32_GENERIC-OTA',
      { chip: 'ESP32', flashSize: 4 * MB, psram: true },
      'ESP32_GENERIC-OTA-20251209-v1.27.0.bin',
    ],
    [
      'micropython/ESP32_GENERIC',
      { chip: 'ESP32', flashSize: 4 * MB, psram: true },
      'ESP32_GENERIC-SPIRAM-20251209-v1.27.0.bin',
    ],
    [
      'micropython/LOLIN_C3_MINI',
      { chip: 'ESP32-C3', flashSize: 4 * MB },
      'LOLIN_C3_MINI-20251209-v1.27.0.bin',
    ],
  ];
  for (const [name, target, file] of CHOICES) {
    it(`${name} for ${JSON.stringify(target)}: ${file}`, async () => {
      const [part, ...more] = await load(name, target);
      assert.equal(part?.name, file);
      assert.equal(Buffer.from(part.bytes).toString(), file);
      assert.equal(part.offset, undefined);
      assert.equal(more.length, 0);
    });
  }

  it('takes the standard firmware of a version that had no variant yet', async () => {
    offer('ESP32_GENERIC_P4', [''], ['20250809-v1.26.0']);
    const [part] = await load('MicroPython', { chip: 'ESP32-P4', revision: 1, flashSize: 16 * MB });
    assert.equal(part?.name, 'ESP32_GENERIC_P4-20250809-v1.26.0.bin');
  });

  it('does not take a standard firmware for a flash that is too small for it', async () => {
    offer('ESP32_GENERIC_C2', ['']);
    await refuses(load('MicroPython', { chip: 'ESP32-C2', flashSize: 2 * MB }), 'not-in-catalogue');
  });

  it('tells which versions there are when the one named is not', async () => {
    await refuses(load('MicroPython 1.25.0', { chip: 'ESP32', flashSize: 4 * MB }), 'not-in-catalogue', {
      wanted: 'MicroPython 1.25.0 for ESP32_GENERIC',
      available: ['1.27.0', '1.24.1', '1.24.0', '1.18.0'],
      url: bench.server.url('/download/ESP32_GENERIC/'),
    });
  });

  it('tells that there is no such board, variant or chip', async () => {
    const target = { chip: 'ESP32', flashSize: 4 * MB };
    await refuses(load('micropython/NO_SUCH_BOARD', target), 'not-in-catalogue');
    await refuses(load('micropython/ESP32_GENERIC-SPRAM', target), 'not-in-catalogue');
    await refuses(load('micropython', { ...target, chip: 'ESP32-H4' }), 'not-in-catalogue', {
      wanted: 'MicroPython for ESP32-H4',
    });
  });

  it('refuses a name it cannot read', async () => {
    await refuses(firmwareSource('micropython:1.x', bench.options()), 'source-unusable');
  });

  it('reads a list in JSON as well, at a place of its own', async () => {
    const list = [
      {
        family: 'esp32',
        info_url: 'https://micropython.org/download/ESP32_GENERIC',
        downloads: [
          { version: '1.27.0', url: bench.server.url('/fw/ESP32_GENERIC-20251209-v1.27.0.bin') },
          { version: '1.26.0', url: bench.server.url('/fw/ESP32_GENERIC-20250809-v1.26.0.bin') },
        ],
      },
    ];
    bench.server.file('/variants.json', JSON.stringify(list, undefined, 4));
    bench.server.file('/fw/ESP32_GENERIC-20251209-v1.27.0.bin', 'newest');
    const target = { chip: 'ESP32', flashSize: 4 * MB };
    const [part] = await load('MicroPython', target, { catalogueUrl: bench.server.url('/variants.json') });
    assert.equal(Buffer.from(part!.bytes).toString(), 'newest');
    bench.server.file('/of/ESP32_GENERIC.html', page('ESP32_GENERIC', [''], RELEASES));
    const [other] = await load('MicroPython', target, { catalogueUrl: bench.server.url('/of/{board}.html') });
    assert.equal(other?.name, 'ESP32_GENERIC-20251209-v1.27.0.bin');
  });

  it('asks a class of boards for page and file once, and works without a network then', async () => {
    const target = { chip: 'ESP32', flashSize: 4 * MB };
    const all = await Promise.all(Array.from({ length: 20 }, () => load('MicroPython', target)));
    assert.equal(all.length, 20);
    assert.equal(bench.server.count('/download/ESP32_GENERIC/'), 1);
    assert.equal(bench.server.count('/resources/firmware/ESP32_GENERIC-20251209-v1.27.0.bin'), 1);
    await bench.server.stop();
    const [part] = await load('MicroPython', target);
    assert.equal(part?.name, 'ESP32_GENERIC-20251209-v1.27.0.bin');
  });

  it('checks a SHA-256 of the firmware, not of the page', async () => {
    const target = { chip: 'ESP32', flashSize: 4 * MB };
    const sha256 = sha256Of(Buffer.from('ESP32_GENERIC-20251209-v1.27.0.bin'));
    assert.equal((await load('MicroPython', target, { sha256 })).length, 1);
    await refuses(load('MicroPython', target, { sha256: '0'.repeat(64) }), 'download-hash');
  });

  it('does not follow a link to anything but the web', async () => {
    bench.server.file('/download/BOARD/', '<a href="file:///etc/BOARD-20251209-v1.27.0.bin">x</a>');
    await refuses(load('micropython/BOARD', { chip: 'ESP32', flashSize: 4 * MB }), 'not-in-catalogue');
  });

  it('ends when it is aborted', async () => {
    bench.server.on('/download/ESP32_GENERIC/', () => undefined);
    const source = await firmwareSource('MicroPython', bench.options());
    assert.ok(source.kind === 'for-chip');
    const signal = AbortSignal.timeout(50);
    await assert.rejects(source.load({ chip: 'ESP32', flashSize: 4 * MB }, signal), { name: 'TimeoutError' });
  });
});
