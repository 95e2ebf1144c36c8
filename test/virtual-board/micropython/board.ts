/** Puts the interpreter's parts together and runs it through its life: boot, REPL, soft reset. */
import { readFileSync, readdirSync } from 'node:fs';
import type { Channel } from './channel.ts';
import { Chip } from './chip.ts';
import { Files, ROOT } from './files.ts';
import { Interrupt, learnInterruptPlaces } from './interrupt.ts';
import type { WorkerMessage, WorkerOptions } from './messages.ts';
import { Native } from './native.ts';
import { Objects } from './objects.ts';
import { Repl } from './repl.ts';
import { STDERR_RAW, STDIN_RAW, STDOUT, STDOUT_RAW, Stdio } from './stdio.ts';
import type { Surroundings } from './stdio.ts';
import { Timers } from './timers.ts';
import { VfsStore } from './vfs-store.ts';
import type { FlashArea } from './vfs-store.ts';
import type { Interpreter, PythonCallable, PythonObject } from './webassembly.ts';
import { forgetProxies, isPythonError, loadInterpreter } from './webassembly.ts';

const BOARD_MODULES = new URL('./board/', import.meta.url);
/** In Emscripten's tree, where no path of the board leads. */
const ROM = '/rom';
const PYSTACK_WORDS = 2048;
const CTRL_C = 3;

const CORRUPTED = `The filesystem appears to be corrupted. If you had important data there, you
may want to make a flash snapshot to try to recover it. Otherwise, perform
factory reprogramming of MicroPython firmware (completely erase flash, followed
by firmware programming).

`;

export class Board {
  readonly #options: WorkerOptions;
  readonly #interpreter: Interpreter;
  readonly #stdio: Stdio;
  readonly #files: Files;
  readonly #store: VfsStore;
  readonly #timers: Timers;
  readonly #chip: Chip;
  readonly #native: Native;
  readonly #objects: Objects;
  readonly #interrupt: Interrupt;
  readonly #repl: Repl;
  /** Objects that only this side refers to. */
  #kept: unknown[] = [];
  #compile: PythonCallable | undefined;
  #exec: PythonCallable | undefined;
  #atTopLevel: PythonCallable | undefined;

  static async load(
    options: WorkerOptions,
    channel: Channel,
    flash: FlashArea,
    post: (message: WorkerMessage) => void,
  ): Promise<Board> {
    const timers = new Timers((traceback) => stdio.sendText(traceback));
    const loaded: { interpreter?: Interpreter } = {};
    const bytes = () => new Uint8Array(loaded.interpreter?.memory.buffer ?? new ArrayBuffer());
    const around: Surroundings = {
      channel,
      tickMs: options.tickMs,
      memory: bytes,
      tell: () => post({ kind: 'output' }),
      runTimers: () => timers.run(),
    };
    const stdio = new Stdio(around);
    const store = new VfsStore(flash);
    const files = new Files(store, bytes);
    const interpreter = await loadInterpreter(options.interpreter, options.heapSize, (imports) => {
      files.install(imports);
      stdio.install(imports);
    });
    loaded.interpreter = interpreter;
    const native = new Native(interpreter._module);
    files.use(interpreter._module);
    const board = new Board({
      options,
      channel,
      store,
      timers,
      stdio,
      files,
      interpreter,
      native,
      memory: bytes,
      post,
    });
    around.native = native;
    around.interrupt = board.#interrupt;
    return board;
  }

