/** Flashing virtual boards of several chips: what ends well, and what must not be called so. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { FlashEvent, FlashResult } from '../../lib/esp/flash.ts';
import { failsWith } from '../support/failures.ts';
import { flashAt } from '../support/flash-board.ts';
import type { BoardEvent } from '../virtual-board/board-options.ts';
import type { ChipName } from '../virtual-board/chips.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const PROJECT = 'other';
const small = (chip: ChipName, seed = 1) => demoImage({ chip, payloadSize: 4000, project: PROJECT, seed });
const bytes = (content: Uint8Array): Buffer => Buffer.from(content);

/** An ESP32 application of one segment that no compression makes shorter. */
function noiseApp(size: number): Buffer {
  const header = Buffer.alloc(24 + 8);
  header.set([0xe9, 1, 2, 0x2f]);
  header[23] = 1;
  header.writeUInt32LE(0x3f400020, 24);
  header.writeUInt32LE(size, 28);
  const noise = Buffer.alloc(size);
  let state = 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    noise[i] = state >>> 24;
  }
  noise.writeUInt32LE(0xabcd5432, 0);
  const sealed = Buffer.alloc(Math.floor((32 + size) / 16) * 16 + 16);
  sealed.set(Buffer.concat([header, noise]));
  sealed[sealed.length - 1] = noise.reduce((sum, byte) => sum ^ byte, 0xef);
  return Buffer.concat([sealed, createHash('sha256').update(sealed).digest()]);
}

const CHIPS: [ChipName, string][] = [
  ['esp32s2', 'ESP32-S2'],
  ['esp32s3', 'ESP32-S3'],
  ['esp32c3', 'ESP32-C3'],
  ['esp32c6', 'ESP32-C6'],
  ['esp32c2', 'ESP32-C2'],
  ['esp32c5', 'ESP32-C5'],
  ['esp32c61', 'ESP32-C61'],
  ['esp32h2', 'ESP32-H2'],
  ['esp32p4', 'ESP32-P4'],
  ['esp8266', 'ESP8266'],
];

