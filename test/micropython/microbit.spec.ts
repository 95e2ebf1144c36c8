/**
 * Another interpreter than the virtual board's: MicroPython 1.9.2 of 2018, unmodified, on an emulated micro:bit. It has
 * no raw paste, no json, a small input buffer, and a banner of its own.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Board } from '../../lib/board/board.ts';
import { interrupt } from '../../lib/board/control-jobs.ts';
import { parseTraceback } from '../../lib/board/errors.ts';
import { typeLine } from '../../lib/board/line-job.ts';
import { callPython, evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { uploadFilesToBoard } from '../../lib/board/upload-jobs.ts';
import { bytesOfLiteral } from '../../lib/micropython/python-bytes.ts';
import { failsWith } from '../support/failures.ts';
import { needs } from '../support/needs.ts';

const FIRMWARE = '/usr/share/firmware-microbit-micropython/firmware.hex';
const soon = { timeoutMs: 20_000 };

/** Starts the emulator; resolves with the path of the board's pty. */
function emulate(): Promise<{ qemu: ChildProcess; pty: string }> {
  const machine = ['-M', 'microbit', '-device', `loader,file=${FIRMWARE}`];
  const qemu = spawn(
    'qemu-system-arm',
    [...machine, '-serial', 'pty', '-display', 'none', '-monitor', 'none'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return new Promise((resolve, reject) => {
    let said = '';
    qemu.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const pty = /redirected to (\S+)/.exec(said)?.[1];
      if (pty) resolve({ qemu, pty });
    });
    qemu.once('error', reject);
    qemu.once('exit', (code) => reject(new Error(`qemu ended (${String(code)}): ${said}`)));
  });
}

describe('micropython: a micro:bit of 2018', function () {
  this.timeout(60_000);
  let qemu: ChildProcess | undefined;
  let board: Board;
  before(async function () {
    needs(this, 'qemu-system-arm', 'microbit-firmware');
    const started = await emulate();
    qemu = started.qemu;
    board = new Board({ port: started.pty, baudRate: 115200 });
  });
  after(async () => {
    await (board as Board | undefined)?.close();
    qemu?.kill();
  });

  const output = async (source: string): Promise<string> => {
    let text = '';
    await runPython(board, source, { ...soon, onOutput: (bytes) => (text += Buffer.from(bytes).toString()) });
    return text;
  };

  it('takes files, in pieces, and without folders', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const files = [
      { path: 'every.bin', content: every },
      { path: "it's.txt", content: Buffer.from('line\n') },
    ];
    const results = await uploadFilesToBoard(board, files);
    assert.deepEqual(
      results.map(({ path, bytes }) => [path, bytes]),
      [
        ['/every.bin', 256],
        ["/it's.txt", 5],
      ],
    );
    assert.deepEqual(bytesOfLiteral(await output('print(open("every.bin", "rb").read())')), every);
    assert.equal(await output('import os\nprint(sorted(os.listdir()))'), `['every.bin', "it's.txt"]\r\n`);
  });

  it('runs code that is sent without raw paste, also more than its input buffer holds', async () => {
    assert.match(await output('import sys\nprint(sys.version, sys.platform)'), /^3\.4\.0 microbit\r\n$/);
    const lines = Array.from({ length: 30 }, (_, i) => `total += ${i}  # and a comment`);
    assert.equal(await output(['total = 0', ...lines, 'print(total)'].join('\n')), '435\r\n');
    const odd = Buffer.from(' \x01\x03\x04\x7f\t\\n "ä€😀" ');
    const source = `odd = '''${odd.toString()}'''\nprint(bytes(odd, 'utf8'), '_code' in globals())`;
    const [literal, isLeft] = (await output(source)).split(/(?<=') (?=\w+\r)/);
    assert.deepEqual(
      [bytesOfLiteral(literal ?? ''), isLeft],
      [Buffer.from(' \x01\x03\x04\x7f\t\n "ä€😀" '), 'False\r\n'],
    );
  });

  it('tells what an exception was', async () => {
    await assert.rejects(runPython(board, 'def f():\n  return 1 / 0\nf()', soon), (error: unknown) => {
      failsWith('python-error')(error);
      const {
        type,
        line,
        function: name,
      } = parseTraceback((error as { facts: { text: string } }).facts.text);
      assert.deepEqual({ type, line, name }, { type: 'ZeroDivisionError', line: 2, name: 'f' });
      return true;
    });
    await assert.rejects(runPython(board, 'x = = 1', soon), /SyntaxError/);
  });

  it('has no json and little memory: that is said, and the board is left usable', async () => {
    const call = { name: 'max', args: [[1, 5, 3]], kwargs: {} };
    for (const asked of [evaluatePython(board, '6 * 7', soon), callPython(board, call, soon)])
      await assert.rejects(asked, failsWith('python-error'));
    await assert.rejects(runPython(board, 'x = bytearray(100000)', soon), (error: unknown) => {
      failsWith('python-error')(error);
      assert.equal(parseTraceback((error as { facts: { text: string } }).facts.text).type, 'MemoryError');
      return true;
    });
    // Longer than its memory: what has come of it is not kept.
    await assert.rejects(output(`x = 1\n`.repeat(2000)), failsWith('python-error'));
    assert.equal(await output('print(6 * 7, "_code" in globals())'), '42 False\r\n');
  });

  it('tells a program that left by SystemExit from one that came to its end', async () => {
    await assert.rejects(runPython(board, 'raise SystemExit', soon), failsWith('system-exit'));
    assert.equal(await output('print("on")'), 'on\r\n');
  });

  it('is interrupted, in code of ours and in a program of its own', async () => {
    await assert.rejects(
      runPython(board, 'while True: pass', { timeoutMs: 500 }),
      failsWith('run-timeout', { interrupted: true }),
    );
    await typeLine(board, 'while True: pass', { quietMs: 200, timeoutMs: 2000 });
    await typeLine(board, '', { quietMs: 200, timeoutMs: 2000 });
    await typeLine(board, '', { quietMs: 200, timeoutMs: 2000 });
    await interrupt(board, {});
    const { text } = await typeLine(board, '2 + 3', { quietMs: 5000, until: '5', timeoutMs: 20_000 });
    assert.match(text, /^5/);
  });
});
