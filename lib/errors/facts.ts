/** Values as the facts of errors tell them. */

/** A place or size in the flash. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** How large a memory is, as it is sold: `4 MB`. */
export function memorySize(bytes: number): string {
  const kilobytes = bytes / 1024;
  return kilobytes % 1024 === 0 ? `${kilobytes / 1024} MB` : `${kilobytes} KB`;
}

/** What kind of value it is; unlike `typeof`, it tells null and arrays from objects. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