describe('esp: flash chips of other kinds', () => {
  /** What came of each; they are flashed side by side. */
  const outcomes = new Map<ChipName, Promise<{ result: FlashResult; flash: Buffer; started: BoardEvent }>>();
  before(() => {
    // Some at a time: two cores have to serve them.
    const lanes = [0, 1, 2, 3, 4].map(() => Promise.resolve<unknown>(undefined));
    CHIPS.forEach(([chip], i) => {
      const lane = i % lanes.length;
      const outcome = lanes[lane]!.then(() => flashNew(chip));
      outcomes.set(chip, outcome);
      lanes[lane] = outcome.catch(() => undefined);
    });
  });

  async function flashNew(chip: ChipName) {
    const board = await launchBoard({ chip, firmware: 'none', timing: 'none', bootMs: 0 });
    try {
      const image = small(chip);
      const program = board.nextEvent((event) => event.name === 'program', 25_000);
      const [{ result }, started] = await Promise.all([flashAt(board.rfc2217, image.bytes), program]);
      const flash = bytes(await board.readFlash(image.offset, image.bytes.length));
      return { result, flash, started };
    } finally {
      await board.close();
    }
  }

  for (const [chip, name] of CHIPS) {
    it(`writes an ${name}, checks it and starts it`, async () => {
      const { result, flash, started } = await outcomes.get(chip)!;
      const image = small(chip);
      assert.equal(result.chip, name);
      assert.equal(result.flashSize, 4 * 1024 * 1024);
      assert.equal(result.offset, image.offset);
      assert.equal(result.reset, true);
      assert.match(result.mac ?? '', /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
      assert.deepEqual(flash, bytes(image.bytes));
      assert.equal(started.name, 'program');
    });
  }
});

describe('esp: flash an ESP32', () => {
  let board: VirtualBoard;
  before(async () => {
    board = await launchBoard({ firmware: 'none', timing: 'none', bootMs: 0 });
  });
  after(() => board.close());
  afterEach(() => board.clearFaults());

  const image = small('esp32');
  const other = small('esp32', 2);
  const held = async (): Promise<Buffer> => bytes(await board.readFlash(image.offset, image.bytes.length));

  it('writes over what was there before, telling its steps in order', async () => {
    await flashAt(board.rfc2217, other.bytes);
    assert.deepEqual(await held(), bytes(other.bytes));
    const { events, result } = await flashAt(board.rfc2217, image.bytes);
    assert.deepEqual(await held(), bytes(image.bytes));
    const kinds = [...new Set(events.map(({ kind }) => kind))];
    assert.deepEqual(kinds, [
      'connecting',
      'connected',
      'board',
      'comparing',
      'plan',
      'writing',
      'verifying',
    ]);
    const counts = events.flatMap((event) => (event.kind === 'writing' ? [event.done] : []));
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    );
    assert.equal(counts.at(-1), result.written);
    assert.ok(result.written > 0 && result.plan.unchanged === image.bytes.length - result.written);
  });

  it('sends what does not compress as it is', async () => {
    const app = noiseApp(40_000);
    assert.ok(deflateSync(app, { level: 9 }).length > app.length);
    await flashAt(board.rfc2217, app, { offset: 0x10000 });
    assert.deepEqual(bytes(await board.readFlash(0x10000, app.length)), bytes(app));
    assert.ok(board.log().some(({ facts }) => facts['op'] === 'FLASH_DATA'));
  });

  it('leaves the rest of the flash alone, and erases it when everything is to go', async () => {
    const marks = [0x300000, 0x9000 + 0x5000];
    for (const mark of marks) await board.writeFlash(mark, Buffer.from('kept'));
    await flashAt(board.rfc2217, noiseApp(40_000), { offset: 0x10000 });
    for (const mark of marks) assert.equal(bytes(await board.readFlash(mark, 4)).toString(), 'kept');
    const { events } = await flashAt(board.rfc2217, image.bytes, { erase: 'all' });
    assert.deepEqual([...(await board.readFlash(marks[0]!, 4))], [255, 255, 255, 255]);
    assert.ok(events.some(({ kind }) => kind === 'erasing'));
  });

  it('refuses before anything is erased', async () => {
    await flashAt(board.rfc2217, image.bytes);
    board.clearLog();
    await assert.rejects(flashAt(board.rfc2217, small('esp32c3').bytes), failsWith('image-wrong-chip'));
    await assert.rejects(
      flashAt(board.rfc2217, noiseApp(40_000), { offset: 0x3ff000 }),
      failsWith('image-too-large'),
    );
    assert.ok(
      !board
        .log()
        .some(({ facts }) => /BEGIN|ERASE/.test(facts['op'] as string) && facts['loader'] === 'stub'),
    );
    assert.deepEqual(await held(), bytes(image.bytes));
  });

  it('says that the flash does not hold the firmware where a sector no longer erases', async () => {
    await flashAt(board.rfc2217, other.bytes);
    await board.fault({ kind: 'worn-sector', offset: 0x10000 });
    await assert.rejects(
      flashAt(board.rfc2217, image.bytes),
      failsWith('verify-failed', { offset: '0x10000', size: 0x1000, blank: false }),
    );
    assert.notDeepEqual(await held(), bytes(image.bytes));
  });

  it('leaves the board usable when cancelled in the middle of writing', async () => {
    const stop = new AbortController();
    const onEvent = (event: FlashEvent): void => {
      if (event.kind === 'writing') stop.abort(new Error('enough'));
    };
    await assert.rejects(flashAt(board.rfc2217, image.bytes, { signal: stop.signal, onEvent }), /enough/);
    await flashAt(board.rfc2217, image.bytes);
    assert.deepEqual(await held(), bytes(image.bytes));
  });

  it('tells a chip that says nothing', async () => {
    await board.fault({ kind: 'silent' });
    const { rfc2217 } = board;
    const events: string[] = [];
    await assert.rejects(
      flashAt(rfc2217, image.bytes, { timeoutMs: 2500, onEvent: ({ kind }) => events.push(kind) }),
      failsWith('no-answer', { heard: 'nothing' }),
    );
    assert.ok(!events.includes('connected'));
  });
});
