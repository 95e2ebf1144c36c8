/**
 * Flashing, against the wire's own time and against esptool-js 0.7 over the same door in the same run.
 *
 * Each board is a virtual one in a process of its own: RFC 2217 door, an adapter that keeps bytes for 1 ms,
 * a flash chip with the times of a datasheet that is full of other data, as a board from the drawer is.
 */
import { deflate } from '../lib/esp/deflate.ts';
import type { BoardEvent } from '../test/virtual-board/board-options.ts';
import { demoImage } from '../test/virtual-board/demo-image.ts';
import { launchBoard } from '../test/virtual-board/launch.ts';
import type { LaunchOptions, VirtualBoard } from '../test/virtual-board/launch.ts';
import type { Report } from './support/case.ts';
import { manyAtOnce } from './support/many.ts';
import { median } from './support/median.ts';
import { connects, flashes } from './support/ours.ts';
import { peerConnects, peerFlashes } from './support/peer.ts';
import { watched } from './support/process.ts';
import { physicsOf } from './support/wire.ts';

const BAUD = 460800;
const FAST_BAUD = 921600;
const SECTOR = 4096;
const CHANGED_SHARE = 0.01;
const CONNECTS = 5;

const image = demoImage({ payloadSize: 1_580_000, project: 'other' });

export async function run(report: Report): Promise<void> {
  await connecting(report);
  const fullMs = await full(report);
  await again(report, fullMs);
  await load(report);
  await manyAtOnce(report);
}

async function onBoard<T>(
  work: (board: VirtualBoard) => Promise<T>,
  options: LaunchOptions = {},
): Promise<T> {
  const board = await launchBoard({
    firmware: 'none',
    latencyMs: 1,
    timing: 'datasheet',
    bootMs: 0,
    ...options,
  });
  try {
    return await work(board);
  } finally {
    await board.close();
  }
}

/** Other data everywhere: no sector is blank, none is right already, and there is no partition table. */
async function fillWithOther(board: VirtualBoard): Promise<void> {
  const other = Uint8Array.from({ length: 0x400000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  await board.writeFlash(0, other);
}

async function connecting(report: Report): Promise<void> {
  const ours: number[] = [];
  const peer: number[] = [];
  await onBoard(async (board) => {
    for (let i = 0; i < CONNECTS; i++) {
      peer.push(await peerConnects(board, BAUD));
      ours.push(await connects(board.rfc2217, BAUD));
    }
  });
  const value = median(ours);
  report({
    case: 'connect, stub, chip info',
    value,
    unit: 'ms',
    peer: median(peer),
    bar: 0.6 * median(peer),
  });
}

/** Returns the milliseconds of a full flash. */
async function full(report: Report): Promise<number> {
  const compressed = await deflate(image.bytes, new AbortController().signal);
  const { wireMs, flashBeyondMs } = physicsOf(image.offset, image.bytes.length, compressed, BAUD);
  const [peerMs, peerWriting] = await onBoard(async (board) => {
    await fillWithOther(board);
    return [await peerFlashes(board, BAUD, image), writingPhase(board.log())];
  });
  const [ours, writing] = await onBoard(async (board) => {
    await fillWithOther(board);
    return [await flashes(board.rfc2217, image.bytes, BAUD), writingPhase(board.log())];
  });
  if (ours.result.written !== image.bytes.length) throw new Error('not all of the image was written');
  report({
    case: 'full flash at 460800, writing phase',
    value: writing,
    unit: 'ms',
    peer: peerWriting,
    limit: wireMs + flashBeyondMs,
    bar: 1.02 * wireMs + flashBeyondMs,
  });
  report({
    case: 'full flash at 460800, connect to verified',
    value: ours.verifiedMs,
    unit: 'ms',
    peer: peerMs,
    limit: wireMs,
    bar: Math.min(1.1 * wireMs, 0.9 * peerMs),
  });
  return ours.verifiedMs;
}

/** Milliseconds of the board's clock from the begin's arrival to what follows the last block. */
function writingPhase(log: readonly BoardEvent[]): number {
  const commands = log.filter(({ name }) => name === 'command');
  const begin = commands.find(({ facts }) => facts['op'] === 'FLASH_DEFL_BEGIN');
  const last = commands.findLastIndex(({ facts }) => facts['op'] === 'FLASH_DEFL_DATA');
  const end = commands[last + 1];
  if (!begin || !end) throw new Error('nothing was written');
  return end.at - begin.at;
}

async function again(report: Report, fullMs: number): Promise<void> {
  await onBoard(async (board) => {
    await board.writeFlash(image.offset, image.bytes);
    const same = await flashes(board.rfc2217, image.bytes, BAUD);
    if (same.result.written !== 0) throw new Error('the same image was written again');
    report({
      case: 'the same image again',
      value: same.verifiedMs,
      unit: 'ms',
      limit: null,
      bar: 0.1 * fullMs,
    });
  });
  await onBoard(async (board) => {
    const sectors = Math.round((image.bytes.length / SECTOR) * CHANGED_SHARE);
    const before = image.bytes.slice();
    for (let i = 0; i < sectors; i++) {
      const at = Math.floor(((i + 0.5) * before.length) / sectors);
      before[at] = (before[at] ?? 0) ^ 0xff;
    }
    await board.writeFlash(image.offset, before);
    const { result, verifiedMs } = await flashes(board.rfc2217, image.bytes, BAUD);
    if (result.written !== sectors * SECTOR) throw new Error(`${result.written} bytes were written`);
    report({
      case: `${sectors} of its sectors differ (1 %)`,
      value: verifiedMs,
      unit: 'ms',
      bar: 0.2 * fullMs,
    });
  });
}

async function load(report: Report): Promise<void> {
  await onBoard(async (board) => {
    await fillWithOther(board);
    const { cpuPercent, blockedMs } = await watched(() => flashes(board.rfc2217, image.bytes, FAST_BAUD));
    report({ case: 'CPU while flashing at 921600', value: cpuPercent, unit: '% of a core', bar: 15 });
    report({ case: 'event loop blocked while flashing at 921600', value: blockedMs, unit: 'ms', bar: 25 });
  });
}
