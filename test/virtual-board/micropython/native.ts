/**
 * What a function of ours that the interpreter calls has no way to do through the package: raise a
 * Python exception as a built-in function does, with no frame of its own in the traceback.
 *
 * The one call that lets an exception pass through (it has no handler of its own) is "get an
 * iterator". So the board's Python side hands over an object whose `__iter__` is the built-in
 * `read` of a stream of ours, and that stream answers with the wanted error; EINTR makes the
 * interpreter do what is pending: raise KeyboardInterrupt, run scheduled functions.
 */
import type { EmscriptenModule, PythonObject } from './webassembly.ts';
import { WASI } from './errno.ts';

export class Native {
  readonly #module: EmscriptenModule;
  #raiser: PythonObject | undefined;
  #answers: number[] = [];

  constructor(module: EmscriptenModule) {
    this.#module = module;
  }

  useRaiser(raiser: PythonObject): void {
    this.#raiser = raiser;
  }

  /** This side refers to it no more. */
  free(object: PythonObject | undefined): void {
    if (object) this.#module._proxy_c_free_obj(object._ref);
  }

  /** Raises KeyboardInterrupt if one is pending and runs what is scheduled; returns otherwise. */
  handlePending(): void {
    this.#touch([WASI.EINTR]);
  }

  /** Does not return to the caller: the interpreter unwinds to its own handler. */
  raise(errno: number): void {
    this.#touch([errno]);
  }

  /** The next answer of the stream that the raiser reads; 0 is its end. */
  answer(): number {
    return this.#answers.shift() ?? 0;
  }

  #touch(answers: number[]): void {
    if (!this.#raiser) return;
    this.#answers = answers;
    const reference = this.#module._proxy_c_to_js_get_iter(this.#raiser._ref);
    this.#module._proxy_c_free_obj(reference);
  }
}
