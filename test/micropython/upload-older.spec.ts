/** The same results on firmware that lacks what the fast way needs, slower. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Board } from '../../lib/board/board.ts';
import { readBoardFile } from '../../lib/board/file-jobs.ts';
import { runPython } from '../../lib/board/python-jobs.ts';
import { uploadFilesToBoard } from '../../lib/board/upload-jobs.ts';
import { bytesOfLiteral, pythonBytes } from '../../lib/micropython/python-bytes.ts';
import { failsWith } from '../support/failures.ts';
import { random } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function noise(length: number): Buffer {
  const next = random(length);
  return Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
}

/** What is missing, and what is left. */
const FIRMWARES: readonly { lacks: string[]; way: string }[] = [
  { lacks: ['deflate'], way: 'packets as they are' },
  { lacks: ['deflate', 'hashlib'], way: 'packets, checked by CRC-32' },
  { lacks: ['select'], way: 'pieces in base64' },
  { lacks: ['select', 'binascii'], way: 'pieces in hex' },
];

describe('micropython: upload to firmware that lacks modules', function () {
  this.timeout(60_000);
  for (const { lacks, way } of FIRMWARES) {
    it(`${lacks.join(', ')}: ${way}`, async () => {
      const device = await launchBoard({ lacks, timing: 'none', bootMs: 0 });
      const board = new Board({ port: device.rfc2217, baudRate: 115_200 });
      try {
        const files = [
          { path: `it's/"so" \\ ü.bin`, content: noise(600) },
          { path: 'empty', content: Buffer.alloc(0) },
          { path: 'text.py', content: Buffer.from('print("\\n")\n'.repeat(30)) },
        ];
        const seen: string[] = [];
        const onFile = ({ path }: { path: string }): void => void seen.push(path);
        const results = await uploadFilesToBoard(board, files, { onFile });
        assert.deepEqual(
          results,
          files.map(({ path, content }) => ({
            path: `/${path}`,
            bytes: content.length,
            sha256: sha256(content),
          })),
        );
        assert.deepEqual(
          seen,
          files.map(({ path }) => `/${path}`),
        );
        if (!lacks.includes('binascii'))
          for (const { path, content } of files) assert.deepEqual(await readBoardFile(board, path), content);
        const onFolder = uploadFilesToBoard(board, [{ path: `/it's`, content: noise(10) }]);
        await assert.rejects(onFolder, failsWith('is-a-folder', { path: `/it's`, kept: 'old' }));
        let left = '';
        await runPython(board, 'print(sorted(__import__("os").listdir("/")))', {
          timeoutMs: 5000,
          onOutput: (bytes) => (left += Buffer.from(bytes).toString()),
        });
        assert.equal(left, `['boot.py', 'empty', "it's", 'text.py']\r\n`);
      } finally {
        await board.close();
        await device.close();
      }
    });
  }

  it('bytes as Python writes them come back', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    assert.deepEqual(bytesOfLiteral(pythonBytes(all)), all);
    assert.deepEqual(bytesOfLiteral(String.raw`b"it's\n\t\x00\\"`), Buffer.from("it's\n\t\0\\"));
    assert.equal(bytesOfLiteral('Traceback'), undefined);
  });
});
