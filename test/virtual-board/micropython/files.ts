/**
 * The board's files: the interpreter works on Emscripten's in-memory tree, and what a littlefs
 * would have on the flash after each call is brought to the store. Until a file is closed or
 * flushed the store keeps its old content.
 */
import { SECTOR_SIZE } from '../nor-flash.ts';
import { WASI, toPosix } from './errno.ts';
import { STDERR, STDIN_RAW } from './stdio.ts';
import { StoreFullError } from './vfs-store.ts';
import type { VfsStore } from './vfs-store.ts';
import type { EmscriptenModule, MemoryStream, WasmImports } from './webassembly.ts';

/** Where the interpreter's "/" lies in Emscripten's tree, beside that one's own /dev, /tmp, … */
export const ROOT = '/flash';

const O_ACCESS = 3;
const O_TRUNC = 0x200;
const O_APPEND = 0x400;
const O_DIRECTORY = 0x10000;
const TYPE_BITS = 0xf000;
const TYPE_DIR = 0x4000;
/** Seconds from the module's epoch, 1970, to the board's. */
const EPOCH_2000 = 946_684_800n;

type Call = (...args: number[]) => number;

interface Dirty {
  stream: MemoryStream;
  /** Everything before it is as it was: those sectors can stay. */
  from: number;
}

export class Files {
  readonly #store: VfsStore;
  readonly #memory: () => Uint8Array;
  readonly #dirty = new Map<number, Dirty>();
  #module: EmscriptenModule | undefined;
  /** With no file system on the flash every call says so. */
  mounted = false;
  /** Until then the interpreter's calls reach Emscripten's whole tree and nothing is stored. */
  sealed = false;

  constructor(store: VfsStore, memory: () => Uint8Array) {
    this.#store = store;
    this.#memory = memory;
  }

  use(module: EmscriptenModule): void {
    this.#module = module;
  }

  /** Fills the tree from the flash. */
  attach(): void {
    const { FS } = this.#emscripten();
    this.mounted = true;
    for (const { path, data } of this.#store.tree()) {
      if (data) FS.writeFile(ROOT + path, data);
      else FS.mkdir(ROOT + path);
    }
  }

  read(path: string): Uint8Array | undefined {
    const { FS } = this.#emscripten();
    return this.#type(ROOT + path) === undefined ? undefined : FS.readFile(ROOT + path);
  }

  create(path: string, data: Uint8Array): void {
    this.#emscripten().FS.writeFile(ROOT + path, data);
    this.#store.writeFile(path, data);
  }

  /** Nothing is left. */
  format(): void {
    this.closeAll();
    this.#clear(ROOT);
    this.#store.format();
  }

