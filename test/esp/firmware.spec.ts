/** What a firmware file is and where it goes, from its bytes alone. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { CHIPS } from '../../lib/esp/chips.ts';
import { recogniseFirmware } from '../../lib/esp/firmware.ts';
import type { Firmware } from '../../lib/esp/firmware.ts';
import { checkParts, placeParts } from '../../lib/esp/place.ts';
import type { Target, Wish } from '../../lib/esp/place.ts';
import { appDescriptorAt, parseImage } from '../../lib/esp/image.ts';
import { failsWith } from '../support/failures.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import type { ChipName } from '../virtual-board/chips.ts';

/** The place of firmware of one part. */
function placeFirmware(firmware: Firmware, target: Target, wish: Wish = {}): number | undefined {
  return placeParts([{ bytes: firmware.bytes, firmware }], target, wish).regions[0]?.offset;
}

const MB = 1024 * 1024;
const TABLE = 0x8000;
const APP = 0x10000;

/** Layout of a merged demo image, as offsets into the file. */
function layout(chip: ChipName) {
  const { offset, bytes } = demoImage({ chip, payloadSize: 20_000 });
  return { bytes, offset, table: TABLE - offset, app: APP - offset, loader: parseImage(bytes).length };
}

const chipNamed = (name: string) => CHIPS.find((chip) => chip.name === name)!;
const target = (name: string, flashSize = 4 * MB) => ({ chip: chipNamed(name), flashSize });

/** The same bytes with one bit of byte `at` turned. */
function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 0x10;
  return copy;
}

describe('esp: firmware recognised', () => {
  const names: [ChipName, string, number][] = [
    ['esp32', 'ESP32', 0x1000],
    ['esp32s2', 'ESP32-S2', 0x1000],
    ['esp32s3', 'ESP32-S3', 0],
    ['esp32c3', 'ESP32-C3', 0],
    ['esp32c6', 'ESP32-C6', 0],
  ];
  for (const [chip, name, offset] of names) {
    it(`knows a merged image for the ${name}, its offset and its partitions`, () => {
      const firmware = recogniseFirmware(layout(chip).bytes);
      assert.equal(firmware.kind, 'merged');
      assert.equal(firmware.chip?.name, name);
      assert.equal(firmware.offset, offset);
      assert.deepEqual(
        firmware.partitions?.map(({ label, offset: at, size }) => [label, at, size]),
        [
          ['nvs', 0x9000, 0x6000],
          ['phy_init', 0xf000, 0x1000],
          ['factory', 0x10000, 0x1f0000],
          ['vfs', 0x200000, 0x200000],
        ],
      );
      assert.equal(placeFirmware(firmware, target(name)), offset);
    });
  }

  it('knows an image for the ESP8266, which has a short header', () => {
    const firmware = recogniseFirmware(demoImage({ chip: 'esp8266', payloadSize: 20_000 }).bytes);
    assert.equal(firmware.chip?.name, 'ESP8266');
    assert.equal(firmware.offset, 0);
    assert.equal(placeFirmware(firmware, target('ESP8266')), 0);
  });

  it('knows an application alone, with what it says of itself', () => {
    const { bytes, app } = layout('esp32');
    const firmware = recogniseFirmware(bytes.subarray(app));
    assert.equal(firmware.kind, 'app');
    assert.equal(firmware.offset, undefined);
    assert.deepEqual(appDescriptorAt(bytes.subarray(app)), {
      project: 'micropython',
      version: 'v1.27.0',
      idf: 'v5.5.1',
      built: 'Jan  1 2026 12:00:00',
    });
    assert.equal(firmware.image.maxRevision, 399);
  });

  it('knows a loader alone', () => {
    const { bytes, loader } = layout('esp32s3');
    const firmware = recogniseFirmware(bytes.subarray(0, loader));
    assert.equal(firmware.kind, 'loader');
    assert.equal(firmware.offset, 0);
  });

  it('knows a loader with its signature, and one with padding where its place is said', () => {
    const { bytes, loader, table } = layout('esp32s3');
    const sector = 4096;
    const signature = Math.ceil(loader / sector) * sector;
    const signed = new Uint8Array(signature + sector).fill(0xff);
    signed.set(bytes.subarray(0, loader));
    signed.set([0xe7, 2], signature);
    signed.fill(0x5a, signature + 2, signature + 1216);
    assert.equal(recogniseFirmware(signed).kind, 'loader');
    const cut = signed.subarray(0, -1);
    assert.throws(() => recogniseFirmware(cut), failsWith('image-damaged', { what: 'truncated' }));
    for (const padded of [bytes.subarray(0, table), Buffer.concat([signed, Buffer.alloc(sector, 0xff)])]) {
      for (const parts of [
        checkParts([{ bytes: padded, offset: 0 }]),
        checkParts([{ bytes: padded }], { offset: 0 }),
      ]) {
        assert.equal(parts[0]?.firmware?.kind, 'loader');
      }
      assert.throws(() => recogniseFirmware(padded), failsWith('image-damaged', { what: 'truncated' }));
    }
  });

  it('finds the banner of MicroPython wherever it lies', () => {
    const { bytes } = demoImage({ banner: '', payloadSize: 20_000 });
    const app = APP - 0x1000;
    const banner = 'MicroPython v1.24.0 on 2024-10-25\0; Generic ESP32 module with ESP32\0';
    const application = appWith(bytes.subarray(app), `see MicroPython vX${banner}`);
    const { micropython } = recogniseFirmware(application);
    assert.deepEqual(micropython, { version: 'v1.24.0', machine: 'Generic ESP32 module with ESP32' });
    assert.equal(recogniseFirmware(bytes).micropython, undefined);
  });
});

