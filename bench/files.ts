/**
 * `npm run bench -- files [ms]`: files to a board and back at 115200, behind an adapter of so many milliseconds (1 and
 * 16 if not said otherwise), against the line's own rate and other ways of doing it. A figure has in it all
 * from the friendly prompt to the answer of the job: the raw REPL, the script, the check of what is on the disk. The
 * board's flash takes no time, and its UART wakes it; firmware of the ESP32 dozes up to 10 ms, and gains less by turbo.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { Board } from '../lib/board/board.ts';
import { readBoardFiles } from '../lib/board/file-jobs.ts';
import { withRawRepl } from '../lib/board/repl-job.ts';
import { syncBoard } from '../lib/board/sync-job.ts';
import { uploadFilesToBoard } from '../lib/board/upload-jobs.ts';
import type { OutgoingFile } from '../lib/micropython/upload.ts';
import { random } from '../test/virtual-board/faults.ts';
import { launchBoard } from '../test/virtual-board/launch.ts';
import type { Report } from './support/case.ts';
import { median } from './support/median.ts';
import { MPREMOTE, uploadAs, VIPERIDE } from './support/other-ways.ts';
import type { OtherWay } from './support/other-ways.ts';
import { watched } from './support/process.ts';

const BAUD = 115_200;
/** KB/s that the line carries. */
const LINE = BAUD / 10_000;
const SIZE = 102_400;
/** The virtual board shares its cores with the host: now and then it is too late for a byte at 921600. */
const TIMES = 5;
const SYNC = { after: { kind: 'nothing' } as const, isGuarded: () => false, onOutput: () => undefined };
/** Longer than a raw REPL is kept for the next job. */
const TO_PROMPT_MS = 1300;

const text = pythonText(SIZE);
const noise = randomBytes(SIZE, 1);

export async function run(report: Report, latencies: readonly string[]): Promise<void> {
  for (const latencyMs of latencies.length > 0 ? latencies.map(Number) : [1, 16]) {
    const device = await launchBoard({ latencyMs, timing: 'none', bootMs: 0 });
    const board = new Board({ port: device.rfc2217, baudRate: BAUD });
    try {
      await uploadFilesToBoard(board, [{ path: 'first.txt', content: Buffer.from('x') }]);
      await cases(board, report, `adapter ${latencyMs} ms`);
    } finally {
      await board.close();
      await device.close();
    }
  }
}

async function cases(board: Board, report: Report, adapter: string): Promise<void> {
  const speed = (ms: number, bytes = SIZE): number => bytes / ms;
  const kinds = [
    { name: '100 KB of Python text', content: text, least: 35, factor: 3.2 },
    { name: '100 KB of random bytes', content: noise, least: 0.97 * LINE, factor: 2.8 },
  ];
  for (const { name, content, least, factor } of kinds) {
    const file = { path: 'bench.bin', content };
    const mpremote = speed(await timed(() => other(board, MPREMOTE, [file])));
    const viperide = speed(await timed(() => other(board, VIPERIDE, [file])));
    const value = speed(await timed(() => uploadFilesToBoard(board, [file])));
    const figure = { unit: 'KB/s', moreIsBetter: true, peer: mpremote };
    const peers = { [MPREMOTE.name]: mpremote, [VIPERIDE.name]: viperide };
    const bar = Math.max(least, factor * mpremote);
    report({ case: `${name}, ${adapter}`, value, ...figure, peers, limit: LINE, bar });
    const turbo: number[] = [];
    for (let time = 0; time < TIMES; time++)
      turbo.push(speed(await timed(() => uploadFilesToBoard(board, [file], { turbo: true }))));
    report({
      case: `${name}, turbo, median of ${TIMES}, ${adapter}`,
      value: median(turbo),
      ...figure,
      bar: 4 * value,
    });
  }

  await smallCases(board, report, adapter);
  const download = async (content: Buffer): Promise<number> => {
    await uploadFilesToBoard(board, [{ path: 'back.bin', content }]);
    return timed(async () => {
      const [file] = await readBoardFiles(board, ['back.bin']);
      if (!file?.content.equals(content)) throw new Error('another file came back');
    });
  };
  const down = { unit: 'KB/s', limit: LINE, moreIsBetter: true };
  const back = speed(await download(noise));
  report({ case: `download of 100 KB of random bytes, ${adapter}`, value: back, ...down, bar: 0.7 * LINE });
  const textBack = speed(await download(text));
  report({ case: `download of 100 KB of text, ${adapter}`, value: textBack, ...down, bar: back });

  await atPrompt();
  const { cpuPercent } = await watched(() =>
    uploadFilesToBoard(board, [{ path: 'cpu.bin', content: noise }]),
  );
  report({ case: `CPU while uploading, ${adapter}`, value: cpuPercent, unit: '% of a core', bar: 10 });
}

