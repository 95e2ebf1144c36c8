/** Values as the facts of errors tell them. */

/** A place or size in the flash. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** What kind of value it is; unlike `typeof`, it tells null and arrays from objects. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
