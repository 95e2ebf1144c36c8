/**
 * Loads the interpreter's WebAssembly module with two changes that its package has no option for:
 * its memory is shared, so that another thread can interrupt running code, and what it asks of its
 * surroundings (files, time, stdio) goes through functions of ours first.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One function that the module imports or exports; addresses and numbers in, a number out. */
export type WasmFunction = (...args: never[]) => number;
export type WasmImports = Record<string, WasmFunction>;

/** The parts of Emscripten's in-memory file system that are used here. */
export interface MemoryNode {
  mode: number;
  usedBytes: number;
}
export interface MemoryStream {
  fd: number;
  node: MemoryNode;
  flags: number;
  position: number;
}
export interface MemoryFileSystem {
  mkdir(path: string): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  writeFile(path: string, data: Uint8Array): void;
  readFile(path: string): Uint8Array;
  readdir(path: string): string[];
  chdir(path: string): void;
  cwd(): string;
  stat(path: string): { mode: number; size: number };
  analyzePath(path: string): { exists: boolean; object: MemoryNode | null };
  getPath(node: MemoryNode): string;
  getStream(fd: number): MemoryStream | null;
  close(stream: MemoryStream): void;
  streams: (MemoryStream | null | undefined)[];
}

export interface EmscriptenModule {
  FS: MemoryFileSystem;
  PATH_FS: { resolve(path: string): string };
  UTF8ToString: (at: number) => string;
  _malloc(size: number): number;
  _free(at: number): void;
  _mp_js_init(pystack: number, heap: number): void;
  _proxy_c_init(): void;
  _proxy_c_to_js_get_iter(reference: number): number;
  _proxy_c_free_obj(reference: number): void;
  _mp_sched_keyboard_interrupt(): void;
  _mp_hal_get_interrupt_char(): number;
  _mp_js_repl_init(): void;
  _mp_js_repl_process_char(char: number): number;
}

/** A Python object seen from JavaScript. */
export interface PythonObject {
  readonly _ref: number;
}
export type PythonCallable = PythonObject & ((...args: unknown[]) => unknown);

export interface PythonError extends Error {
  name: 'PythonError';
  /** The exception's class. */
  type: string;
  /** Its traceback as MicroPython prints it. */
  message: string;
}

export function isPythonError(error: unknown): error is PythonError {
  return error instanceof Error && error.name === 'PythonError';
}

interface LoadedPackage {
  _module: EmscriptenModule;
  registerJsModule(name: string, module: object): void;
  runPython(code: string): unknown;
  pyimport(name: string): Record<string, unknown>;
}

export interface Interpreter extends LoadedPackage {
  readonly memory: WebAssembly.Memory;
}

/** The builds the board can run: which are newest, and oldest that knows what is needed here, `package.json` says. */
export const INTERPRETERS = {
  usual: '@micropython/micropython-webassembly-pyscript',
  newest: 'micropython-newest',
  oldest: 'micropython-oldest',
} as const;
export type InterpreterName = keyof typeof INTERPRETERS;

/**
 * This build collects garbage only between two commands, so a running program may take far more than
 * a board has, but not all that this machine has.
 */
const MEMORY_LIMIT = 256 * 1024 * 1024;
const MEMORY_SECTION = 5;
const LIMITS_SHARED = 3;

/** The module's bytes with its memory declared shared: flags 1 (has a maximum) become 3. */
function sharedMemoryModule(name: InterpreterName): WebAssembly.Module {
  const bytes = new Uint8Array(
    readFileSync(fileURLToPath(import.meta.resolve(`${INTERPRETERS[name]}/micropython.wasm`))),
  );
  let at = 8;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const length = varint();
    const next = at + length;
    if (section === MEMORY_SECTION) {
      varint();
      bytes[at] = LIMITS_SHARED;
      return new WebAssembly.Module(bytes);
    }
    at = next;
  }
  throw new Error('the interpreter has no memory section');
}

/** @param intercept may replace what the module imports, before it is bound */
export async function loadInterpreter(
  name: InterpreterName,
  heapSize: number,
  intercept: (imports: WasmImports) => void,
): Promise<Interpreter> {
  const { loadMicroPython } = (await import(INTERPRETERS[name])) as {
    loadMicroPython: (options: { heapsize: number }) => Promise<LoadedPackage>;
  };
  // The package keeps its instantiation to itself; in this thread it is the only one.
  const original = WebAssembly.instantiate;
  let memory: WebAssembly.Memory | undefined;
  const instantiate = (_bytes: unknown, imports: WebAssembly.Imports) => {
    const environment = imports['env'] as WasmImports;
    const grow = environment['emscripten_resize_heap'] as (size: number) => number;
    environment['emscripten_resize_heap'] = (size: number) => (size >>> 0 > MEMORY_LIMIT ? 0 : grow(size));
    intercept(environment);
    const module = sharedMemoryModule(name);
    const instance = new WebAssembly.Instance(module, imports);
    memory = instance.exports['memory'] as WebAssembly.Memory;
    return Promise.resolve({ module, instance });
  };
  WebAssembly.instantiate = instantiate as typeof WebAssembly.instantiate;
  try {
    const loaded = await loadMicroPython({ heapsize: heapSize });
    if (!memory) throw new Error('the interpreter was not instantiated');
    return Object.assign(loaded, { memory });
  } finally {
    WebAssembly.instantiate = original;
  }
}

/** A new interpreter state starts with no objects of the other side known. */
export function forgetProxies(): void {
  Object.assign(globalThis, {
    proxy_js_ref: [globalThis, undefined],
    proxy_js_ref_next: 2,
    proxy_js_ref_map: new Map([[globalThis, 0]]),
    proxy_js_map: new Map(),
    proxy_js_existing: [undefined],
  });
}
