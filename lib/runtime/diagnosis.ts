/**
 * From an error to what a person reads: what it is, why, and what to do. The words lie in the catalogue of
 * the board node (`locales/<lang>/esp32-board.json`, under `diagnosis`), one entry a code.
 */
import { MicroPythonError, parseTraceback } from '../board/errors.ts';
import type { Failure } from '../editor/wire.ts';
import { CodedError } from '../errors/coded-error.ts';

/** Looks a text up and fills in its `__variables__`. Gives the key back where there is none. */
export type Words = (key: string, facts?: Record<string, unknown>) => string;

export interface Diagnosis {
  code: string;
  /** One sentence. */
  cause: string;
  /** What to do, the likeliest first. */
  remedy: string[];
  /** Facts as data: what was heard, expected, found. */
  evidence: Record<string, unknown>;
  /** A few words for the node's status. */
  short: string;
  /** Where the help explains it: the node type's help, and the anchor in it. */
  help: string;
}

/** What is wrong with a message or a node's settings, before any board is asked. */
export type InputErrorCode =
  | 'no-board-chosen'
  /**
   * The message is not what the node needs. Facts: `expected`, `found`, `property`; `case` 'empty' for no text,
   * 'content' for what no file can hold, 'mirror' for no file.
   */
  | 'bad-payload'
  /**
   * A setting, or the message's property of that name, cannot be used. Facts: `property`, `expected`, `found`;
   * `case` 'unreadable' with `reason`, 'one-file' for a mirror.
   */
  | 'bad-property'
  /** The editor asks for a board that no flow has, or that is not deployed. */
  | 'board-not-deployed'
  /** More bytes than a request of the editor may have. */
  | 'body-too-large'
  /** Whoever asked does not wait any more. */
  | 'asker-gone'
  /** A file shall be read as JSON and is none. Facts: `path`, `reason`. */
  | 'not-json'
  /** What cannot be taken back was not confirmed. Facts: `operation`, which is the `case`, too. */
  | 'not-confirmed';

export class InputError extends CodedError<InputErrorCode> {}

/** The catalogue that holds the diagnoses. */
const CATALOGUE = 'node-red-contrib-esp32-micropython/esp32-board:diagnosis';

/** Explains any error. One without a code of ours is a fault of this package and says so. */
export function diagnose(error: unknown, words: Words): Diagnosis {
  const { code, facts } = known(error);
  // Where more is known (what the board was heard to say, say), the catalogue may have an entry for just that.
  const context = facts['heard'] ?? facts['case'] ?? facts['unit'];
  const text = (part: string): string => words(`${CATALOGUE}.${code}.${part}`, { ...facts, context });
  return {
    code,
    cause: text('cause'),
    remedy: text('remedy').split('\n'),
    evidence: facts,
    short: text('short'),
    help: `esp32-board#${code}`,
  };
}

/** As the editor is told: it has the words itself. Bytes and what JSON has no shape for are left out. */
export function failureOf(error: unknown): Failure {
  const { code, facts } = known(error);
  const plain = Object.entries(facts).filter(([, fact]) => !(fact instanceof Uint8Array));
  const json = JSON.stringify(Object.fromEntries(plain), (_, fact: unknown) =>
    typeof fact === 'bigint' ? String(fact) : fact,
  );
  return { code, facts: JSON.parse(json) as Record<string, unknown> };
}

function known(error: unknown): { code: string; facts: Record<string, unknown> } {
  if (error instanceof MicroPythonError && error.code === 'python-error') {
    return { code: error.code, facts: { ...parseTraceback(String(error.facts['text'])) } };
  }
  if (error instanceof CodedError) {
    const { code, facts } = error as CodedError;
    return { code, facts: { ...facts } };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'unexpected', facts: { message } };
}
