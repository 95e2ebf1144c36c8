/** A package index on this machine, laid out as micropython-lib's `tools/build.py` lays out the real one. */
import { createHash } from 'node:crypto';
import { FileServer } from '../firmware/server.ts';

export interface IndexPackage {
  version?: string;
  /** Path → content. */
  files?: Readonly<Record<string, string | Uint8Array>>;
  urls?: [string, string][];
  deps?: [string, string][];
}

const short = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 8);

export class IndexServer extends FileServer {
  get index(): string {
    return this.url('/pi/v2');
  }

  /** As the index has a package, for one kind of file: a version of compiled ones, or `py`. */
  package(
    variant: string,
    name: string,
    { version = '1.0', files = {}, urls = [], deps = [] }: IndexPackage,
  ): void {
    const hashes = Object.entries(files).map(([path, content]) => [path, short(content)]);
    for (const content of Object.values(files)) this.hashed(content);
    const more = { ...(urls.length > 0 ? { urls } : {}), ...(deps.length > 0 ? { deps } : {}) };
    const json = `${JSON.stringify({ v: 1, hashes, version, ...more })}\n`;
    for (const file of ['latest', version]) this.file(`/pi/v2/package/${variant}/${name}/${file}.json`, json);
  }

  /** A file of the index; returns the path it has there. */
  hashed(content: string | Uint8Array, hash = short(content)): string {
    const path = `/pi/v2/file/${hash.slice(0, 2)}/${hash}`;
    this.file(path, content);
    return path;
  }
}
