/** Values out of a node's settings and messages: forgiving in what is taken, strict in what comes out. */
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { binary, bytesOf, bytesOfNumbers } from '../bytes/binary.ts';
import { kindOf } from '../errors/facts.ts';
import { messageOf } from '../errors/reason.ts';
import { patternList } from '../host/pattern.ts';
import { InputError } from './diagnosis.ts';

/** Anything a flow may carry: properties are looked up by name. */
export type Message = NodeMessage & Record<string, unknown>;

/** A typed input of the editor, evaluated for this message (`msg`, `flow`, `global`, `env`, `jsonata`, …). */
export async function typedProperty(
  RED: NodeAPI,
  node: Node,
  msg: Message,
  value: string,
  type: string,
): Promise<unknown> {
  // The callback form serves asynchronous context stores; bad jsonata and json throw all the same.
  return new Promise((resolve, reject) => {
    try {
      RED.util.evaluateNodeProperty(value, type, node, msg, (error, result: unknown) => {
        if (error) reject(badProperty(value, type, error));
        // A variable of the environment that is not set is an empty text to Node-RED.
        else resolve(type === 'env' && result === '' ? undefined : result);
      });
    } catch (error) {
      reject(badProperty(value, type, error));
    }
  });
}

function badProperty(value: string, type: string, error: unknown): InputError {
  return new InputError(
    'bad-property',
    `${type} ${value} cannot be read`,
    {
      property: `${type}.${value}`,
      expected: type,
      found: value,
      case: 'unreadable',
      reason: messageOf(error),
    },
    error,
  );
}

/** Bytes in any binary form, also one that went through JSON, and as numbers; `undefined` for what is none. */
export function anyBytesOf(value: unknown): Uint8Array | undefined {
  return bytesOf(value) ?? bytesOfNumbers(value);
}

/**
 * Bytes of the content for the file at `path`: text as UTF-8, a Buffer as it is, anything else as JSON; `null` only where
 * that is what a JSON file holds. Throws `InputError` 'bad-payload' for a `property` with nothing in it to write.
 */
export function contentBytes(value: unknown, path: string, property: string): Uint8Array {
  const bytes = binary(value);
  if (bytes) return bytes;
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  const isNothing =
    (typeof value === 'number' && !Number.isFinite(value)) || (value === null && !/\.json$/i.test(path));
  const json = isNothing ? undefined : jsonOf(value);
  if (json !== undefined) return Buffer.from(json, 'utf8');
  const found = typeof value === 'number' ? String(value) : kindOf(value);
  const facts = { property, found, expected: 'string | Buffer | object', case: 'content' };
  throw new InputError('bad-payload', `${property} is no content to write`, facts);
}

/** `undefined` for what JSON has no shape for: functions, circles, int beyond 2^53. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, undefined, 2);
  } catch {
    return undefined;
  }
}

/** A text, or a number as text, that must be there. Throws `InputError` 'bad-payload', also where it is blank. */
export function requiredText(value: unknown, property: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  if (typeof value === 'number') return String(value);
  if (value === undefined || value === null || typeof value === 'string') throw nothingIn(property, value);
  throw new InputError('bad-payload', `${property} is no text`, {
    expected: 'string',
    found: kindOf(value),
    property,
  });
}

/** The error for a property that needs a text and has none. */
export function nothingIn(property: string, value?: string | null): InputError {
  const found = typeof value === 'string' ? 'empty text' : kindOf(value);
  const facts = { expected: 'string', found, property, case: 'empty' };
  return new InputError('bad-payload', `there is nothing in ${property}`, facts);
}

/** A text, or nothing where it is absent or blank. */
export function optionalText(value: unknown, property: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value.trim() || undefined;
  throw new InputError('bad-property', `${property} is no text`, {
    property,
    expected: 'string',
    found: shown(value),
  });
}

/** A list of texts: as such, or as one text parted by commas or lines. */
export function textList(value: unknown, property: string): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return patternList(value);
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new InputError('bad-property', `${property} is no list of texts`, {
    property,
    expected: 'string | [string]',
    found: shown(value),
  });
}

/** A place or size in the flash as number, decimal or hex text; blank means that it is not given. */
export function optionalAddress(value: unknown, property: string): number | undefined {
  if (isAbsent(value)) return undefined;
  const address = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN;
  if (Number.isInteger(address) && address >= 0) return address;
  throw new InputError('bad-property', `${property} is no address`, {
    property,
    expected: '4096 | 0x1000',
    found: shown(value),
  });
}

/** A switch: `true`, or the text of it. */
export function flag(value: unknown): boolean {
  return value === true || value === 'true';
}

/** A number above 0, or the default where it is absent or blank. */
export function positive(value: unknown, fallback: number, property: string): number {
  if (isAbsent(value)) return fallback;
  const parsed = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN;
  if (Number.isFinite(parsed) && parsed > 0) return parsed;
  const facts = { property, expected: 'number > 0', found: shown(value) };
  throw new InputError('bad-property', `${property} is no number above 0`, facts);
}

/** A positive number out of an edit field, or the default where it is empty or none. */
export function numberOr(value: unknown, fallback: number): number {
  const parsed = Number(value);
  return Number.isFinite(parsed) && parsed > 0 ? parsed : fallback;
}

/** One of a list of words, or the default where it is absent. */
export function oneOf<T extends string>(
  value: unknown,
  allowed: readonly T[],
  fallback: T,
  property: string,
): T {
  if (value === undefined || value === null || value === '') return fallback;
  const found = allowed.find((word) => word === value);
  if (found !== undefined) return found;
  throw new InputError('bad-property', `${property} is none of ${allowed.join(', ')}`, {
    property,
    expected: allowed.join(' | '),
    found: shown(value),
  });
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** What was found instead: texts and numbers themselves, of others their kind. */
function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 80) : kindOf(value);
}
