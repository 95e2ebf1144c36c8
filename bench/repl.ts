/** Asking the board: how near to the wire's own time questions, output and programs come. */
import { Board } from '../lib/board/board.ts';
import { evaluatePython, runPython } from '../lib/board/python-jobs.ts';
import { withNode } from '../test/support/runtime.ts';
import { launchBoard } from '../test/virtual-board/launch.ts';
import type { VirtualBoard } from '../test/virtual-board/launch.ts';
import type { Report } from './support/case.ts';
import { median } from './support/median.ts';
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
    await program(board, report);
    await board.close();
    await output(device, report);
  } finally {
    await board.close();
    await device.close();
  }
}

/**
 * A round trip is what the adapter, this machine and the interpreter need for a byte there and one back, the wire's
 * time for both taken off: from a Ctrl-A at the raw prompt to the first byte of the banner.
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
  report({ case: 'round trip of a byte', value: roundTrip, unit: 'ms', bar: 20 });
  await evaluatePython(board, '1 + 1', options);
  // The first time it is asked it takes memory itself.
  await freeOnBoard(board);
  const free = await freeOnBoard(board);
  const before = await device.stats();
  const first = await ask(board, TIMES / 2);
  const memory = memoryInUse();
  const second = await ask(board, TIMES / 2);
  const grown = (memoryInUse() - memory) / (TIMES / 2);
  const after = await device.stats();
  const bytes = (after.toChip - before.toChip + after.toHost - before.toHost) / TIMES;
  const bar = ms(bytes) + 3 * roundTrip;
  report({
    case: `evaluate 1 + 1 (${Math.round(bytes)} bytes)`,
    value: median([...first, ...second]),
    unit: 'ms',
    limit: ms(bytes),
    bar,
  });
  report({
    case: `evaluate, memory kept of each of the second ${TIMES / 2}`,
    value: Math.max(0, grown),
    unit: 'bytes',
    bar: 1000,
  });
  // The interpreter collects between two commands, so the question itself is in the number.
  const lost = (free - (await freeOnBoard(board))) / TIMES;
  report({ case: `evaluate, board's heap kept of each of ${TIMES}`, value: lost, unit: 'bytes', bar: 16 });
}

/** Milliseconds of each of so many questions. */
async function ask(board: Board, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const value = await evaluatePython(board, '1 + 1', options);
    times.push(performance.now() - start);
    if (value !== 2) throw new Error(`1 + 1 is ${String(value)}`);
  }
  return times;
}

async function freeOnBoard(board: Board): Promise<number> {
  const expression = '[__import__("gc").collect(), __import__("gc").mem_free()][1]';
  return Number(await evaluatePython(board, expression, options));
}

/** Through Node-RED: one node runs the program, another listens. */
async function output(device: VirtualBoard, report: Report): Promise<void> {
  const count = MEGABYTE / 100;
  const text = 'x'.repeat(98);
  const payload = `for i in range(${count}): print("${text}")`;
  const settings = { type: 'mp-repl', mode: 'listen', board: 'board-id', timeout: '300' };
  const listener = { ...settings, id: 'listener-id', wires: [['heard-id'], []] };
  const heard = { id: 'heard-id', type: 'helper' };
  let lines = 0;
  let length = 0;
  let took = 0;
  const { cpuPercent } = await watched(() =>
    withNode(
      'mp-repl',
      device.rfc2217,
      { mode: 'run', timeout: '300' },
      [listener, heard],
      async (node, at) => {
        at('heard-id', () => (lines += 1));
        const start = performance.now();
        const { result } = await node.send({ payload });
        took = performance.now() - start;
        length = (result?.payload as { stdout: string }).stdout.length;
      },
    ),
  );
  // The carriage returns are for the wire.
  report({ case: '1 MB to a flow, bytes lost', value: MEGABYTE - count - length, unit: 'bytes', bar: 0 });
  report({ case: '1 MB to a flow that listens, lines lost', value: count - lines, unit: 'lines', bar: 0 });
  report({ case: '1 MB to a flow', value: took, unit: 'ms', limit: ms(MEGABYTE), bar: ms(MEGABYTE) / 0.98 });
  report({ case: '1 MB to a flow, CPU', value: cpuPercent, unit: '% of a core', bar: 10 });
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
