/** The flash settings in a loader's header. The bytes behind each setting are those esptool v5.3.1 writes. */
import assert from 'node:assert/strict';
import { CHIPS } from '../../lib/esp/chips.ts';
import { recogniseFirmware } from '../../lib/esp/firmware.ts';
import { parseImage } from '../../lib/esp/image.ts';
import { checkParts, placeParts } from '../../lib/esp/place.ts';
import type { FlashSettings } from '../../lib/esp/flash-header.ts';
import { failsWith } from '../support/failures.ts';
import { flashAt } from '../support/flash-board.ts';
import type { ChipName } from '../virtual-board/chips.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';

const MB = 1024 * 1024;

function placed(name: string, chip: ChipName, settings: FlashSettings, flashSize = 4 * MB): Uint8Array {
  const { bytes } = demoImage({ chip, payloadSize: 4000 });
  const entry = CHIPS.find((one) => one.name === name)!;
  const [region] = placeParts(checkParts([{ bytes }]), { chip: entry, flashSize }, { settings }).regions;
  return region!.bytes;
}

describe('esp: flash settings in the header', () => {
  const CASES: [string, ChipName, FlashSettings, number, string][] = [
    ['ESP32', 'esp32', {}, 4, '022f'],
    ['ESP32', 'esp32', { mode: 'keep', frequency: 'keep', size: 'keep' }, 16, '022f'],
    ['ESP32', 'esp32', { size: 'detect' }, 16, '024f'],
    ['ESP32', 'esp32', { size: 'detect' }, 8, '023f'],
    ['ESP32', 'esp32', { mode: 'qio', frequency: '40m', size: '4MB' }, 4, '0020'],
    ['ESP32', 'esp32', { mode: 'dout', frequency: '26m' }, 4, '0321'],
    ['ESP32-C2', 'esp32c2', { frequency: '60m' }, 4, '022f'],
    ['ESP32-C2', 'esp32c2', { frequency: '15m' }, 4, '0222'],
    ['ESP32-C6', 'esp32c6', { frequency: '80m' }, 4, '0220'],
    ['ESP32-H2', 'esp32h2', { frequency: '48m' }, 4, '022f'],
    ['ESP8266', 'esp8266', { frequency: '40m', size: 'detect' }, 16, '0290'],
    ['ESP8266', 'esp8266', { size: '1MB' }, 4, '022f'],
  ];
  for (const [name, chip, settings, size, bytes] of CASES) {
    it(`${name} of ${size} MB with ${JSON.stringify(settings)}: ${bytes}`, () => {
      const image = placed(name, chip, settings, size * MB);
      assert.equal(Buffer.from(image.subarray(2, 4)).toString('hex'), bytes);
      // Hash and checksum are right again: else it would not be recognised.
      assert.equal(recogniseFirmware(image).kind, chip === 'esp8266' ? 'loader' : 'merged');
    });
  }

  it('changes nothing but the two bytes and the hash', () => {
    const before = demoImage({ payloadSize: 4000 }).bytes;
    const after = placed('ESP32', 'esp32', { mode: 'qio' });
    const { hashAt = 0 } = parseImage(before);
    const differing = [...before.keys()].filter((i) => before[i] !== after[i]);
    assert.ok(differing.every((i) => i === 2 || (i >= hashAt && i < hashAt + 32)));
    assert.ok(differing.length > 16);
  });

  it('refuses what the chip does not have', () => {
    const facts = { chip: 'ESP32-H2', property: 'flashFreq', found: '80m' };
    assert.throws(
      () => placed('ESP32-H2', 'esp32h2', { frequency: '80m' }),
      failsWith('bad-flash-setting', facts),
    );
  });

  it('leaves an application alone as it is', () => {
    const { bytes, offset } = demoImage({ payloadSize: 4000 });
    const app = bytes.subarray(0x10000 - offset);
    const chip = CHIPS.find(({ name }) => name === 'ESP32')!;
    const wish = { settings: { mode: 'qio' }, offset: 0x10000 };
    const [region] = placeParts(checkParts([{ bytes: app }]), { chip, flashSize: 4 * MB }, wish).regions;
    assert.equal(region?.bytes, app);
  });

  it('is what is planned, written, compared and started', async () => {
    const board = await launchBoard({ timing: 'none', bootMs: 0, firmware: 'none', flashMb: 8 });
    try {
      const { bytes, offset } = demoImage({ payloadSize: 20_000 });
      const settings = { size: 'detect', mode: 'dout' };
      const started = board.nextEvent(({ name }) => name === 'program');
      await flashAt(board.rfc2217, bytes, { settings });
      await started;
      assert.equal(Buffer.from(await board.readFlash(offset + 2, 2)).toString('hex'), '033f');
      const again = await flashAt(board.rfc2217, bytes, { settings });
      assert.equal(again.result.written, 0);
      const other = await flashAt(board.rfc2217, bytes);
      assert.deepEqual(other.result.plan.parts, [
        { offset, size: 0x1000 },
        { offset: 0x6000, size: 0x1000 },
      ]);
    } finally {
      await board.close();
    }
  });
});
