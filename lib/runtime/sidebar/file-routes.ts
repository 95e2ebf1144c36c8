/** The files of a board, for the sidebar. A program that runs on the board is never interrupted by them. */
import type { NodeAPI } from 'node-red';
import {
  boardDiskSpace,
  listBoardFiles,
  makeBoardFolder,
  moveBoardFile,
  readBoardFile,
  removeBoardFile,
} from '../../board/file-jobs.ts';
import type { FileJobOptions } from '../../board/file-jobs.ts';
import { runBoardFile } from '../../board/run-file-job.ts';
import { uploadFilesToBoard } from '../../board/upload-jobs.ts';
import type { BoardFiles, FileProgress } from '../../editor/wire.ts';
import { adminRoutes } from '../admin-route.ts';
import type { Call } from '../admin-route.ts';
import { ProgressMeter } from '../progress.ts';
import { flag, requiredText } from '../properties.ts';
import { deployedBoard } from '../shared.ts';

/** The largest flash has 32 MB, most of a board's files fit into two. */
const MAX_FILE = 16 * 1024 * 1024;

/** Throws 'program-running' where a job would have to end a program: that is for a person to decide. */
function gently({ signal }: Call): FileJobOptions {
  return { interrupt: false, signal };
}

/** `GET /esp32-board/:id/files`, `…/file?path=`; `POST …/files/{upload?path=,delete,folder,move,run}`. */
export function registerFileRoutes(RED: NodeAPI): void {
  const { get, post } = adminRoutes(RED);
  const boardOf = ({ params }: Call) => deployedBoard(RED, params['id']).device;

  get('/esp32-board/:id/files', async (call): Promise<BoardFiles> => {
    const board = boardOf(call);
    const files = await listBoardFiles(board, '/', gently(call));
    return { files, space: await boardDiskSpace(board, gently(call)) };
  });
  get('/esp32-board/:id/file', (call) =>
    readBoardFile(boardOf(call), requiredText(call.query['path'], 'path'), gently(call)),
  );
  post('/esp32-board/:id/files/upload', (call) => upload(RED, call));
  post('/esp32-board/:id/files/delete', async (call) => {
    // Whoever asks has seen the name and said yes: nothing is guarded from them.
    const options = { recursive: flag(call.body['recursive']), ...gently(call) };
    await removeBoardFile(boardOf(call), pathIn(call, 'path'), options);
  });
  post('/esp32-board/:id/files/folder', async (call) => {
    await makeBoardFolder(boardOf(call), pathIn(call, 'path'), gently(call));
  });
  post('/esp32-board/:id/files/move', async (call) => {
    await moveBoardFile(boardOf(call), pathIn(call, 'from'), pathIn(call, 'to'), gently(call));
  });
  post('/esp32-board/:id/files/run', async (call) => {
    await runBoardFile(boardOf(call), pathIn(call, 'path'), gently(call));
  });
}

async function upload(RED: NodeAPI, call: Call): Promise<void> {
  const id = call.params['id'] ?? '';
  const path = requiredText(call.query['path'], 'path');
  const content = await call.bytes(MAX_FILE);
  const board = deployedBoard(RED, id).device;
  // Writing would interrupt: whether it may is asked first.
  await boardDiskSpace(board, gently(call));
  const meter = new ProgressMeter(({ done = 0, total = 0 }) => {
    RED.comms.publish(`esp32-files/${id}`, { path, done, total } satisfies FileProgress, false);
  });
  await uploadFilesToBoard(board, [{ path, content }], {
    signal: call.signal,
    onProgress: ({ done, total }) => meter.step({ phase: path, done, total }),
  });
}

function pathIn({ body }: Call, name: string): string {
  return requiredText(body[name], name);
}