  #clear(folder: string): void {
    const { FS } = this.#emscripten();
    for (const name of FS.readdir(folder).filter((each) => each !== '.' && each !== '..')) {
      const path = `${folder}/${name}`;
      if (this.#type(path) === TYPE_DIR) {
        this.#clear(path);
        FS.rmdir(path);
      } else FS.unlink(path);
    }
  }

  /** Closes what a program left open, as the finalisers of a soft reset do. */
  closeAll(): void {
    const { FS } = this.#emscripten();
    for (const fd of [...this.#dirty.keys()]) this.#commit(fd);
    this.#dirty.clear();
    for (const stream of [...FS.streams]) if (stream && stream.fd > 2) FS.close(stream);
  }

  /** littlefs lists by name. */
  list(path: string): { name: string; isDir: boolean; size: number }[] | number {
    const { FS } = this.#emscripten();
    if (!this.mounted) return WASI.ENODEV;
    const at = this.#resolve(path.startsWith('/') ? ROOT + path : path || '.');
    if (at === undefined) return WASI.ENOENT;
    const type = this.#type(at);
    if (type === undefined) return WASI.ENOENT;
    if (type !== TYPE_DIR) return WASI.ENOTDIR;
    const names = FS.readdir(at).filter((name) => name !== '.' && name !== '..');
    return names.sort().map((name) => {
      const { mode, size } = FS.stat(`${at}/${name}`);
      const isDir = (mode & TYPE_BITS) === TYPE_DIR;
      return { name, isDir, size: isDir ? 0 : size };
    });
  }

  install(imports: WasmImports): void {
    const original = { ...imports } as Record<string, Call | undefined>;
    const call =
      (name: string): Call =>
      (...args) =>
        original[name]?.(...args) ?? -WASI.EIO;
    Object.assign(imports, {
      __syscall_openat: (dir, path, flags, mode) =>
        this.#open(call('__syscall_openat'), dir, path, flags, mode),
      __syscall_unlinkat: (_dir, path) => this.#remove(path),
      __syscall_rmdir: (path) => this.#remove(path),
      __syscall_mkdirat: (dir, path, mode) => this.#mkdir(call('__syscall_mkdirat'), dir, path, mode),
      __syscall_renameat: (dirA, from, dirB, to) =>
        this.#rename(call('__syscall_renameat'), dirA, from, dirB, to),
      __syscall_stat64: (path, to) =>
        this.#inside(path) ? this.#stat(call('__syscall_stat64')(path, to), to) : -WASI.ENOENT,
      __syscall_statfs64: (_path, _size, to) => this.#statfs(to),
      __syscall_chdir: (path) => (this.#inside(path) ? call('__syscall_chdir')(path) : -WASI.ENOENT),
      fd_write: (fd, vectors, count, done) => this.#write(call('fd_write'), fd, vectors, count, done),
      fd_close: (fd) => {
        this.#commit(fd);
        this.#dirty.delete(fd);
        return fd <= STDERR || fd >= STDIN_RAW ? 0 : call('fd_close')(fd);
      },
      fd_sync: (fd) => {
        this.#commit(fd);
        return 0;
      },
    } satisfies Record<string, (a: number, b: number, c: number, d: number) => number>);
    for (const [name, run] of Object.entries(imports) as [string, Call][]) {
      const sign = name.startsWith('__syscall_') ? -1 : name.startsWith('fd_') ? 1 : 0;
      if (sign === 0) continue;
      imports[name] = (...args) => {
        const result = this.sealed ? run(...args) : call(name)(...args);
        return result * sign > 0 ? sign * toPosix(result * sign) : result;
      };
    }
  }

  #emscripten(): EmscriptenModule {
    if (!this.#module) throw new Error('the interpreter is not loaded yet');
    return this.#module;
  }

  #words(): DataView {
    return new DataView(this.#memory().buffer);
  }

  /** Undefined if it leads out of the board's root. */
  #resolve(path: string): string | undefined {
    const resolved = this.#emscripten().PATH_FS.resolve(path);
    return resolved === ROOT || resolved.startsWith(`${ROOT}/`) ? resolved : undefined;
  }

  #inside(at: number): boolean {
    return this.mounted && this.#resolve(this.#emscripten().UTF8ToString(at)) !== undefined;
  }

  #type(path: string): number | undefined {
    const { exists, object } = this.#emscripten().FS.analyzePath(path);
    return exists && object ? object.mode & TYPE_BITS : undefined;
  }

  #storePath(resolved: string): string {
    return resolved.slice(ROOT.length);
  }

  #open(open: Call, dir: number, at: number, flags: number, mode: number): number {
    const path = this.#resolve(this.#emscripten().UTF8ToString(at));
    if (!this.mounted || path === undefined) return -WASI.ENOENT;
    const before = this.#type(path);
    if (before === TYPE_DIR && (flags & O_DIRECTORY) === 0) return -WASI.EISDIR;
    const fd = open(dir, at, flags, mode);
    if (fd < 0 || (flags & O_ACCESS) === 0) return fd;
    const { FS } = this.#emscripten();
    const stream = FS.getStream(fd);
    if (!stream) return fd;
    if (before === undefined) {
      const failed = this.#stored(() => this.#store.writeFile(this.#storePath(path), new Uint8Array()));
      if (failed !== 0) {
        FS.close(stream);
        FS.unlink(path);
        return -failed;
      }
    } else if ((flags & O_TRUNC) !== 0) this.#dirty.set(fd, { stream, from: 0 });
    return fd;
  }

  #write(write: Call, fd: number, vectors: number, count: number, done: number): number {
    const stream = this.#emscripten().FS.getStream(fd);
    if (!stream || fd < 3) return write(fd, vectors, count, done);
    const words = this.#words();
    let length = 0;
    for (let i = 0; i < count; i++) length += words.getUint32(vectors + i * 8 + 4, true);
    const { usedBytes } = stream.node;
    const position = (stream.flags & O_APPEND) !== 0 ? usedBytes : stream.position;
    const from = Math.min(this.#dirty.get(fd)?.from ?? usedBytes, position);
    const size = Math.max(usedBytes, position + length);
    const others = [...this.#dirty].filter(([other]) => other !== fd);
    const needed = [
      ...others.map(([, each]) => [each.from, each.stream.node.usedBytes] as const),
      [from, size] as const,
    ]
      .map(([start, end]) => Math.ceil(end / SECTOR_SIZE) - Math.floor(start / SECTOR_SIZE))
      .reduce((sum, sectors) => sum + sectors, 0);
    if (needed > this.#store.freeSectors) return WASI.ENOSPC;
    const result = write(fd, vectors, count, done);
    if (result === 0) this.#dirty.set(fd, { stream, from });
    return result;
  }

  #commit(fd: number): void {
    const dirty = this.#dirty.get(fd);
    if (!dirty) return;
    this.#dirty.delete(fd);
    const { FS } = this.#emscripten();
    const { node } = dirty.stream;
    const path = FS.getPath(node);
    // A file that was removed while it was open has no place any more.
    if (FS.analyzePath(path).object !== node) return;
    this.#stored(() => this.#store.writeFile(this.#storePath(path), FS.readFile(path)));
  }

  /** As littlefs: removes files and empty directories alike. */
  #remove(at: number): number {
    const { FS, UTF8ToString } = this.#emscripten();
    const path = this.#resolve(UTF8ToString(at));
    const type = this.mounted && path !== undefined ? this.#type(path) : undefined;
    if (path === undefined || type === undefined) return -WASI.ENOENT;
    if (path === ROOT) return -WASI.EINVAL;
    if (type === TYPE_DIR) {
      if (FS.readdir(path).length > 2) return -WASI.ENOTEMPTY;
      FS.rmdir(path);
    } else FS.unlink(path);
    return -this.#stored(() => this.#store.remove(this.#storePath(path)));
  }

  #mkdir(mkdir: Call, dir: number, at: number, mode: number): number {
    const { FS, UTF8ToString } = this.#emscripten();
    const path = this.#resolve(UTF8ToString(at));
    if (!this.mounted || path === undefined) return -WASI.ENOENT;
    const result = mkdir(dir, at, mode);
    if (result !== 0) return result;
    const failed = this.#stored(() => this.#store.mkdir(this.#storePath(path)));
    if (failed !== 0) FS.rmdir(path);
    return -failed;
  }

  #rename(rename: Call, dirA: number, from: number, dirB: number, to: number): number {
    const { UTF8ToString } = this.#emscripten();
    const source = this.#resolve(UTF8ToString(from));
    const target = this.#resolve(UTF8ToString(to));
    if (!this.mounted || source === undefined || target === undefined) return -WASI.ENOENT;
    const result = rename(dirA, from, dirB, to);
    if (result !== 0 || source === target) return result;
    return -this.#stored(() => this.#store.rename(this.#storePath(source), this.#storePath(target)));
  }

  /** 0 or the error number. */
  #stored(change: () => void): number {
    try {
      change();
      return 0;
    } catch (error) {
      if (error instanceof StoreFullError) return WASI.ENOSPC;
      throw error;
    }
  }

  /** littlefs knows a type and a size, no rights, owners or inodes. */
  #stat(result: number, to: number): number {
    if (result !== 0) return result;
    const words = this.#words();
    words.setUint32(to + 4, words.getUint32(to + 4, true) & TYPE_BITS, true);
    for (const unknown of [0, 8, 12, 16, 88]) words.setUint32(to + unknown, 0, true);
    for (const time of [40, 56, 72]) {
      words.setBigInt64(to + time, words.getBigInt64(to + time, true) - EPOCH_2000, true);
    }
    if (words.getUint32(to + 4, true) === TYPE_DIR) words.setUint32(to + 24, 0, true);
    return 0;
  }

  #statfs(to: number): number {
    if (!this.mounted) return -WASI.ENODEV;
    const words = this.#words();
    for (let at = to; at < to + 88; at += 4) words.setUint32(at, 0, true);
    words.setUint32(to + 4, SECTOR_SIZE, true);
    words.setUint32(to + 60, SECTOR_SIZE, true);
    words.setUint32(to + 8, this.#store.sectors, true);
    words.setUint32(to + 16, this.#store.freeSectors, true);
    words.setUint32(to + 24, this.#store.freeSectors, true);
    words.setUint32(to + 56, 255, true);
    return 0;
  }
}
