/** Reset sequences of the user's own, and what the chip's own USB port needs beside a reset. */
import assert from 'node:assert/strict';
import { CHIPS } from '../../lib/esp/chips.ts';
import { parseSequence, strategiesFor, usbKind } from '../../lib/esp/reset.ts';
import { withSession } from '../../lib/esp/session.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { UsbIds } from '../../lib/transport/transport.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const JTAG: UsbIds = { vendorId: '303a', productId: '1001' };
const CLASSIC = 'D0|R1|W0.1|D1|R0|W0.05|D0';

describe('esp: reset sequences of the user', () => {
  it('are read as esptool writes them', () => {
    assert.deepEqual(parseSequence(CLASSIC).steps, [
      { dtr: false, rts: false },
      { dtr: false, rts: true, waitMs: 100 },
      { dtr: true, rts: true },
      { dtr: true, rts: false, waitMs: 50 },
      { dtr: false, rts: false },
    ]);
    assert.deepEqual(parseSequence('U1,0 | W1 | W0.5').steps, [{ dtr: true, rts: false, waitMs: 1500 }]);
    assert.deepEqual(parseSequence(' none ').steps, []);
  });

  it('are refused where a command is none', () => {
    for (const text of ['', 'D2', 'D0|X1', 'W', 'W-1', 'U1', 'D0,1']) {
      assert.throws(() => parseSequence(text), failsWith('bad-reset-sequence'), text);
    }
  });
});

describe('esp: sessions by own sequence and by USB-Serial/JTAG', () => {
  let board: VirtualBoard;
  before(async () => {
    board = await launchBoard({ chip: 'esp32s3', timing: 'none' });
  });
  after(() => board.close());

  async function chipBy(options: { sequence?: string; usb?: UsbIds }): Promise<string> {
    const transport = Object.assign(await openTransport(board.rfc2217), { usb: options.usb });
    try {
      const strategies = options.sequence
        ? [parseSequence(options.sequence)]
        : strategiesFor({ kind: 'rfc2217', hasModemLines: true, platform: 'linux' });
      const { result } = await withSession(
        transport,
        {
          strategies,
          timeoutMs: 8000,
          baudRate: 921600,
          after: { baudRate: 115200, idleLines: undefined },
          signal: new AbortController().signal,
          onEvent: () => undefined,
        },
        ({ facts }) => Promise.resolve(facts.chip),
      );
      return result;
    } finally {
      await transport.close();
    }
  }

  it('reach the loader by a sequence that fits the circuit', async () => {
    assert.equal(await chipBy({ sequence: CLASSIC }), 'ESP32-S3');
  });

  it('silence the watchdogs before the stub is sent, and only there', async () => {
    const writes = async (usb: UsbIds): Promise<number> => {
      board.clearLog();
      await chipBy({ usb });
      const ops = board.log().map(({ facts }) => facts['op']);
      return ops.slice(0, ops.indexOf('MEM_BEGIN')).filter((op) => op === 'WRITE_REG').length;
    };
    assert.equal(await writes({ vendorId: '10c4', productId: 'ea60' }), 0);
    assert.equal(await writes(JTAG), 6);
  });

  it('know the port by its USB ids', () => {
    assert.equal(usbKind({ usb: JTAG }), 'usb-jtag');
    assert.equal(usbKind({ usb: { vendorId: '10c4', productId: 'ea60' } }), 'bridge');
    const [first] = strategiesFor({ kind: 'serial', hasModemLines: true, platform: 'linux', usb: JTAG });
    assert.equal(first?.name, 'USB-Serial/JTAG');
  });

  it('have a table of watchdogs for the chips with such a port that survive a reset', () => {
    const names = CHIPS.filter(({ watchdogs }) => watchdogs).map(({ name }) => name);
    const chips = ['S3', 'C3', 'C5', 'C6', 'C61', 'H2', 'H4', 'P4'];
    assert.deepEqual(
      names,
      chips.map((chip) => `ESP32-${chip}`),
    );
  });
});
