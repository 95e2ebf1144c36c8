/** The peer: Espressif's esptool-js over the same door of the same board. */
import { createHash } from 'node:crypto';
import { ESPLoader, Transport } from 'esptool-js';
import type { VirtualBoard } from '../../test/virtual-board/launch.ts';
import { WebSerialPort } from '../../test/virtual-board/peers/web-serial.ts';

const silent = { clean: () => undefined, write: () => undefined, writeLine: () => undefined };

/** It may trip over the answer that the ROM leaves half sent when the stub starts; tries that fail do not count. */
const TRIES = 3;

/** Runs `work` with esptool-js on the board, not yet connected. */
async function withPeer<T>(
  board: VirtualBoard,
  baudrate: number,
  work: (loader: ESPLoader) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryPeer(board, baudrate, work);
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

async function tryPeer<T>(
  board: VirtualBoard,
  baudrate: number,
  work: (loader: ESPLoader) => Promise<T>,
): Promise<T> {
  const transport = new Transport(new WebSerialPort(board.rfc2217));
  // It prints what its reader does even when tracing is off.
  transport.trace = () => undefined;
  const loader = new ESPLoader({ transport, baudrate, romBaudrate: 115200, terminal: silent });
  try {
    return await work(loader);
  } finally {
    await transport.disconnect().catch(() => undefined);
  }
}

/** Milliseconds until the stub runs at the rate asked for, and chip and flash are known. */
export function peerConnects(board: VirtualBoard, baudRate: number): Promise<number> {
  return withPeer(board, baudRate, async (loader) => {
    const start = performance.now();
    await loader.main();
    return performance.now() - start;
  });
}

/** Milliseconds until all is written and verified by MD5. */
export function peerFlashes(
  board: VirtualBoard,
  baudRate: number,
  image: { offset: number; bytes: Uint8Array },
): Promise<number> {
  return withPeer(board, baudRate, async (loader) => {
    const start = performance.now();
    await loader.main();
    await loader.writeFlash({
      fileArray: [{ data: image.bytes, address: image.offset }],
      flashMode: 'keep',
      flashFreq: 'keep',
      flashSize: 'keep',
      eraseAll: false,
      compress: true,
      calculateMD5Hash: (bytes) => createHash('md5').update(bytes).digest('hex'),
    });
    return performance.now() - start;
  });
}