/** An application with a text in its first segment, sealed again. */
function appWith(app: Uint8Array, text: string): Uint8Array {
  const copy = app.slice();
  const at = 24 + 8 + 256;
  const before = copy.slice(at, at + text.length);
  copy.set(Buffer.from(text, 'latin1'), at);
  const end = parseImage(app).length - 32;
  for (let i = 0; i < text.length; i++) copy[end - 1]! ^= before[i]! ^ copy[at + i]!;
  copy.set(createHash('sha256').update(copy.subarray(0, end)).digest(), end);
  return copy;
}

describe('esp: firmware refused', () => {
  it('says that it is empty', () => {
    assert.throws(() => recogniseFirmware(new Uint8Array()), failsWith('image-empty'));
  });

  it('names what people take for firmware', () => {
    const others: [Uint8Array | string, string][] = [
      ['PK\x03\x04 rest', 'zip archive'],
      [Uint8Array.of(0x1f, 0x8b, 8, 0), 'gzip archive'],
      ['\x7fELF\x01\x01', 'ELF program'],
      ['UF2\nWQ]\x9e', 'UF2 file'],
      [':020000040000FA', 'Intel HEX file'],
      ['<!DOCTYPE html><title>404</title>', 'web page'],
      [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff), 'ffffffff'],
      ['x', '78'],
    ];
    for (const [content, found] of others) {
      const bytes = Buffer.from(content as string, 'latin1');
      assert.throws(() => recogniseFirmware(bytes), failsWith('image-not-esp', { found }));
    }
  });

  for (const chip of ['esp32', 'esp32c3'] as const) {
    it(`finds where a merged ${chip} image was cut off`, () => {
      const { bytes, table, app, loader } = layout(chip);
      const segment = app + 24 + 8;
      const places = {
        'first byte': 1,
        'short header': 7,
        'extended header': 23,
        'segment header': 28,
        'first segment': 1000,
        'loader checksum': loader - 33,
        'loader hash': loader - 1,
        'before the table': (loader + table) / 2,
        'at the table': table,
        'in the table': table + 40,
        'before the application': table + 0x1000,
        'at the application': app,
        'header of the application': app + 10,
        'in the application': segment + 5000,
        'hash of the application': bytes.length - 1,
      };
      for (const [place, length] of Object.entries(places)) {
        const part = bytes.subarray(0, Math.floor(length));
        assert.throws(() => recogniseFirmware(part), failsWith('image-damaged'), place);
      }
    });

    it(`finds one flipped bit anywhere that counts in a merged ${chip} image`, () => {
      const { bytes, table, app, loader } = layout(chip);
      const places = {
        segments: 1,
        mode: 2,
        'flash size': 3,
        entry: 5,
        'chip id': 12,
        'segment address': 25,
        'segment length': 28,
        'loader code': 2000,
        'loader checksum': loader - 33,
        'loader hash': loader - 3,
        'table magic': table,
        'table row': table + 5,
        'table label': table + 70,
        'magic of a row': table + 33,
        'table MD5': table + 128 + 20,
        'application magic': app,
        'application header': app + 3,
        'application descriptor': app + 50,
        'application code': app + 20_000,
        'application hash': bytes.length - 1,
      };
      for (const [place, at] of Object.entries(places)) {
        assert.throws(() => recogniseFirmware(flipped(bytes, at)), failsWith('image-damaged'), place);
      }
    });
  }

  it('finds cuts and flips in an ESP8266 image', () => {
    const { bytes } = demoImage({ chip: 'esp8266', payloadSize: 20_000 });
    for (const length of [1, 7, 12, 20, 100, bytes.length - 1]) {
      assert.throws(() => recogniseFirmware(bytes.subarray(0, length)), failsWith('image-damaged'));
    }
    for (const at of [1, 13, 100, bytes.length - 1]) {
      assert.throws(() => recogniseFirmware(flipped(bytes, at)), failsWith('image-damaged'));
    }
  });

  it('lets a second, empty application slot be, and not one that is damaged', () => {
    const { bytes, app, table } = layout('esp32');
    const two = Buffer.concat([bytes, new Uint8Array(0x20000 - APP).fill(0xff)]);
    const slot = app + 0x10000;
    const row = Buffer.from(two.subarray(table + 64, table + 96));
    row[3] = 0x10;
    row.writeUInt32LE(0x20000, 4);
    two.set(row, table + 96);
    const rows = two.subarray(table, table + 128);
    two.set(createHash('md5').update(rows).digest(), table + 128 + 16);
    assert.equal(recogniseFirmware(two).kind, 'merged');
    two.fill(0xff, app + 0x8000);
    assert.throws(() => recogniseFirmware(two), failsWith('image-damaged'));
    two.set(bytes.subarray(app), app);
    two[slot] = 0x69;
    assert.throws(() => recogniseFirmware(two), failsWith('image-damaged'));
  });
});

