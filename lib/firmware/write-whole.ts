/** A file that is there whole or not at all: written beside and renamed. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { sha256Of } from '../bytes/sha256.ts';
import { reasonOf } from '../errors/reason.ts';
import { FirmwareError } from './errors.ts';

export interface WrittenFile {
  path: string;
  /** Bytes. */
  size: number;
  /** In hex. */
  sha256: string;
}

/**
 * Writes what `content` gives, which is asked only when there is a place for it; a file of that name is replaced.
 * Throws `FirmwareError` 'backup-not-written', and what `content` throws.
 */
export async function writeWhole(path: string, content: () => Promise<Uint8Array>): Promise<WrittenFile> {
  const to = resolve(path);
  const part = `${to}.${randomUUID()}.part`;
  const writing = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      const facts = { path: to, reason: reasonOf(error) };
      throw new FirmwareError('backup-not-written', `${to} cannot be written`, facts, error);
    }
  };
  try {
    await writing(mkdir(dirname(to), { recursive: true }));
    const file = await writing(open(part, 'wx'));
    let bytes: Uint8Array;
    try {
      bytes = await content();
      await writing(file.writeFile(bytes));
      await writing(file.sync());
    } finally {
      await file.close();
    }
    await writing(rename(part, to));
    return { path: to, size: bytes.length, sha256: sha256Of(bytes) };
  } finally {
    // Gone already where all went well.
    await rm(part, { force: true }).catch(() => undefined);
  }
}
