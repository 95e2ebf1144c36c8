/** Boards on the chip's own USB: they leave the bus, come back as another device, and are flashed all the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardReset } from '../../lib/board/control-jobs.ts';
import { flashBoard, inspectBoard, resetBoard } from '../../lib/board/loader-jobs.ts';
import type { FlashJobResult, LoaderJobEvent, LoaderJobOptions } from '../../lib/board/loader-jobs.ts';
import { evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { checkParts } from '../../lib/esp/place.ts';
import { UsbBoard } from '../support/usb-board.ts';
import type { UsbSetup } from '../support/usb-board.ts';
import { holds } from '../support/flash-board.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

interface Flashed {
  result: FlashJobResult;
  events: LoaderJobEvent[];
  /** Product ids and paths before and after. */
  before: { productId?: string; path: string };
  after: { productId?: string; path: string };
  /** Why the chip was reset, in order, since the first look at its flash. */
  resets: string[];
}

const image = demoImage({ chip: 'esp32s3', seed: 7 });

function options(events: LoaderJobEvent[]): LoaderJobOptions & { erase: 'needed' } {
  return {
    baudRate: 921600,
    connectTimeoutMs: 30_000,
    erase: 'needed',
    onEvent: (event) => events.push(event),
  };
}

async function flashed(setup: UsbSetup): Promise<Flashed> {
  const usb = await UsbBoard.launch({ chip: 'esp32s3', ...setup });
  try {
    const before = await usb.port();
    const board = await usb.board();
    const events: LoaderJobEvent[] = [];
    const onEvent = (event: LoaderJobEvent): void => {
      // A host that is busy may come too late to keep a watchdog from biting while it connects, and connects again.
      if (event.kind === 'comparing' && !kinds(events).includes('comparing')) usb.device.clearLog();
      events.push(event);
    };
    try {
      const parts = checkParts([{ bytes: image.bytes }]);
      const result = await flashBoard(board, parts, { ...options(events), onEvent });
      assert.ok(await holds(usb.device, image));
      const resets = usb.device
        .log()
        .filter(({ name }) => name === 'reset')
        .map(({ facts }) => String(facts['reason']));
      return { result, events, before, after: await usb.port(), resets };
    } finally {
      await board.close();
    }
  } finally {
    await usb.close();
  }
}

/** Hold BOOT, tap EN, release BOOT when the chip has read it. */
async function enterByHand(device: VirtualBoard): Promise<void> {
  await device.holdBoot(true);
  const read = device.nextEvent(({ name }) => name === 'reset');
  await device.pressEn();
  await read;
  await device.holdBoot(false);
}

async function pull(device: VirtualBoard): Promise<void> {
  await device.holdBoot(true);
  await device.unplug({ ms: 500 });
  await device.holdBoot(false);
}

const kinds = (events: readonly LoaderJobEvent[]): string[] => [...new Set(events.map(({ kind }) => kind))];
const strategy = (events: readonly LoaderJobEvent[]): string | undefined =>
  events.find((event) => event.kind === 'connected')?.strategy;

