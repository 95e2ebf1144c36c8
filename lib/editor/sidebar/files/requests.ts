/** What can be asked about the files of one board. */
import { get, getBlob, post, postBytes } from '../../api.ts';
import type { BoardFiles, FileProgress } from '../../wire.ts';

export class FileRequests {
  readonly #id: string;

  constructor(board: string) {
    this.#id = board;
  }

  list(): Promise<BoardFiles> {
    return get(`${this.#id}/files`);
  }

  read(path: string): Promise<Blob> {
    return getBlob(`${this.#id}/file`, { path });
  }

  /** `onProgress`: bytes that are on the board. */
  async write(path: string, content: Blob, onProgress?: (progress: FileProgress) => void): Promise<void> {
    const topic = `esp32-files/${this.#id}`;
    const heard = (_: string, data: unknown): void => {
      const progress = data as FileProgress;
      if (progress.path === path) onProgress?.(progress);
    };
    RED.comms.subscribe(topic, heard);
    try {
      await postBytes(`${this.#id}/files/upload`, { path }, content);
    } finally {
      RED.comms.unsubscribe(topic, heard);
    }
  }

  remove(path: string, recursive: boolean): Promise<void> {
    return post(`${this.#id}/files/delete`, { path, recursive });
  }

  makeFolder(path: string): Promise<void> {
    return post(`${this.#id}/files/folder`, { path });
  }

  move(from: string, to: string): Promise<void> {
    return post(`${this.#id}/files/move`, { from, to });
  }

  run(path: string): Promise<void> {
    return post(`${this.#id}/files/run`, { path });
  }

  interrupt(): Promise<void> {
    return post(`${this.#id}/control`, { action: 'interrupt' });
  }

  restart(): Promise<void> {
    return post(`${this.#id}/control`, { action: 'soft-reset' });
  }
}