async function smallCases(board: Board, report: Report, adapter: string): Promise<void> {
  const projects = [
    { name: '60 small files of Python', files: smallFiles(() => false) },
    { name: '60 small files, each fourth of random bytes', files: smallFiles((i) => i % 4 === 3) },
  ];
  for (const { name, files } of projects) {
    const seconds = async (work: () => Promise<unknown>): Promise<number> => {
      await clear(board);
      return (await timed(work)) / 1000;
    };
    const mpremote = await seconds(() => other(board, MPREMOTE, files));
    const viperide = await seconds(() => other(board, VIPERIDE, files));
    report({
      case: `${name}, all new, ${adapter}`,
      value: await seconds(() => uploadFilesToBoard(board, files)),
      unit: 's',
      peer: mpremote,
      peers: { [MPREMOTE.name]: mpremote, [VIPERIDE.name]: viperide },
      limit: wireSeconds(files),
      bar: mpremote / 5,
    });
    const isSame = async (): Promise<void> => {
      const { changed } = await syncBoard(board, files, SYNC);
      if (changed) throw new Error('files were written again');
    };
    report({
      case: `${name}, none changed, ${adapter}`,
      value: (await timed(isSame)) / 1000,
      unit: 's',
      bar: 1.5,
    });
  }
}

/** What the line takes for all content, deflated as one with the window that a board has room for. */
function wireSeconds(files: readonly OutgoingFile[]): number {
  const all = Buffer.concat(files.map(({ content }) => content));
  return deflateRawSync(all, { level: 9, memLevel: 9, windowBits: 14 }).length / (LINE * 1000);
}

/** Milliseconds of one job, from the friendly prompt on. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  await atPrompt();
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function atPrompt(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TO_PROMPT_MS));
}

function other(board: Board, way: OtherWay, files: readonly OutgoingFile[]): Promise<void> {
  return board.run({
    kind: 'upload',
    run: (lease) =>
      withRawRepl(lease, async (repl) => {
        await repl.run('import os\ntry: os.mkdir("small")\nexcept OSError: pass', { timeoutMs: 5000 });
        for (const { path, content } of files) await uploadAs(way, repl, path, content);
      }),
  });
}

function clear(board: Board): Promise<void> {
  const source = `import os
try:
 for n in os.listdir("small"): os.remove("small/" + n)
 os.rmdir("small")
except OSError: pass`;
  return board.run({
    kind: 'run',
    run: (lease) => withRawRepl(lease, (repl) => repl.run(source, { timeoutMs: 20_000 })),
  });
}

/** Python of this repository; it comes again only long after a decoder's window is over. */
function pythonText(length: number): Buffer {
  const folder = new URL('../test/virtual-board/micropython/board/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.py'));
  const all = Buffer.concat(names.map((name) => readFileSync(new URL(name, folder))));
  const pieces = Array.from({ length: Math.ceil(length / all.length) }, () => all);
  return Buffer.concat(pieces).subarray(0, length);
}

function randomBytes(length: number, seed: number): Buffer {
  const next = random(seed);
  return Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
}

/** 0 to 3 KB each, pieces of the text that follow each other, or random bytes. */
function smallFiles(isRandom: (i: number) => boolean): OutgoingFile[] {
  let at = 0;
  return Array.from({ length: 60 }, (_, i) => {
    const size = Math.floor((i * 3072) / 59);
    const begin = at;
    at += size;
    const content = isRandom(i) ? randomBytes(size, i) : text.subarray(begin, at);
    return { path: `small/file${i}.py`, content };
  });
}