describe('board: on USB of its own', () => {
  describe('made by the program and the mask ROM (USB-OTG)', () => {
    it('is followed into the loader and back to its program, each under another path', async () => {
      const { result, events, before, after } = await flashed({ kind: 'otg', hasLines: true });
      assert.equal(strategy(events), 'USB of the program');
      assert.ok(kinds(events).includes('coming-back'));
      assert.equal(result.started, 'prompt');
      assert.deepEqual([before.productId, after.productId], ['4001', '4001']);
      assert.notEqual(after.path, before.path);
    });

    it('is gone on with when it is pulled while it is flashed, and plugged in again with BOOT held: half a program has no port', async () => {
      const usb = await UsbBoard.launch({ chip: 'esp32s3', kind: 'otg', hasLines: true });
      await usb.port();
      const board = await usb.board();
      const events: LoaderJobEvent[] = [];
      let pulled: Promise<void> | undefined;
      try {
        const result = await flashBoard(board, checkParts([{ bytes: image.bytes }]), {
          ...options(events),
          erase: 'region',
          onEvent: (event) => {
            events.push(event);
            if (event.kind === 'writing' && event.done > event.total / 2) pulled ??= pull(usb.device);
          },
        });
        await pulled;
        assert.equal(result.started, 'prompt');
        assert.ok(await holds(usb.device, image));
      } finally {
        await board.close();
        await usb.close();
      }
    });

    it('is asked for its loader where DTR and RTS cannot be set, and restarted by its watchdog', async () => {
      const { result, events, resets } = await flashed({ kind: 'otg', hasLines: false });
      assert.equal(strategy(events), 'machine.bootloader()');
      assert.equal(result.started, 'prompt');
      assert.ok(resets.includes('rtc-watchdog'), resets.join(' '));
    });

    for (const hasLines of [true, false]) {
      it(`is restarted by its program where the lines ${hasLines ? 'lead nowhere' : 'are missing'}, and followed`, async () => {
        const usb = await UsbBoard.launch({ chip: 'esp32s3', kind: 'otg', hasLines });
        const board = await usb.board();
        try {
          await runPython(board, 'before = 1', { timeoutMs: 10_000 });
          assert.equal((await hardReset(board, { timeoutMs: 10_000 })).started, 'prompt');
          assert.equal(await evaluatePython(board, '"before" in globals()', { timeoutMs: 10_000 }), false);
        } finally {
          await board.close();
          await usb.close();
        }
      });
    }

    it('whose loader was entered by hand is not reset before, and is out of it afterwards', async () => {
      const usb = await UsbBoard.launch({ chip: 'esp32s3', kind: 'otg', hasLines: true });
      const { device } = usb;
      await usb.port();
      await enterByHand(device);
      const board = await usb.board();
      const events: LoaderJobEvent[] = [];
      try {
        assert.equal((await usb.port()).productId, '0009');
        assert.equal((await inspectBoard(board, options(events))).chip, 'ESP32-S3');
        assert.equal(strategy(events), 'by hand');
        assert.equal((await usb.port()).productId, '4001');
      } finally {
        await board.close();
        await usb.close();
      }
    });
  });

  describe('by USB-Serial/JTAG', () => {
    it('is reset by the lines, and its watchdogs do not bite while it is flashed', async () => {
      const { result, events, resets } = await flashed({ kind: 'jtag', hasLines: true });
      assert.equal(strategy(events), 'USB-Serial/JTAG');
      assert.equal(result.started, 'prompt');
      assert.ok(!resets.includes('rtc-watchdog'), resets.join(' '));
    });

    it('whose loader was entered by hand before is out of it afterwards, though the lines do not get it out', async () => {
      const usb = await UsbBoard.launch({ chip: 'esp32s3', kind: 'jtag', hasLines: true });
      await usb.port();
      await enterByHand(usb.device);
      const board = await usb.board();
      const events: LoaderJobEvent[] = [];
      try {
        const result = await flashBoard(board, checkParts([{ bytes: image.bytes }]), options(events));
        assert.equal(strategy(events), 'USB-Serial/JTAG');
        assert.equal(result.started, 'prompt');
      } finally {
        await board.close();
        await usb.close();
      }
    });

    it('without lines is asked for its loader, and restarted by its watchdog', async () => {
      const { result, events, resets } = await flashed({ kind: 'jtag', hasLines: false });
      assert.equal(strategy(events), 'machine.bootloader()');
      assert.equal(result.started, 'prompt');
      assert.deepEqual(resets, ['rtc-watchdog']);
    });

    it('without lines and without MicroPython waits for BOOT and EN, and leaves the loader by its watchdog', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'other-'));
      const firmware = join(folder, 'other.bin');
      writeFileSync(firmware, demoImage({ chip: 'esp32s3', project: 'other' }).bytes);
      const usb = await UsbBoard.launch({ chip: 'esp32s3', kind: 'jtag', hasLines: false, firmware });
      const { device } = usb;
      await usb.port();
      const board = await usb.board();
      const events: LoaderJobEvent[] = [];
      const byHand = async (event: LoaderJobEvent): Promise<void> => {
        events.push(event);
        if (event.kind === 'press-boot') await enterByHand(device);
      };
      try {
        const result = await flashBoard(board, checkParts([{ bytes: image.bytes }]), {
          ...options(events),
          onEvent: (event) => void byHand(event),
        });
        assert.equal(strategy(events), 'by hand');
        assert.equal(result.started, 'prompt');
        // The next job finds it again.
        await resetBoard(board, 'run', options([]));
      } finally {
        await board.close();
        await usb.close();
        rmSync(folder, { recursive: true });
      }
    });
  });
}).timeout(90_000);
