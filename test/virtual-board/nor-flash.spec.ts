import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BLOCK_SIZE, DATASHEET, FlashChip } from './flash-chip.ts';
import { NorFlash, SECTOR_SIZE } from './nor-flash.ts';

describe('virtual board: NOR flash', () => {
  it('only clears bits until the sector is erased', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        (first, second) => {
          const flash = NorFlash.blank(SECTOR_SIZE);
          flash.program(100, first);
          flash.program(100, second);
          const expected = second.map((byte, i) => byte & (first[i] ?? 0xff));
          assert.deepEqual(flash.read(100, 64), expected);
          flash.erase(100, 1);
          assert.ok(flash.bytes.every((byte) => byte === 0xff));
        },
      ),
    );
  });

  it('erases whole sectors and not one byte more', () => {
    const flash = NorFlash.blank(4 * SECTOR_SIZE);
    flash.bytes.fill(0);
    flash.erase(SECTOR_SIZE + 10, SECTOR_SIZE);
    const sectors = [0, 1, 2, 3].map((i) => flash.bytes[i * SECTOR_SIZE + 4095]);
    assert.deepEqual(sectors, [0, 0xff, 0xff, 0]);
  });

  it('reads on at the start past its end', () => {
    const flash = NorFlash.blank(SECTOR_SIZE);
    flash.program(0, Uint8Array.of(1, 2));
    assert.deepEqual(flash.read(SECTOR_SIZE - 1, 3), Uint8Array.of(0xff, 1, 2));
  });

  it('erases by 64 KB where that fits, in the time of the datasheet', () => {
    const chip = new FlashChip(NorFlash.blank(4 * BLOCK_SIZE), DATASHEET);
    chip.cells.bytes.fill(0);
    const ms = chip.eraseRange(BLOCK_SIZE - SECTOR_SIZE, SECTOR_SIZE + BLOCK_SIZE + 1);
    assert.equal(ms, 2 * DATASHEET.sectorEraseMs + DATASHEET.blockEraseMs);
    assert.equal(chip.cells.bytes.indexOf(0xff), BLOCK_SIZE - SECTOR_SIZE);
    assert.equal(chip.cells.bytes.lastIndexOf(0xff), 2 * BLOCK_SIZE + SECTOR_SIZE - 1);
  });

  it('keeps the old bits in a worn-out sector', () => {
    const chip = new FlashChip(NorFlash.blank(2 * SECTOR_SIZE), DATASHEET);
    chip.cells.bytes.fill(0);
    chip.wornOut.add(0);
    chip.eraseChip();
    assert.equal(chip.cells.bytes[0], 0);
    assert.equal(chip.cells.bytes[SECTOR_SIZE], 0xff);
  });
});