describe('esp: firmware placed', () => {
  const merged = recogniseFirmware(layout('esp32').bytes);
  const app = recogniseFirmware(layout('esp32').bytes.subarray(layout('esp32').app));

  it('refuses the wrong chip by name, unless forced', () => {
    const facts = { image: 'ESP32', chip: 'ESP32-S3' };
    assert.throws(() => placeFirmware(merged, target('ESP32-S3')), failsWith('image-wrong-chip', facts));
    assert.equal(placeFirmware(merged, target('ESP32-S3'), { force: true }), 0x1000);
  });

  it('refuses an image of a chip that is not known', () => {
    const { bytes } = layout('esp32c3');
    const strange = bytes.slice(0, parseImage(bytes).length);
    strange[12] = 0x63;
    const end = strange.length - 32;
    strange.set(createHash('sha256').update(strange.subarray(0, end)).digest(), end);
    const firmware = recogniseFirmware(strange);
    assert.equal(firmware.chip, undefined);
    const facts = { image: 'chip id 99', chip: 'ESP32-C3' };
    assert.throws(() => placeFirmware(firmware, target('ESP32-C3')), failsWith('image-wrong-chip', facts));
  });

  it('asks where an application alone shall go', () => {
    assert.throws(() => placeFirmware(app, target('ESP32')), failsWith('image-app-only', { chip: 'ESP32' }));
    assert.equal(placeFirmware(app, target('ESP32'), { offset: 0x10000 }), 0x10000);
  });

  it('refuses an offset against the word of the image, unless forced', () => {
    const facts = { given: '0x0', expected: '0x1000' };
    assert.throws(
      () => placeFirmware(merged, target('ESP32'), { offset: 0 }),
      failsWith('offset-contradicts-image', facts),
    );
    assert.equal(placeFirmware(merged, target('ESP32'), { offset: 0, force: true }), 0);
    assert.equal(placeFirmware(merged, target('ESP32'), { offset: 0x1000 }), 0x1000);
  });

  it('takes what just fits, and refuses a byte more even when forced', () => {
    const end = 0x1000 + merged.bytes.length;
    assert.equal(placeFirmware(merged, target('ESP32', end), { force: true }), 0x1000);
    for (const force of [false, true]) {
      assert.throws(
        () => placeFirmware(merged, target('ESP32', end - 1), { force }),
        failsWith('image-too-large', { offset: '0x1000', size: merged.bytes.length, flashSize: end - 1 }),
      );
    }
  });

  it('refuses firmware whose partitions need more flash than there is, unless forced', () => {
    const small = target('ESP32', 2 * MB);
    const facts = { case: 'partition', partition: 'vfs', offset: '0x200000', flash: '2 MB' };
    assert.throws(() => placeFirmware(merged, small), failsWith('image-too-large', facts));
    assert.equal(placeFirmware(merged, small, { force: true }), 0x1000);
  });

  describe('on a chip of another revision', () => {
    const made = (min: number, max: number, old = 0) => {
      const bytes = Uint8Array.from(merged.bytes);
      const at = new DataView(bytes.buffer);
      bytes[14] = old;
      at.setUint16(15, min, true);
      at.setUint16(17, max, true);
      const { hashAt = 0 } = parseImage(merged.bytes);
      bytes.set(createHash('sha256').update(bytes.subarray(0, hashAt)).digest(), hashAt);
      return recogniseFirmware(bytes);
    };
    const on = (revision: number | undefined) => ({ ...target('ESP32'), revision });
    const cases: [string, Firmware, number, string | undefined][] = [
      ['its lowest', made(300, 399), 300, undefined],
      ['under its lowest', made(301, 399), 300, 'v3.1 or newer'],
      ['over its highest', made(0, 199), 300, 'v0.0 to v1.99'],
      ['under its lowest, said in the old way', made(0, 0, 3), 101, 'v3.0 or newer'],
      ['under its lowest, said in the old way without a maximum', made(0, 0xffff, 2), 101, 'v2.0 or newer'],
      ['its lowest, said in the old way', made(0, 0, 1), 101, undefined],
    ];
    for (const [what, firmware, revision, needed] of cases) {
      it(`${needed ? 'refuses' : 'takes'} ${what}`, () => {
        const place = (): unknown => placeFirmware(firmware, on(revision));
        if (needed) assert.throws(place, failsWith('image-wrong-revision', { needed, chip: 'ESP32' }));
        else assert.equal(place(), 0x1000);
        assert.equal(placeFirmware(firmware, on(revision), { force: true }), 0x1000);
        assert.equal(placeFirmware(firmware, on(undefined)), 0x1000);
      });
    }

    it('counts the old way of the C3 as a minor revision', () => {
      const { bytes } = layout('esp32c3');
      bytes[14] = 3;
      new DataView(bytes.buffer).setUint32(15, 0xffff0000, true);
      const { hashAt = 0 } = parseImage(layout('esp32c3').bytes);
      bytes.set(createHash('sha256').update(bytes.subarray(0, hashAt)).digest(), hashAt);
      assert.equal(parseImage(bytes).minRevision, 3);
    });
  });
});
