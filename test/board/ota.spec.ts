/** Boards with several places for a program: what was flashed is what starts, or it is said that it is not. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { flashBoard } from '../../lib/board/loader-jobs.ts';
import type { FlashJobResult } from '../../lib/board/loader-jobs.ts';
import { parseImage } from '../../lib/esp/image.ts';
import { checkParts } from '../../lib/esp/place.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

type Options = Parameters<typeof flashBoard>[2];
type Parts = Parameters<typeof checkParts>[0];

const TABLE = 0x8000;
const OTADATA = 0xd000;
const OTA_0 = 0x10000;
const OTA_1 = 0x190000;
const ROWS: readonly (readonly [label: string, type: number, subtype: number, at: number, size: number])[] = [
  ['nvs', 1, 2, 0x9000, 0x4000],
  ['otadata', 1, 0, OTADATA, 0x2000],
  ['ota_0', 0, 0x10, OTA_0, 0x180000],
  ['ota_1', 0, 0x11, OTA_1, 0x180000],
  ['vfs', 1, 0x81, 0x310000, 0xf0000],
];

function table(): Buffer {
  const bytes = Buffer.alloc(0xc00, 0xff);
  ROWS.forEach(([label, type, subtype, at, size], i) => {
    const row = bytes.subarray(i * 32, (i + 1) * 32).fill(0);
    row.set([0xaa, 0x50, type, subtype]);
    row.writeUInt32LE(at, 4);
    row.writeUInt32LE(size, 8);
    row.write(label, 12);
  });
  return bytes;
}

/** Both entries, so that the second slot starts; the CRCs are those that ESP-IDF's `otatool.py` writes. */
function secondStarts(): Buffer {
  const bytes = Buffer.alloc(0x2000, 0xff);
  [0x4743989a, 0x55f63774].forEach((crc, i) => {
    bytes.writeUInt32LE(i + 1, i * 0x1000);
    bytes.writeUInt32LE(crc, i * 0x1000 + 28);
  });
  return bytes;
}

function partsOf(project: string, seed: number): { loader: Uint8Array; app: Uint8Array } {
  const { offset, bytes } = demoImage({ project, seed, payloadSize: 30_000 });
  return { loader: bytes.slice(0, parseImage(bytes).length), app: bytes.slice(OTA_0 - offset) };
}

const blink = partsOf('blink', 1);
const micropython = partsOf('micropython', 2);
const WITHOUT_OTADATA: Parts = [
  { offset: 0x1000, bytes: micropython.loader },
  { offset: TABLE, bytes: table() },
  { offset: OTA_0, bytes: micropython.app },
];

describe('board: the program that starts', () => {
  let device: VirtualBoard;
  let board: Board;
  before(async () => {
    device = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0 });
    board = new Board({ port: device.rfc2217, baudRate: 115200 });
  });
  after(async () => {
    await board.close();
    await device.close();
  });

  /** Two slots, of which the second starts. */
  beforeEach(async () => {
    const parts = [
      { at: 0x1000, bytes: blink.loader },
      { at: TABLE, bytes: table() },
      { at: OTADATA, bytes: secondStarts() },
      { at: OTA_0, bytes: blink.app },
      { at: OTA_1, bytes: blink.app },
    ];
    for (const { at, bytes } of parts) await device.writeFlash(at, bytes);
  });

  const flash = (parts: Parts, wish: Partial<Options> = {}): Promise<FlashJobResult> =>
    flashBoard(board, checkParts(parts, wish), {
      baudRate: 921600,
      connectTimeoutMs: 15_000,
      erase: 'needed',
      onEvent: () => undefined,
      ...wish,
    });
  const planned = async (parts: Parts, wish: Partial<Options> = {}): Promise<FlashJobResult['plan']> =>
    (await flash(parts, { ...wish, dryRun: true, watch: 'never' })).plan;

  it('is the one that was flashed with its table, though the OTA data named another', async () => {
    const { started, plan } = await flash(WITHOUT_OTADATA);
    assert.deepEqual([started, plan.startsOther], ['prompt', undefined]);
    assert.deepEqual(plan.cleared, [{ offset: OTADATA, size: 0x2000 }]);
  });

  it('is another where nothing may be erased but what is written, and that is said', async () => {
    const { started, plan } = await flash(WITHOUT_OTADATA, { erase: 'never' });
    assert.deepEqual([started, plan.startsOther, plan.cleared], ['other', 'ota_1', []]);
    assert.deepEqual(Buffer.from(await device.readFlash(OTADATA, 0x2000)), secondStarts());
    assert.equal((await planned(WITHOUT_OTADATA, { erase: 'region' })).startsOther, 'ota_1');
  });

  it('is another where a slot was named that does not start, and that is said', async () => {
    const app = [{ bytes: micropython.app }];
    assert.equal((await planned(app, { partition: 'ota_0' })).startsOther, 'ota_1');
    assert.equal((await planned(app)).startsOther, undefined);
  });

  it('is the one that starts already where only data is written', async () => {
    const files = [{ offset: 0x310000, bytes: Buffer.alloc(4096) }];
    for (const parts of [[{ offset: TABLE, bytes: table() }], files]) {
      const { startsOther, cleared } = await planned(parts);
      assert.deepEqual([startsOther, cleared], [undefined, []]);
    }
  });
});
