/** Asking the board: how near to the wire's own time questions, output and programs come. */
import { Board } from '../lib/board/board.ts';
import { evaluatePython, runPython } from '../lib/board/python-jobs.ts';
import { launchBoard } from '../test/virtual-board/launch.ts';
import type { VirtualBoard } from '../test/virtual-board/launch.ts';
import type { Report } from './support/case.ts';
import { memoryInUse, watched } from './support/process.ts';

const BAUD = 115200;
const LATENCY_MS = 1;
const ms = (bytes: number): number => (bytes * 10_000) / BAUD;
const options = { timeoutMs: 300_000 };
const TIMES = 500;
const MEGABYTE = 1_000_000;

export async function run(report: Report): Promise<void> {
  const device = await launchBoard({ latencyMs: LATENCY_MS, bootMs: 0 });
  const board = new Board({ port: device.rfc2217, baudRate: BAUD });
  try {
    await evaluatePython(board, '1', options);
    await questions(board, device, report);
    await output(board, report);
    await program(board, report);
  } finally {
    await board.close();
    await device.close();
  }
}

/**
 * A round trip is what the adapter and this machine need for a byte there and one back: measured by raw paste's
 * request, whose five bytes of answer are taken off.
 */
async function roundTripMs(board: Board): Promise<number> {
  return board.run({
    kind: 'run',
    run: async (lease) => {
      const times: number[] = [];
      const { transport } = lease;
      let answered = (): void => undefined;
      transport.listen({ data: () => answered(), closed: () => undefined });
      for (let i = 0; i < 50; i++) {
        const start = performance.now();
        const answer = new Promise<void>((resolve) => (answered = resolve));
        // Ctrl-C at a raw prompt is silent; Ctrl-A is answered with the banner.
        await transport.write(Uint8Array.of(0x01));
        await answer;
        times.push(performance.now() - start - ms(1) - ms(1));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      if (lease.repl) lease.keep(lease.repl);
      return median(times);
    },
  });
}

async function questions(board: Board, device: VirtualBoard, report: Report): Promise<void> {
  const roundTrip = await roundTripMs(board);
  await evaluatePython(board, '1 + 1', options);
  const memory = memoryInUse();
  const before = await device.stats();
  const times: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const start = performance.now();
    const value = await evaluatePython(board, '1 + 1', options);
    times.push(performance.now() - start);
    if (value !== 2) throw new Error(`1 + 1 is ${String(value)}`);
  }
  const after = await device.stats();
  const bytes = (after.toChip - before.toChip + after.toHost - before.toHost) / TIMES;
  const bar = ms(bytes) + 3 * roundTrip;
  report({
    case: `evaluate 1 + 1 (${Math.round(bytes)} bytes)`,
    value: median(times),
    unit: 'ms',
    limit: ms(bytes),
    bar,
  });
  const grown = (memoryInUse() - memory) / TIMES;
  report({
    case: `evaluate, memory kept of each of ${TIMES}`,
    value: Math.max(0, grown),
    unit: 'bytes',
    bar: 1000,
  });
}

async function output(board: Board, report: Report): Promise<void> {
  const line = 'x'.repeat(98);
  const source = `for i in range(${MEGABYTE / 100}): print("${line}")`;
  let length = 0;
  let took = 0;
  const { cpuPercent } = await watched(async () => {
    const start = performance.now();
    await runPython(board, source, { ...options, onOutput: (bytes) => (length += bytes.length) });
    took = performance.now() - start;
  });
  report({ case: '1 MB of output, bytes lost', value: MEGABYTE - length, unit: 'bytes', bar: 0 });
  report({ case: '1 MB of output', value: took, unit: 'ms', limit: ms(MEGABYTE), bar: ms(MEGABYTE) / 0.98 });
  report({ case: '1 MB of output, CPU', value: cpuPercent, unit: '% of a core', bar: 10 });
}

async function program(board: Board, report: Report): Promise<void> {
  const lines = Array.from({ length: 400 }, (_, i) => `# line ${i} of a program that is to be sent, 20 KB`);
  const source = lines.join('\n').padEnd(20_000, '#');
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await runPython(board, source, options);
    times.push(performance.now() - start);
  }
  const wire = ms(source.length);
  report({
    case: 'run of 20 KB by raw paste',
    value: median(times),
    unit: 'ms',
    limit: wire,
    bar: wire / 0.95,
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