  private constructor(parts: {
    options: WorkerOptions;
    channel: Channel;
    store: VfsStore;
    timers: Timers;
    stdio: Stdio;
    files: Files;
    interpreter: Interpreter;
    native: Native;
    memory: () => Uint8Array;
    post: (message: WorkerMessage) => void;
  }) {
    const { options, interpreter, native, memory, stdio, post } = parts;
    this.#options = options;
    this.#interpreter = interpreter;
    this.#stdio = stdio;
    this.#files = parts.files;
    this.#store = parts.store;
    this.#timers = parts.timers;
    this.#native = native;
    const module = interpreter._module;
    const staticEnd = module._malloc(4);
    this.#objects = new Objects(module, memory, staticEnd);
    const micropython = interpreter.pyimport('micropython') as { kbd_intr: PythonCallable };
    const places = learnInterruptPlaces(
      interpreter.memory.buffer as unknown as SharedArrayBuffer,
      staticEnd,
      (char) => micropython.kbd_intr(char),
      () => module._mp_hal_get_interrupt_char(),
      () => {
        module._mp_sched_keyboard_interrupt();
      },
    );
    this.#interrupt = new Interrupt(places);
    this.#chip = new Chip({ ...parts, native: () => native });
    this.#repl = new Repl({
      stdio,
      machine: options.machine,
      rawPaste: options.rawPaste,
      start: () => module._mp_js_repl_init(),
      process: (byte) => module._mp_js_repl_process_char(byte) !== 0,
      idle: () => this.#atTopLevel?.(),
      parse: (source) => this.#parse(source),
    });
    this.#placeRom();
    post({ kind: 'interruptible', places });
  }

  /** Never returns. */
  run(): void {
    this.#objects.hideFrozenModules();
    this.#setUp();
    this.#mount();
    for (;;) {
      const again = this.#bootScripts();
      if (!again) this.#repl.run();
      this.#files.closeAll();
      this.#timers.clear();
      this.#stdio.send('MPY: soft reboot\r\n');
      this.#restart();
    }
  }

  /** The interpreter itself has failed: the chip says so and starts anew. */
  panic(error: unknown): never {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#stdio.sendText(`\nGuru Meditation Error: Core  0 panic'ed\n${text}\nRebooting...\n`);
    return this.#chip.leave({ kind: 'reset' });
  }

  #placeRom(): void {
    const { FS } = this.#interpreter._module;
    FS.mkdir(ROM);
    for (const name of readdirSync(BOARD_MODULES)) {
      FS.writeFile(`${ROM}/${name}`, readFileSync(new URL(name, BOARD_MODULES)));
    }
    FS.mkdir(ROOT);
  }

  #restart(): void {
    const module = this.#interpreter._module;
    this.#objects.restore();
    this.#kept = [];
    forgetProxies();
    this.#interrupt.clear();
    this.#interrupt.char = -1;
    module._mp_js_init(PYSTACK_WORDS, this.#options.heapSize);
    module._proxy_c_init();
    this.#setUp();
  }

  /** Runs board/setup.py, which asks for the rest. */
  #setUp(): void {
    const { FS } = this.#interpreter._module;
    const modules: [number, number][] = [];
    this.#files.sealed = false;
    FS.chdir(ROM);
    this.#interpreter.registerJsModule('_board', {
      ...this.#chip.functions(),
      descriptors: (stdinRaw: number, stdout: number, stdoutRaw: number, stderrRaw: number) => {
        this.#objects.setDescriptor(stdinRaw, STDIN_RAW);
        this.#objects.setDescriptor(stdout, STDOUT);
        this.#objects.setDescriptor(stdoutRaw, STDOUT_RAW);
        this.#objects.setDescriptor(stderrRaw, STDERR_RAW);
      },
      raiser: (raiser: PythonObject) => {
        this.#kept.push(raiser);
        this.#native.useRaiser(raiser);
      },
      keep: (objects: unknown) => this.#kept.push(objects),
      string: (object: number, text: string) => this.#objects.setString(object, text),
      type_name: (type: number, name: number) => this.#objects.setTypeName(type, name),
      patch: (dict: number, key: number, value: number) => this.#objects.setItem(dict, key, value),
      module: (key: number, value: number) => modules.push([key, value]),
      modules: (js: number, value: number, jsffi: number) =>
        this.#objects.setModules({ key: js, value }, [js, jsffi], modules),
      hide: (name: number, value: number) => this.#objects.hide({ key: name, value }),
      ready: (compile: PythonCallable, exec: PythonCallable, atTopLevel: PythonCallable) => {
        this.#compile = compile;
        this.#exec = exec;
        this.#atTopLevel = atTopLevel;
        this.#kept.push(compile, exec, atTopLevel);
      },
    });
    this.#interpreter.pyimport('setup');
    FS.chdir(ROOT);
    this.#files.sealed = true;
  }

  #mount(): void {
    if (this.#store.mount()) {
      this.#files.attach();
      return;
    }
    if (this.#store.isBlank) {
      this.#stdio.send('Performing initial setup\r\n');
      this.#store.format();
      this.#files.attach();
      this.#files.create('/boot.py', readFileSync(new URL('boot-default.py', BOARD_MODULES)));
      return;
    }
    this.#interrupt.char = CTRL_C;
    while (!this.#interrupt.isPending) {
      this.#stdio.sendText(CORRUPTED);
      const until = performance.now() + 3000;
      this.#stdio.idleUntil(() => this.#interrupt.isPending || performance.now() >= until);
    }
    this.#interrupt.clear();
    this.#interrupt.char = -1;
  }

  /** True if one of them asks for a soft reset. */
  #bootScripts(): boolean {
    const boot = this.#runFile('boot.py');
    if (boot !== 'done') return boot === 'reset';
    if (this.#repl.isRaw) return false;
    return this.#runFile('main.py') === 'reset';
  }

  /** As `pyexec_file_if_exists`: Ctrl-C works, tracebacks are printed, SystemExit is a soft reset. */
  #runFile(name: string): 'done' | 'failed' | 'reset' {
    const source = this.#files.read(`/${name}`);
    if (!source) return 'done';
    let code: PythonObject | undefined;
    try {
      code = this.#compile?.(Buffer.from(source).toString(), name, 'exec') as PythonObject;
      this.#interrupt.char = CTRL_C;
      this.#exec?.(code);
      return 'done';
    } catch (error) {
      if (!isPythonError(error)) throw error;
      if (error.type === 'SystemExit') return 'reset';
      this.#stdio.sendText(error.message);
      return 'failed';
    } finally {
      this.#native.free(code);
      this.#interrupt.char = -1;
      this.#interrupt.clear();
    }
  }

  #parse(source: string): string | undefined {
    try {
      this.#native.free(this.#compile?.(source, '<stdin>', 'exec') as PythonObject);
      return undefined;
    } catch (error) {
      if (!isPythonError(error)) throw error;
      return error.message;
    }
  }
}
