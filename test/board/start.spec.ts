/** How a board comes up after it was flashed or reset: success is only said for what was heard. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import type { Ports } from '../../lib/board/follow.ts';
import { eraseBoard, flashBoard, inspectBoard, resetBoard } from '../../lib/board/loader-jobs.ts';
import type { FlashJobResult, FlashWish, LoaderJobOptions } from '../../lib/board/loader-jobs.ts';
import { evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { checkParts } from '../../lib/esp/place.ts';
import type { MicroPythonError } from '../../lib/micropython/errors.ts';
import { listPorts } from '../../lib/transport/list.ts';
import { loadSerialBinding, openSerial } from '../../lib/transport/serial.ts';
import type { SerialBinding } from '../../lib/transport/serial-binding.ts';
import { within } from '../../lib/transport/wait.ts';
import { failsWith } from '../support/failures.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';
import { crc32 } from '../virtual-board/image.ts';

type Options = LoaderJobOptions & FlashWish;

const image = demoImage({ payloadSize: 30_000 });
const other = demoImage({ payloadSize: 30_000, seed: 3 });
const APP_AT = 0x10000;
const app = other.bytes.slice(APP_AT - other.offset);
const OPTIONS: Options = {
  baudRate: 921600,
  connectTimeoutMs: 15_000,
  erase: 'needed',
  onEvent: () => undefined,
};

describe('board: how it comes up', () => {
  let device: VirtualBoard;
  let board: Board;
  before(async () => {
    device = await launchBoard({ timing: 'none' });
    board = new Board({ port: device.rfc2217, baudRate: 115200 });
  });
  after(async () => {
    await board.close();
    await device.close();
  });
  afterEach(() => device.clearFaults());

  const flash = (bytes: Uint8Array, options: Partial<Options> = {}): Promise<FlashJobResult> =>
    flashBoard(board, checkParts([{ bytes }]), { ...OPTIONS, ...options });

  it('is told with its cause where it restarts for lack of power', async () => {
    await device.fault({ kind: 'brown-out' });
    await assert.rejects(flash(image.bytes), failsWith('boot-failed', { heard: 'brown-out' }));
    await assert.rejects(resetBoard(board, 'run', OPTIONS), failsWith('boot-failed', { heard: 'brown-out' }));
    await device.clearFaults();
    assert.equal((await flash(image.bytes)).started, 'prompt');
  });

  it('is told with its cause where nothing is found to start', async () => {
    const nowhere = { erase: 'all', offset: 0x20000, force: true } as const;
    await assert.rejects(flash(image.bytes, nowhere), failsWith('boot-failed', { heard: 'boot-loop' }));
    assert.equal((await flash(image.bytes)).started, 'prompt');
  });

  it('is told to who asks Python of a board with nothing to start, without trying all there is', async () => {
    await eraseBoard(board, { offset: 0, size: undefined }, { ...OPTIONS, force: false });
    await assert.rejects(evaluatePython(board, '1', { timeoutMs: 5000 }), (error) => {
      failsWith('no-prompt', { heard: 'boot-loop' })(error);
      assert.ok(!((error as MicroPythonError).facts['steps'] as string[]).includes('interrupt-again'));
      return true;
    });
    assert.equal((await flash(image.bytes)).started, 'prompt');
  });

  it('is told with the reason of its resets where its program restarts it', async () => {
    assert.equal((await flash(image.bytes)).started, 'prompt');
    const source = "with open('main.py', 'w') as f: f.write('import machine; machine.reset()')";
    await runPython(board, source, { timeoutMs: 10_000 });
    const facts = { heard: 'restarts', reset: '0xc (SW_CPU_RESET)' };
    await assert.rejects(flash(image.bytes), failsWith('boot-failed', facts));
    assert.equal((await flash(image.bytes, { erase: 'all' })).started, 'prompt');
  });

  it('is a failure of MicroPython, and no success of anything else, where nothing comes from it', async () => {
    const silence = { kind: 'drop', every: 1, direction: 'to-host' } as const;
    const onEvent: Options['onEvent'] = ({ kind }) => kind === 'starting' && void device.fault(silence);
    await assert.rejects(flash(image.bytes, { onEvent }), failsWith('boot-failed', { heard: 'nothing' }));
    await device.clearFaults();
    const program = demoImage({ payloadSize: 30_000, project: 'other' });
    assert.equal((await flash(program.bytes, { onEvent })).started, 'unseen');
    await device.clearFaults();
    assert.equal((await flash(image.bytes)).started, 'prompt');
  });

  it('is not told where nobody wants to know', async () => {
    assert.equal((await flash(image.bytes, { watch: 'never' })).started, 'unwatched');
  });

  it('is told by the mode it says it boots in', async () => {
    const loader = await resetBoard(board, 'loader', OPTIONS);
    assert.deepEqual([loader.bootMode, loader.started], ['0x3', undefined]);
    const run = await resetBoard(board, 'run', OPTIONS);
    assert.deepEqual([run.bootMode, run.started], ['0x13', 'prompt']);
  });

  it('is heard by who listens, also when EN ends the stay in a loader', async () => {
    const heard = Promise.withResolvers<undefined>();
    let text = '';
    const data = (bytes: Uint8Array): void => {
      text += Buffer.from(bytes).toString('latin1');
      if (text.includes('>>> ')) heard.resolve(undefined);
    };
    await resetBoard(board, 'loader', { ...OPTIONS, baudRate: 460800 });
    const listening = board.stream({ data });
    await device.pressEn();
    await within(heard.promise, { timeoutMs: 10_000, onTimeout: () => new Error(`heard ${text}`) });
    listening.close();
  });

  it('is by the firmware that is written, not by another that was started before', async () => {
    const merged = other.bytes.slice();
    merged.set(tableWithSlots(), 0x8000 - other.offset);
    await device.writeFlash(0x8000, tableWithSlots());
    await device.writeFlash(SLOTS[1]!.offset, image.bytes.slice(APP_AT - image.offset));
    await device.writeFlash(OTADATA.offset, entry(2));
    const settings = Buffer.from('files');
    await device.writeFlash(VFS.offset + 0x100000, settings);
    assert.equal((await flash(merged)).started, 'prompt');
    assert.ok((await device.readFlash(OTADATA.offset, 32)).every((byte) => byte === 0xff));
    assert.deepEqual(Buffer.from(await device.readFlash(VFS.offset + 0x100000, 5)), settings);
    assert.equal((await flash(merged)).written, 0);
  });

  it('runs an application alone that was put into the slot it starts from', async () => {
    await flash(image.bytes);
    await device.writeFlash(0x8000, tableWithSlots());
    await device.writeFlash(SLOTS[1]!.offset, image.bytes.slice(APP_AT - image.offset));
    await device.writeFlash(OTADATA.offset, entry(2));
    assert.equal((await flash(app)).started, 'prompt');
    assert.ok(Buffer.from(await device.readFlash(SLOTS[1]!.offset, app.length)).equals(app));
    // The one that does not start is left alone.
    assert.ok(!Buffer.from(await device.readFlash(SLOTS[0]!.offset, app.length)).equals(app));
    // What is put into the other slot is written, and said not to be what starts.
    assert.equal((await flash(app, { partition: SLOTS[0]!.label })).started, 'other');
    assert.ok(Buffer.from(await device.readFlash(SLOTS[0]!.offset, app.length)).equals(app));
  });
}).timeout(60_000);

describe('board: how it comes up where DTR and RTS are not wired', () => {
  let device: VirtualBoard;
  let board: Board;
  before(async function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: the pty door is for Linux');
      this.skip();
    }
    device = await launchBoard({ firmware: 'none', timing: 'none', rfc2217: false, pty: true });
    board = new Board({ port: device.pty, baudRate: 115200, ports: WITHOUT_WIRES });
  });
  after(async () => {
    await (board as Board | undefined)?.close();
    await (device as VirtualBoard | undefined)?.close();
  });

  it('is left to a person, and found again in its loader', async () => {
    const inLoader = device.nextEvent(({ name, facts }) => name === 'reset' && facts['download'] === true);
    await device.holdBoot(true);
    await device.pressEn();
    await inLoader;
    await device.holdBoot(false);
    const { started, verified } = await flashBoard(board, checkParts([{ bytes: image.bytes }]), OPTIONS);
    assert.deepEqual({ started, verified }, { started: 'press-en', verified: true });
    assert.equal((await inspectBoard(board, OPTIONS)).chip, 'ESP32');
    await device.pressEn();
    assert.equal(await evaluatePython(board, '2 + 2', { timeoutMs: 10_000 }), 4);
  });
}).timeout(60_000);

/** An adapter takes orders for lines, and nothing hangs on them. */
const WITHOUT_WIRES: Ports = {
  list: listPorts,
  open: async (port, options) => {
    const binding = await loadSerialBinding(port);
    const open: SerialBinding['open'] = async (settings) =>
      Object.assign(await binding.open(settings), { set: () => Promise.resolve() });
    return openSerial(port, port, options, {
      platform: 'linux',
      binding: { list: () => binding.list(), open },
    });
  },
};

