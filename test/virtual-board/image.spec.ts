import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import { bootFlash, resetText } from './boot.ts';
import type { Boot } from './boot.ts';
import { putU32 } from './bytes.ts';
import { CHIPS } from './chips.ts';
import type { ChipName } from './chips.ts';
import { demoImage } from './demo-image.ts';
import { appDescriptor, crc32, isImage, readImage, readPartitions } from './image.ts';

const esp32 = CHIPS.esp32;
const SIZE = 0x400000;

function flashWith(options: Parameters<typeof demoImage>[0] = {}): Uint8Array {
  const flash = new Uint8Array(SIZE).fill(0xff);
  const image = demoImage({ payloadSize: 4000, ...options });
  flash.set(image.bytes, image.offset);
  return flash;
}

function loops(boot: Boot, text: RegExp, reason: string): void {
  assert.match(boot.text, text);
  assert.deepEqual({ ...boot.outcome, afterMs: 0 }, { kind: 'loop', reason, afterMs: 0 });
}

describe('virtual board: images', () => {
  it('accepts the demo image of every chip at its bootloader offset', () => {
    for (const chip of Object.keys(CHIPS) as ChipName[]) {
      const boot = bootFlash(CHIPS[chip], flashWith({ chip }));
      assert.ok(boot.outcome.kind === 'program', chip);
      assert.equal(boot.outcome.descriptor?.project, 'micropython', chip);
    }
  });

  it('prints what the ROM prints on its way to the program', () => {
    const text = resetText(esp32, 'power-on', false) + bootFlash(esp32, flashWith()).text;
    assert.equal(
      text,
      [
        'ets Jul 29 2019 12:21:46',
        '',
        'rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)',
        'configsip: 0, SPIWP:0xee',
        'clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00',
        'mode:DIO, clock div:2',
        'load:0x3fff0030,len:4892',
        'ho 0 tail 12 room 4',
        'load:0x40078000,len:14896',
        'load:0x40080400,len:4',
        'load:0x40080404,len:3372',
        'entry 0x400805b0',
        '',
      ].join('\r\n'),
    );
  });

  it('compresses as real firmware does', () => {
    const { bytes } = demoImage();
    const ratio = deflateSync(bytes, { level: 9 }).length / bytes.length;
    assert.ok(ratio > 0.55 && ratio < 0.75, String(ratio));
  });

  it('holds the descriptor and the partitions of ESP32_GENERIC', () => {
    const flash = flashWith({ project: 'blinky', version: 'v0.3' });
    const app = readImage(flash, 0x10000, esp32);
    assert.ok(isImage(app));
    assert.equal(appDescriptor(app)?.project, 'blinky');
    assert.equal(appDescriptor(app)?.version, 'v0.3');
    const partitions = readPartitions(flash);
    assert.ok(Array.isArray(partitions));
    assert.deepEqual(
      partitions.map(({ label, offset, size }) => [label, offset, size]),
      [
        ['nvs', 0x9000, 0x6000],
        ['phy_init', 0xf000, 0x1000],
        ['factory', 0x10000, 0x1f0000],
        ['vfs', 0x200000, 0x200000],
      ],
    );
  });

  it('knows MicroPython by its banner when the descriptor has no name, as in releases', () => {
    const flash = flashWith({
      project: '',
      banner: 'MicroPython v1.24.0 on 2024-10-25\0; Generic ESP32 module with ESP32\0',
    });
    const { outcome } = bootFlash(esp32, flash);
    assert.ok(outcome.kind === 'program');
    const { project, version, machine } = outcome.descriptor ?? {};
    assert.deepEqual(
      { project, version, machine },
      { project: 'micropython', version: 'v1.24.0', machine: 'Generic ESP32 module with ESP32' },
    );
  });

  it('loops on an empty flash as the ROM does', () => {
    const boot = bootFlash(esp32, new Uint8Array(SIZE).fill(0xff));
    loops(boot, /^invalid header: 0xffffffff\r\n/, 'rtc-watchdog');
    assert.match(resetText(esp32, 'rtc-watchdog', false), /rst:0x10 \(RTCWDT_RTC_RESET\)/);
  });

  it('loops on an image that lies at the offset of another chip', () => {
    const flash = new Uint8Array(SIZE).fill(0xff);
    flash.set(demoImage({ payloadSize: 4000 }).bytes, 0);
    loops(bootFlash(esp32, flash), /invalid header/, 'rtc-watchdog');
  });

  it('refuses a bootloader with one flipped bit', () => {
    const flash = flashWith();
    flash[0x1100]! ^= 1;
    loops(bootFlash(esp32, flash), /csum err:0x/, 'rtc-watchdog');
  });

  it('refuses the bootloader of another chip', () => {
    loops(bootFlash(CHIPS.esp32s2, flashWith({ chip: 'esp32' })), /flash read err/, 'rtc-watchdog');
  });

  it('refuses a damaged partition table', () => {
    const flash = flashWith();
    flash[0x8004]! ^= 1;
    loops(bootFlash(esp32, flash), /MD5 checksums for partition table/, 'software');
    flash.fill(0xff, 0x8000, 0x9000);
    loops(bootFlash(esp32, flash), /invalid magic number 0xffff/, 'software');
  });

  it('refuses an app whose hash or checksum is wrong, and says so', () => {
    const checksum = flashWith();
    checksum[0x10800]! ^= 1;
    loops(bootFlash(esp32, checksum), /Checksum failed[^]*No bootable app/, 'software');
    const hash = flashWith();
    hash[0x1000a]! ^= 1;
    loops(bootFlash(esp32, hash), /Image hash failed/, 'software');
    const missing = flashWith();
    missing.fill(0xff, 0x10000);
    loops(bootFlash(esp32, missing), /image at 0x10000 has invalid magic byte/, 'software');
  });

  it('takes the OTA slot that otadata names', () => {
    const flash = flashWith();
    const app = flash.slice(0x10000, 0x20000);
    const row = (at: number, type: number, subtype: number, offset: number, size: number): void => {
      flash.fill(0, at, at + 32);
      flash.set([0xaa, 0x50, type, subtype], at);
      putU32(flash, at + 4, offset);
      putU32(flash, at + 8, size);
    };
    flash.fill(0xff, 0x8000, 0x9000);
    row(0x8000, 1, 0, 0xd000, 0x2000);
    row(0x8020, 0, 0x10, 0x10000, 0x100000);
    row(0x8040, 0, 0x11, 0x110000, 0x100000);
    flash.set(app, 0x110000);
    const second = Uint8Array.of(2, 0, 0, 0);
    flash.set(second, 0xd000);
    putU32(flash, 0xd000 + 28, crc32(second));
    const chosen = (): number | undefined => {
      const { outcome } = bootFlash(esp32, flash);
      return outcome.kind === 'program' ? outcome.app?.offset : undefined;
    };
    assert.equal(chosen(), 0x110000);
    flash[0xd000 + 28]! ^= 1;
    assert.equal(chosen(), 0x10000, 'an entry with a wrong CRC does not count');
  });
});
