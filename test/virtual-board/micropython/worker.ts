/** The interpreter's thread: what `mp_task` is on the chip. It never returns to its event loop. */
import { parentPort, workerData } from 'node:worker_threads';
import { NorFlash } from '../nor-flash.ts';
import { Board } from './board.ts';
import { Channel } from './channel.ts';
import type { WorkerMessage, WorkerOptions } from './messages.ts';
import { PoweredFlash } from './powered-flash.ts';

const options = workerData as WorkerOptions;
const channel = new Channel(options.channel);
const flash = new PoweredFlash(new NorFlash(options.flash), options.vfs, channel);
const board = await Board.load(options, channel, flash, (message: WorkerMessage) =>
  parentPort?.postMessage(message),
);
try {
  board.run();
} catch (error) {
  board.panic(error);
}