interface Row {
  label: string;
  type: number;
  subtype: number;
  offset: number;
  size: number;
}

const OTADATA: Row = { label: 'otadata', type: 1, subtype: 0, offset: 0xd000, size: 0x2000 };
const SLOTS: Row[] = [
  { label: 'ota_0', type: 0, subtype: 0x10, offset: 0x10000, size: 0x70000 },
  { label: 'ota_1', type: 0, subtype: 0x11, offset: 0x80000, size: 0x70000 },
];
const VFS: Row = { label: 'vfs', type: 1, subtype: 0x81, offset: 0x200000, size: 0x200000 };

/** The rows one after the other, and FF behind them. */
function tableWithSlots(): Uint8Array {
  const table = Buffer.alloc(0xc00, 0xff);
  for (const [i, { label, type, subtype, offset, size }] of [OTADATA, ...SLOTS, VFS].entries()) {
    table.fill(0, i * 32, (i + 1) * 32);
    table.writeUInt16LE(0x50aa, i * 32);
    table.set([type, subtype], i * 32 + 2);
    table.writeUInt32LE(offset, i * 32 + 4);
    table.writeUInt32LE(size, i * 32 + 8);
    table.write(label, i * 32 + 12);
  }
  return table;
}

function entry(sequence: number): Uint8Array {
  const bytes = Buffer.alloc(32, 0xff);
  bytes.writeUInt32LE(sequence, 0);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 4)), 28);
  return bytes;
}
